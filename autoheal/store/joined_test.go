package store_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/faultline-lab/faultline/autoheal/incident"
)

func TestAnAlertThatMovesToALaterIncidentStaysInTheFirst(t *testing.T) {
	s := fresh(t)
	d := delivery("firing", "a", "b")
	d.Truncated = 7
	save(t, s, d)
	first := opened(t, s, "i1", d.Alerts...)
	ended := t0.Add(time.Second)
	first.Incident.State, first.Incident.Stages.Ended, first.Progress.SeenAlerts = incident.Escalated, &ended, 2
	first.Joined = nil
	if err := s.Save(t.Context(), first); err != nil {
		t.Fatal(err)
	}
	still, err := s.HandedOver(t.Context(), ended.Add(time.Nanosecond), 1)
	if err != nil || len(still) != 1 || still[0].Fingerprint != "a" {
		t.Fatalf("%+v go on firing, error %v; want one of them, the first", still, err)
	}
	opened(t, s, "i2", still...)
	save(t, s, delivery("resolved", "a")) // which is the second incident's now
	for id, want := range map[string]string{"i1": "b firing, a firing", "i2": "a resolved"} {
		in, err := s.Get(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		for i, a := range in.Alerts {
			if i > 0 {
				got += ", "
			}
			got += a.Fingerprint + " " + a.Status
		}
		if got != want || in.Truncated != 7 {
			t.Errorf("%s has %s and %d more; want %s and 7", id, got, in.Truncated, want)
		}
	}
	told := []string{}
	truncated, err := s.Joined(t.Context(), "i2", func(a incident.Alert) { told = append(told, a.Fingerprint) })
	if err != nil || truncated != 7 || !slices.Equal(told, []string{"a"}) {
		t.Errorf("told of %v and %d more, error %v; want a and 7", told, truncated, err)
	}
}

func TestAlertsWaitInTheOrderInWhichTheyCameAPageAtATime(t *testing.T) {
	s := fresh(t)
	for i, late := range []time.Duration{2 * time.Second, 0, time.Second} {
		d := delivery("firing", fmt.Sprintf("f%d", i))
		d.ReceivedAt = t0.Add(late)
		d.Alerts[0].ReceivedAt = d.ReceivedAt
		save(t, s, d)
	}
	opened(t, s, "i1")
	var got []string
	for range 3 {
		page, err := s.Waiting(t.Context(), 1)
		if err != nil || len(page) != 1 {
			t.Fatalf("%d alerts wait, error %v; want a page of 1", len(page), err)
		}
		got = append(got, page[0].Fingerprint)
		if joined, err := s.Join(t.Context(), "i1", page, nil); !joined || err != nil {
			t.Fatalf("joined %v, error %v", joined, err)
		}
	}
	if want := []string{"f1", "f2", "f0"}; !slices.Equal(got, want) {
		t.Errorf("they waited in the order %v; want %v", got, want)
	}
}
