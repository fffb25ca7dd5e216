package store_test

import (
	"slices"
	"testing"
	"time"

	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/autoheal/store"
)

func TestEachReceiverIsToldOfWhatItWantsUntilItIsThroughWithIt(t *testing.T) {
	s := fresh(t)
	c := opened(t, s, "i1")
	for i, kind := range []incident.NoticeKind{incident.NoticeOpened, incident.NoticeActed, incident.NoticeHanded} {
		c.Notices = append(c.Notices, incident.Notice{
			At: t0.Add(time.Duration(i) * time.Minute), IncidentID: "i1", Kind: kind, Page: kind == incident.NoticeHanded, Text: string(kind),
		})
	}
	if err := s.Save(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	untold := func(receiver string, want store.Wanted, limit int) []incident.Notice {
		t.Helper()
		notices, err := s.Untold(t.Context(), receiver, want, limit)
		if err != nil {
			t.Fatal(err)
		}
		return notices
	}
	expect := func(name string, got []incident.Notice, want ...string) {
		t.Helper()
		var texts []string
		for _, n := range got {
			texts = append(texts, n.Text)
		}
		if !slices.Equal(texts, want) {
			t.Errorf("%s: %v; want %v", name, texts, want)
		}
	}
	all := untold("chat", store.Wanted{Since: t0}, 10)
	expect("all, oldest first", all, "opened", "acted", "handed-over")
	expect("at most so many", untold("chat", store.Wanted{Since: t0}, 2), "opened", "acted")
	expect("none from before it", untold("chat", store.Wanted{Since: t0.Add(time.Minute)}, 10), "acted", "handed-over")
	expect("only pages", untold("chat", store.Wanted{Since: t0, PagesOnly: true}, 10), "handed-over")
	kinds := []incident.NoticeKind{incident.NoticeActed, incident.NoticeHanded}
	expect("only some kinds", untold("chat", store.Wanted{Since: t0, Kinds: kinds}, 10), "acted", "handed-over")

	for i, result := range []string{store.Sent, store.GivenUp, store.GivenUp} {
		if err := s.Told(t.Context(), all[min(i, 1)].Seq, "chat", result, t0); err != nil {
			t.Fatal(err) // once more than needed: the answer to the first may have been lost
		}
	}
	expect("what it is through with does not come again", untold("chat", store.Wanted{Since: t0}, 10), "handed-over")
	expect("another receiver is told all the same", untold("log", store.Wanted{Since: t0}, 10), "opened", "acted", "handed-over")
}

func TestNobodyIsToldOfWhatWasNotWritten(t *testing.T) {
	s := fresh(t)
	d := delivery("firing", "a")
	save(t, s, d)
	c := opened(t, s, "i1", d.Alerts...)
	c.Incident.State, c.Joined = incident.Closed, nil // over an alert that nobody has seen
	c.Notices = []incident.Notice{{At: t0, IncidentID: "i1", Kind: incident.NoticeRecovered}}
	if err := s.Save(t.Context(), c); err == nil {
		t.Fatal("it was written")
	}
	if notices, err := s.Untold(t.Context(), "chat", store.Wanted{}, 10); err != nil || len(notices) > 0 {
		t.Errorf("told of %+v, error %v", notices, err)
	}
}
