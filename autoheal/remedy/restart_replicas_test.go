package remedy

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/autoheal/workload"
)

// supervisor is a replica under a control API that can lose answers, refuse, and take its time.
type supervisor struct {
	replica  workload.Replica
	restarts int
	readyIn  time.Duration // after a restart; negative: never

	readErrs    []error // given, one a call, before reads work
	loseAnswers int     // restarts that happen although the caller sees an error
	conflict    bool
	gone        bool

	readyAt time.Time
}

func (s *supervisor) Replica(context.Context, string, string) (workload.Replica, error) {
	if len(s.readErrs) > 0 {
		err := s.readErrs[0]
		s.readErrs = s.readErrs[1:]
		return workload.Replica{}, err
	}
	if s.gone {
		return workload.Replica{}, workload.ErrNotFound
	}
	if s.replica.State == workload.Starting && s.readyIn >= 0 && !time.Now().Before(s.readyAt) {
		s.replica.State = workload.Ready
	}
	return s.replica, nil
}

func (s *supervisor) Restart(_ context.Context, _, _, startID string) error {
	if s.conflict || startID != s.replica.StartID {
		return workload.ErrConflict
	}
	s.restarts++
	s.replica.StartID, s.replica.State = "second", workload.Starting
	s.readyAt = time.Now().Add(s.readyIn)
	if s.loseAnswers > 0 {
		s.loseAnswers--
		return errors.New("connection reset")
	}
	return nil
}

func TestRestartReplicas(t *testing.T) {
	lost := errors.New("connection refused")
	for name, tc := range map[string]struct {
		change   func(*supervisor)
		resumed  bool
		result   string
		detail   string
		restarts int
	}{
		"a leaking replica is restarted and waited for": {func(*supervisor) {}, false, incident.ResultDone, "ready as start second", 1},
		"one that somebody else has started anew is left alone": {
			func(s *supervisor) { s.replica.StartID = "another" }, false,
			incident.ResultSkipped, "by somebody else", 0,
		},
		"one that an earlier life of the healer restarted is ours": {
			func(s *supervisor) { s.replica.StartID = "another" }, true,
			incident.ResultDone, "ready as start another", 0,
		},
		"an intent whose restart never happened is carried out": {func(*supervisor) {}, true, incident.ResultDone, "", 1},
		"a lost answer does not restart twice":                  {func(s *supervisor) { s.loseAnswers = 1 }, false, incident.ResultDone, "", 1},
		"a control API that hiccups is asked again":             {func(s *supervisor) { s.readErrs = []error{lost, lost} }, false, incident.ResultDone, "", 1},
		"a control API that is gone fails the action": {
			func(s *supervisor) { s.readErrs = []error{lost, lost, lost} }, false,
			incident.ResultFailed, "could not be asked for: connection refused", 0,
		},
		"a replica that is gone is skipped": {func(s *supervisor) { s.gone = true }, false, incident.ResultSkipped, "not there any more", 0},
		"one that never becomes ready fails the action": {
			func(s *supervisor) { s.readyIn = -1 }, false, incident.ResultFailed,
			"did not become ready within 5s: it is starting", 1,
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				world := &supervisor{replica: workload.Replica{ID: "orders-1", StartID: "first", State: workload.Ready}, readyIn: 300 * time.Millisecond}
				tc.change(world)
				restart, err := NewRestartReplicas(world)
				if err != nil {
					t.Fatal(err)
				}
				effect := restart.Apply(t.Context(), Application{
					Target:  incident.Target{Workload: "orders", Replica: "orders-1", StartID: "first"},
					Timeout: 5 * time.Second, Resumed: tc.resumed,
				})
				if effect.Result != tc.result || !strings.Contains(effect.Detail, tc.detail) {
					t.Errorf("effect %+v, want %s with %q", effect, tc.result, tc.detail)
				}
				if world.restarts != tc.restarts {
					t.Errorf("%d restarts, want %d", world.restarts, tc.restarts)
				}
			})
		})
	}
}
