package senses

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"syscall"
	"testing"
	"time"

	"github.com/faultline-lab/faultline/e2e/internal/looptest"
)

// outage is one pillar that hangs, dies and comes back.
type outage struct {
	process string
	url     string // where it answers when it is well
	// visible begins to look for a sign of the outage, and returns what says with nil that the sign is there.
	visible func(*testing.T) func() error
	// flows says with nil that something has come since.
	flows func(*testing.T, time.Time) error
}

// checkOutages freezes and kills the pillars one after the other, under load. A frozen process is the worst case: it accepts
// connections and never answers.
func (s *live) checkOutages(t *testing.T) {
	at := s.stack.Endpoints
	for _, o := range []outage{
		{"loki", at.Loki + "/ready", s.losing("logs"), s.logsSince},
		{"jaeger", at.Jaeger + "/api/v3/services", s.losing("traces"), s.tracesSince},
		{"prometheus", at.Prometheus + "/-/ready", s.countingOn, s.samplesSince},
	} {
		t.Run("a "+o.process+" that hangs and is killed costs the client nothing, and gives the healer nothing to do",
			func(t *testing.T) { s.checkOutage(t, o) })
	}
}

// attempts is how often an outage is tried. A busy machine makes orders slow as well, with an outage and without; but what an
// outage costs, it costs every time.
const attempts = 5

func (s *live) checkOutage(t *testing.T, o outage) {
	for attempt := 1; ; attempt++ {
		cost := s.suffer(t, o)
		if cost == nil {
			return
		}
		t.Logf("attempt %d: %v", attempt, cost)
		if attempt == attempts {
			t.Fatalf("telemetry must cost no customer anything, and an outage of %s has each of %d times: is something waiting for it?",
				o.process, attempts)
		}
	}
}

// suffer is one outage, and says what it cost.
func (s *live) suffer(t *testing.T, o outage) error {
	t.Helper()
	before, healer := s.steady(t), s.healerState(t)
	visible := o.visible(t)
	frozen := s.process(t, o.process)

	began := time.Now()
	if err := syscall.Kill(frozen.PID, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	// Should the test end here: what is frozen would not end with the stack in order.
	t.Cleanup(func() { _ = syscall.Kill(frozen.PID, syscall.SIGCONT) })
	looptest.Eventually(t, o.process+" to hang", func() error { return hangs(t, o.url) })
	looptest.Eventually(t, "the outage of "+o.process+" to be visible", visible)
	s.seconds(t, began, began.Add(calm)) // the client goes on meanwhile
	if err := syscall.Kill(frozen.PID, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	looptest.Eventually(t, "the supervisor to have started "+o.process+" anew", func() error {
		if again := s.process(t, o.process); again.PID == frozen.PID || again.State != "ready" {
			return fmt.Errorf("pid %d is %s", again.PID, again.State)
		}
		return nil
	})
	back := time.Now()
	looptest.Eventually(t, "telemetry to flow into "+o.process+" again", func() error { return o.flows(t, back) })

	during, after := s.seconds(t, began, back), s.seconds(t, back, back.Add(calm))
	t.Logf("before: %s; without %s: %s; after: %s", before, o.process, during, after)
	if during.ratio() != before.ratio() || after.ratio() != before.ratio() {
		return fmt.Errorf("the client fared worse: before: %s; without %s: %s; after: %s", before, o.process, during, after)
	}
	if now := s.healerState(t); now != healer {
		return fmt.Errorf("the healer did something:\nbefore: %s\nafter:  %s", healer, now)
	}
	return nil
}

// hangs says with nil that connections are accepted and nobody answers.
func hangs(t *testing.T, url string) error {
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	response, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(request)
	if err == nil {
		response.Body.Close()
		return errors.New("it answers " + response.Status)
	}
	var timeout net.Error
	if !errors.As(err, &timeout) || !timeout.Timeout() {
		return err
	}
	return nil
}
