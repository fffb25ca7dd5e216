package store_test

import (
	"errors"
	"testing"
	"time"

	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/autoheal/store"
)

func TestOnlyTheOpenQuestionIsAnsweredAndOnlyOnce(t *testing.T) {
	s := fresh(t)
	c := opened(t, s, "i1")
	asked, expires := t0.Add(time.Second), t0.Add(time.Minute)
	answer := store.Answer{IncidentID: "i1", AskedAt: asked, Answer: incident.Approved, By: "ann", Comment: "go on", At: asked.Add(time.Second)}
	if err := s.SaveAnswer(t.Context(), answer); !errors.Is(err, store.ErrAnswered) {
		t.Errorf("answered before anything was asked: %v", err)
	}
	c.Incident.State = incident.Awaiting
	c.Incident.Approval = &incident.Approval{AskedAt: asked, Expires: expires}
	if err := s.Save(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	if _, there, err := s.Answer(t.Context(), "i1", asked); there || err != nil {
		t.Errorf("there is an answer that nobody gave: %v, error %v", there, err)
	}
	for _, step := range []struct {
		name   string
		change func(*store.Answer)
		want   error
	}{
		{"an unknown incident has no question", func(a *store.Answer) { a.IncidentID = "i2" }, store.ErrNotFound},
		{"an earlier question is not open any more", func(a *store.Answer) { a.AskedAt = t0 }, store.ErrAnswered},
		{"an answer at the moment it expires is too late", func(a *store.Answer) { a.At = expires }, store.ErrAnswered},
		{"the open question is answered", func(*store.Answer) {}, nil},
		{"a second answer does not count", func(a *store.Answer) { a.Answer, a.By = incident.Denied, "bob" }, store.ErrAnswered},
	} {
		a := answer
		step.change(&a)
		if err := s.SaveAnswer(t.Context(), a); !errors.Is(err, step.want) {
			t.Errorf("%s: error %v; want %v", step.name, err, step.want)
		}
	}
	got, there, err := s.Answer(t.Context(), "i1", asked)
	if err != nil || !there || got != answer {
		t.Errorf("the answer is %+v (%v), error %v; want %+v", got, there, err, answer)
	}
	audit, err := s.Audit(t.Context(), "i1")
	if err != nil {
		t.Fatal(err)
	}
	if last := audit[len(audit)-1]; last.Kind != "approval" || last.Text != "approved by ann: go on" {
		t.Errorf("the audit ends with %+v; want the one answer that counts", last)
	}
}

func TestAPauseLastsUntilItIsTakenBack(t *testing.T) {
	s := fresh(t)
	paused := func(name string, want *store.Pause) {
		t.Helper()
		got, err := s.Paused(t.Context())
		if err != nil || (got == nil) != (want == nil) || got != nil && *got != *want {
			t.Errorf("%s: %+v, error %v; want %+v", name, got, err, want)
		}
	}
	set := func(p *store.Pause) {
		t.Helper()
		if err := s.SetPause(t.Context(), p, "ann", t0); err != nil {
			t.Fatal(err)
		}
	}
	paused("at first", nil)
	first, second := &store.Pause{By: "ann", Reason: "a migration", At: t0}, &store.Pause{By: "bob", Reason: "another", At: t0.Add(time.Hour)}
	set(first)
	paused("once", first)
	set(second)
	paused("again, by somebody else", second)
	set(nil)
	paused("taken back", nil)
}
