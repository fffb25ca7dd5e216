package store_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/autoheal/store"
)

var t0 = time.Date(2026, 1, 2, 3, 4, 5, 678, time.UTC)

func open(t testing.TB, path string) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), store.Config{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() }) // a test that cares closes it itself
	return s
}

func fresh(t testing.TB) *store.Store { return open(t, filepath.Join(t.TempDir(), "a store?.db")) }

func delivery(status string, fingerprints ...string) store.Delivery {
	d := store.Delivery{ReceivedAt: t0, GroupKey: "g"}
	for _, f := range fingerprints {
		a := incident.Alert{
			Fingerprint: f, StartsAt: t0.Add(-time.Second), Status: status, ReceivedAt: t0,
			Labels: map[string]string{"alertname": "A", "workload": "orders"}, Annotations: map[string]string{"summary": "s"},
		}
		if status == "resolved" {
			ends := t0
			a.EndsAt = &ends
		}
		d.Alerts = append(d.Alerts, a)
	}
	return d
}

func save(t testing.TB, s *store.Store, d store.Delivery) store.Counts {
	t.Helper()
	counts, err := s.SaveDelivery(t.Context(), d)
	if err != nil {
		t.Fatal(err)
	}
	return counts
}

func opened(t testing.TB, s *store.Store, id string, joined ...incident.Alert) store.Change {
	t.Helper()
	at := t0
	c := store.Change{
		Incident: incident.Incident{ID: id, Workload: "orders", State: incident.Received, Stages: incident.Stages{WebhookReceived: &at}},
		Joined:   joined,
		Entries:  []incident.Entry{{At: t0, Kind: "note", Text: "opened"}},
	}
	if err := s.Save(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	return c
}

func TestDeliveries(t *testing.T) {
	type step struct {
		d    store.Delivery
		want store.Counts
	}
	for _, test := range []struct {
		name    string
		steps   []step
		waiting int
		status  string
	}{
		{"the same alert twice is kept once", []step{
			{delivery("firing", "a"), store.Counts{New: 1}}, {delivery("firing", "a"), store.Counts{Duplicate: 1}},
		}, 1, "firing"},
		{"twice in one payload is kept once", []step{{delivery("firing", "a", "a"), store.Counts{New: 1, Duplicate: 1}}}, 1, "firing"},
		{"resolved updates a firing alert", []step{
			{delivery("firing", "a"), store.Counts{New: 1}},
			{delivery("resolved", "a"), store.Counts{Updated: 1}},
			{delivery("resolved", "a"), store.Counts{Duplicate: 1}},
		}, 1, "resolved"},
		{"resolved alone waits for nobody", []step{{delivery("resolved", "a"), store.Counts{New: 1}}}, 0, ""},
		{"resolved before firing is looked at, and stays resolved", []step{
			{delivery("resolved", "a"), store.Counts{New: 1}},
			{delivery("firing", "a"), store.Counts{Updated: 1}},
			{delivery("firing", "a"), store.Counts{Duplicate: 1}},
		}, 1, "resolved"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := fresh(t)
			for i, step := range test.steps {
				if got := save(t, s, step.d); got != step.want {
					t.Errorf("step %d: %+v; want %+v", i, got, step.want)
				}
			}
			waiting, err := s.Waiting(t.Context(), 100_000)
			if err != nil || len(waiting) != test.waiting {
				t.Fatalf("%d alerts wait, error %v; want %d", len(waiting), err, test.waiting)
			}
			if test.waiting > 0 && waiting[0].Status != test.status {
				t.Errorf("status %s; want %s", waiting[0].Status, test.status)
			}
		})
	}
}

func TestARecordComesBackAsItWas(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s.db")
	s := open(t, path)
	d := delivery("firing", "a", "b")
	d.Truncated = 7
	save(t, s, d)
	c := opened(t, s, "i1", d.Alerts...)
	c.Progress = incident.Progress{Looks: 2, Plan: []incident.Target{{Kind: incident.ReplicaTarget, Workload: "orders", Name: "orders-1", Is: "x"}}}
	c.Incident.Evidence = []incident.Fact{{Name: "n", Value: 1.5, Status: incident.Known, At: t0}}
	c.Joined, c.Entries = nil, []incident.Entry{{At: t0.Add(1), Kind: "state", Text: "moved"}}
	finished := t0.Add(time.Second)
	c.Effects = []incident.Effect{{IncidentID: "i1", Key: "k", StartedAt: t0, FinishedAt: &finished, Result: "done", Replica: "orders-1", ReplacedBy: []string{"orders-3"}}}
	if err := s.Save(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, path)
	in, err := s.Get(t.Context(), "i1")
	if err != nil {
		t.Fatal(err)
	}
	loaded, progress, err := s.Load(t.Context(), "i1")
	if err != nil || loaded.Evidence[0] != c.Incident.Evidence[0] || len(loaded.Alerts) > 0 {
		t.Errorf("it was loaded as %+v, error %v; want it without its alerts", loaded, err)
	}
	if len(in.Alerts) != 2 || in.Truncated != 7 || in.Evidence[0] != c.Incident.Evidence[0] || !in.Alerts[0].StartsAt.Equal(t0.Add(-time.Second)) {
		t.Errorf("the record came back as %+v", in)
	}
	if progress.Looks != 2 || !reflect.DeepEqual(progress.Plan[0], c.Progress.Plan[0]) {
		t.Errorf("the progress came back as %+v", progress)
	}
	effects, err := s.Effects(t.Context(), t0)
	if err != nil || len(effects) != 1 || !effects[0].FinishedAt.Equal(finished) || !slices.Equal(effects[0].ReplacedBy, []string{"orders-3"}) {
		t.Errorf("the effects came back as %+v, error %v", effects, err)
	}
	audit, err := s.Audit(t.Context(), "i1")
	if err != nil || len(audit) != 2 || audit[1].Text != "moved" || audit[1].Seq <= audit[0].Seq {
		t.Errorf("the audit came back as %+v, error %v", audit, err)
	}
	_, notGot := s.Get(t.Context(), "i2")
	_, _, notLoaded := s.Load(t.Context(), "i2")
	_, notAudited := s.Audit(t.Context(), "i2")
	for _, err := range []error{notGot, notLoaded, notAudited} {
		if !errors.Is(err, store.ErrNotFound) {
			t.Errorf("error %v for an unknown incident; want ErrNotFound", err)
		}
	}
}

func TestThePastHoldsWhatEndedLateAndWhatHasNotEnded(t *testing.T) {
	s := fresh(t)
	d := delivery("firing", "a")
	save(t, s, d)
	c := opened(t, s, "i1", d.Alerts...)
	c.Joined = nil
	early, late := t0.Add(time.Minute), t0.Add(time.Hour)
	c.Effects = []incident.Effect{
		{IncidentID: "i1", Key: "ended long ago", StartedAt: t0, FinishedAt: &early, Result: incident.ResultDone},
		{IncidentID: "i1", Key: "ended late", StartedAt: t0.Add(time.Second), FinishedAt: &late, Result: incident.ResultDone},
		{IncidentID: "i1", Key: "under way", StartedAt: t0.Add(2 * time.Second)},
	}
	if err := s.Save(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	effects, err := s.Effects(t.Context(), t0.Add(2*time.Minute))
	if err != nil || len(effects) != 2 || effects[0].Key != "ended late" || effects[1].Key != "under way" {
		t.Errorf("got %+v, error %v", effects, err)
	}
}

func TestAnIncidentCannotEndOverAnAlertThatNobodySaw(t *testing.T) {
	s := fresh(t)
	d := delivery("firing", "a", "b")
	save(t, s, d)
	c := opened(t, s, "i1", d.Alerts[0])
	joined, err := s.Join(t.Context(), "i1", d.Alerts[1:], nil)
	if err != nil || !joined {
		t.Fatalf("joined %v, error %v", joined, err)
	}
	c.Incident.State, c.Progress.SeenAlerts, c.Joined = incident.Closed, 1, nil
	if err := s.Save(t.Context(), c); !errors.Is(err, store.ErrMoreAlerts) {
		t.Fatalf("error %v; want ErrMoreAlerts", err)
	}
	c.Progress.SeenAlerts = 2
	if err := s.Save(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	if joined, err := s.Join(t.Context(), "i1", d.Alerts[:1], nil); joined || err != nil {
		t.Errorf("joined a closed incident: %v, error %v", joined, err)
	}
}

func TestWhoeverHasNotSeenTheLastVersionOfARecordMayNotWriteIt(t *testing.T) {
	s := fresh(t)
	c := opened(t, s, "i-1")
	_, first, err := s.Load(t.Context(), "i-1")
	if err != nil {
		t.Fatal(err)
	}
	mine, theirs := c, c
	mine.Joined, mine.Progress, theirs.Joined, theirs.Progress = nil, first, nil, first
	theirs.Incident.Reason = "the other healer's"
	if err := s.Save(t.Context(), theirs); err != nil {
		t.Fatal(err)
	}
	if err := s.Save(t.Context(), mine); !errors.Is(err, store.ErrStale) {
		t.Errorf("a record was overwritten that somebody else had written meanwhile: %v", err)
	}
	in, now, err := s.Load(t.Context(), "i-1")
	if err != nil || in.Reason != theirs.Incident.Reason || now.Revision != first.Revision+1 {
		t.Errorf("the record is %q of revision %d after %d, %v", in.Reason, now.Revision, first.Revision, err)
	}
	mine.Progress = now
	if err := s.Save(t.Context(), mine); err != nil {
		t.Errorf("whoever has read it again may write it: %v", err)
	}
}

func TestLeases(t *testing.T) {
	s := fresh(t)
	lease := func(holder string, until time.Duration) incident.Lease {
		return incident.Lease{Target: "orders", Holder: holder, ExpiresAt: t0.Add(until)}
	}
	for _, step := range []struct {
		name string
		l    incident.Lease
		now  time.Duration
		want bool
	}{
		{"a free target can be leased", lease("a", time.Minute), 0, true},
		{"its holder can renew it", lease("a", 2*time.Minute), time.Second, true},
		{"nobody else gets it", lease("b", time.Hour), time.Minute, false},
		{"it expires", lease("b", time.Hour), 2 * time.Minute, true},
	} {
		got, err := s.Acquire(t.Context(), step.l, t0.Add(step.now))
		if err != nil || got != step.want {
			t.Errorf("%s: %v, error %v", step.name, got, err)
		}
	}
	if err := s.Release(t.Context(), "orders", "a"); err != nil {
		t.Fatal(err)
	}
	left, err := s.Leases(t.Context(), t0)
	if err != nil || len(left) != 1 || left[0].Holder != "b" {
		t.Errorf("leases %+v, error %v; want b's, which a cannot release", left, err)
	}
}

// TestNothingAcknowledgedIsLost kills a process right after it said that a delivery was saved.
func TestNothingAcknowledgedIsLost(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s.db")
	if os.Getenv("STORE_TEST_WRITER") != "" {
		writeUntilKilled(t, os.Getenv("STORE_TEST_WRITER"))
		return
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestNothingAcknowledgedIsLost$")
	cmd.Env = append(os.Environ(), "STORE_TEST_WRITER="+path)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var acknowledged []string
	lines := bufio.NewScanner(out)
	for len(acknowledged) < 25 && lines.Scan() {
		if f, ok := strings.CutPrefix(lines.Text(), "saved "); ok {
			acknowledged = append(acknowledged, f)
		}
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // it was killed: its exit says so
	if len(acknowledged) < 25 {
		t.Fatalf("the writer saved only %d alerts", len(acknowledged))
	}
	waiting, err := open(t, path).Waiting(t.Context(), 100_000)
	if err != nil {
		t.Fatal(err)
	}
	kept := map[string]bool{}
	for _, a := range waiting {
		kept[a.Fingerprint] = true
	}
	for _, f := range acknowledged {
		if !kept[f] {
			t.Errorf("alert %s was acknowledged and is lost", f)
		}
	}
}

func writeUntilKilled(t *testing.T, path string) {
	s := open(t, path)
	for i := range 10000 {
		f := fmt.Sprintf("f%d", i)
		if _, err := s.SaveDelivery(context.Background(), delivery("firing", f)); err != nil {
			t.Fatal(err)
		}
		fmt.Println("saved " + f)
	}
}

func TestAStoreThatCannotBeOpenedSaysWhatToDo(t *testing.T) {
	_, err := store.Open(t.Context(), store.Config{Path: filepath.Join(t.TempDir(), "no", "such", "folder", "s.db")})
	if err == nil || !strings.Contains(err.Error(), "can the file and its folder be written?") {
		t.Errorf("error %v", err)
	}
	if _, err := store.Open(t.Context(), store.Config{}); err == nil {
		t.Error("a store without a path was opened")
	}
}

// BenchmarkAThousandAlertsInOnePayload measures what a webhook's answer waits for.
func BenchmarkAThousandAlertsInOnePayload(b *testing.B) {
	s := fresh(b)
	n := 0
	for b.Loop() {
		names := make([]string, 1000)
		for i := range names {
			n++
			names[i] = fmt.Sprintf("f%d", n)
		}
		save(b, s, delivery("firing", names...))
	}
}
