package remedy

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/autoheal/workload"
)

// supervisor is a workload of two replicas, of which one is acted on, under a control that can lose answers, refuse, and
// take its time.
type supervisor struct {
	replica  workload.Replica
	restarts int
	readyIn  time.Duration // after a restart; negative: never

	readErrs    []error // given, one a call, before reads work
	refusals    []error // given, one a call, before a restart is taken
	loseAnswers int     // restarts that happen although the caller sees an error
	gone        bool
	renames     bool // what is restarted ends within a second, and another one takes its place

	readyAt     time.Time
	endsAt      time.Time
	replacement *workload.Replica
}

func (s *supervisor) Workload(context.Context, string) (workload.Workload, error) {
	w := workload.Workload{Name: "orders", Desired: 2, Replicas: []workload.Replica{{ID: "orders-2", StartID: "other", State: workload.Ready}}}
	if len(s.readErrs) > 0 {
		err := s.readErrs[0]
		s.readErrs = s.readErrs[1:]
		return workload.Workload{}, err
	}
	starting := &s.replica
	if s.replacement != nil {
		starting = s.replacement
	}
	if starting.State == workload.Starting && s.readyIn >= 0 && !time.Now().Before(s.readyAt) {
		starting.State = workload.Ready
	}
	if !s.gone && (s.endsAt.IsZero() || time.Now().Before(s.endsAt)) {
		w.Replicas = append(w.Replicas, s.replica)
	}
	if s.replacement != nil {
		w.Replicas = append(w.Replicas, *s.replacement)
	}
	return w, nil
}

func (s *supervisor) Restart(_ context.Context, _, _, startID string) error {
	if startID != s.replica.StartID {
		return workload.ErrConflict
	}
	if len(s.refusals) > 0 {
		err := s.refusals[0]
		s.refusals = s.refusals[1:]
		return err
	}
	s.restarts++
	s.begin("second")
	if s.loseAnswers > 0 {
		s.loseAnswers--
		return errors.New("connection reset")
	}
	return nil
}

// begin begins a restart.
func (s *supervisor) begin(next string) {
	s.readyAt = time.Now().Add(s.readyIn)
	if !s.renames {
		s.replica.StartID, s.replica.State = next, workload.Starting
		return
	}
	s.replica.State, s.endsAt = workload.Stopping, time.Now().Add(time.Second)
	s.replacement = &workload.Replica{ID: "orders-" + next, StartID: next, State: workload.Starting, StartedAt: time.Now()}
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
		"a disruption budget that does not allow it now is asked again, for as long as there is time": {
			func(s *supervisor) { s.refusals = slices.Repeat([]error{workload.ErrNotNow}, 3) }, false, incident.ResultDone, "", 1,
		},
		"a disruption budget that never allows it fails the action": {
			func(s *supervisor) { s.refusals = slices.Repeat([]error{workload.ErrNotNow}, 1000) }, false,
			incident.ResultFailed, "could not be asked for: it is not allowed at this moment", 0,
		},
		"a conflict that is not about the start is asked again": {
			func(s *supervisor) { s.refusals = []error{workload.ErrConflict} }, false, incident.ResultDone, "ready as start second", 1,
		},
		"a conflict that does not end fails the action": {
			func(s *supervisor) { s.refusals = slices.Repeat([]error{workload.ErrConflict}, 1000) }, false,
			incident.ResultFailed, "could not be asked for: it has been changed since", 0,
		},
		"a refusal is not argued with": {
			func(s *supervisor) { s.refusals = []error{workload.ErrRefused} }, false,
			incident.ResultFailed, "could not be asked for: it is not allowed", 0,
		},
		"a replica that is gone is skipped": {func(s *supervisor) { s.gone = true }, false, incident.ResultSkipped, "not there any more", 0},
		"one that never becomes ready fails the action": {
			func(s *supervisor) { s.readyIn = -1 }, false, incident.ResultFailed,
			"did not become ready within 5s: it is starting", 1,
		},
		"one that another takes the place of is done when it has ended and the other is ready": {
			func(s *supervisor) { s.renames = true }, false,
			incident.ResultDone, "orders-1 has ended, and orders-second is ready in its place", 1,
		},
		"one whose place nobody is ready to take fails the action": {
			func(s *supervisor) { s.renames, s.readyIn = true, -1 }, false,
			incident.ResultFailed, "it is gone, and 1 of 2 replicas are ready", 1,
		},
		"one that somebody else is ending is waited for and not touched": {
			func(s *supervisor) { s.renames = true; s.begin("theirs") }, false,
			incident.ResultSkipped, "ended by somebody else, and orders-theirs is ready", 0,
		},
		"one that an earlier life of the healer ended is done when the workload is whole": {
			func(s *supervisor) { s.renames, s.gone = true, true; s.begin("ours") }, true,
			incident.ResultDone, "orders-ours is ready in its place", 0,
		},
		"one whose successor's start is told in whole seconds only, and so before the intent, is done": {
			func(s *supervisor) {
				time.Sleep(900 * time.Millisecond) // the intent lies late in its second
				s.gone = true
				s.replacement = &workload.Replica{ID: "orders-3", State: workload.Ready, StartedAt: time.Now().Truncate(time.Second)}
			}, true, incident.ResultDone, "orders-3 is ready in its place", 0,
		},
		"a lost answer does not end the replacement": {
			func(s *supervisor) { s.renames, s.loseAnswers = true, 1 }, false,
			incident.ResultDone, "orders-second is ready in its place", 1,
		},
		"one that is gone without a successor after a crash was not necessarily ours": {
			func(s *supervisor) {
				s.gone = true
				s.replacement = &workload.Replica{ID: "orders-3", State: workload.Ready, StartedAt: time.Now().Add(-time.Hour)}
			}, true, incident.ResultSkipped, "nothing took its place", 0,
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
					Target:     incident.Target{Kind: incident.ReplicaTarget, Workload: "orders", Name: "orders-1", Is: "first"},
					IntendedAt: time.Now(), Timeout: 5 * time.Second, Resumed: tc.resumed,
				})
				if effect.Result != tc.result || !strings.Contains(effect.Detail, tc.detail) {
					t.Errorf("effect %+v, want %s with %q", effect, tc.result, tc.detail)
				}
				if world.replacement != nil && effect.Result == incident.ResultDone && !slices.Equal(effect.ReplacedBy, []string{world.replacement.ID}) {
					t.Errorf("replaced by %v, want %s", effect.ReplacedBy, world.replacement.ID)
				}
				if world.restarts != tc.restarts {
					t.Errorf("%d restarts, want %d", world.restarts, tc.restarts)
				}
			})
		})
	}
}

func TestRestartReplicasIsJudgedAnewBeforeEveryFurtherRequest(t *testing.T) {
	lost := errors.New("connection reset")
	for name, tc := range map[string]struct {
		change   func(*supervisor)
		recheck  error
		result   string
		detail   string
		restarts int
	}{
		"a request that is taken at once needs no second judgement": {func(*supervisor) {}, nil, incident.ResultDone, "second", 1},
		"what a budget put off is not asked for again once the healer must not": {
			func(s *supervisor) { s.refusals = []error{workload.ErrNotNow} }, nil, incident.ResultSkipped, "the switch is on", 0,
		},
		"a judgement that cannot be had is no yes": {
			func(s *supervisor) { s.refusals = []error{workload.ErrNotNow} }, lost, incident.ResultFailed, "connection reset", 0,
		},
		"a lost answer may have been a yes: nobody calls it skipped": {
			func(s *supervisor) { s.refusals = []error{lost} }, nil, incident.ResultFailed, "may have been asked for", 0,
		},
		"a restart that happened although its answer got lost is ours": {
			func(s *supervisor) { s.loseAnswers = 1 }, nil, incident.ResultDone, "ready as start second", 1,
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
					Target:     incident.Target{Kind: incident.ReplicaTarget, Workload: "orders", Name: "orders-1", Is: "first"},
					IntendedAt: time.Now(), Timeout: 5 * time.Second,
					Recheck: func(context.Context) (string, error) { return "the switch is on", tc.recheck },
				})
				if effect.Result != tc.result || !strings.Contains(effect.Detail, tc.detail) || world.restarts != tc.restarts {
					t.Errorf("effect %+v after %d restarts, want %s with %q after %d", effect, world.restarts, tc.result, tc.detail, tc.restarts)
				}
			})
		})
	}
}
