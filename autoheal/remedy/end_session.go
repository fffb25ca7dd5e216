package remedy

import (
	"context"
	"errors"
	"fmt"

	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/autoheal/workload"
)

// EndSessionName is the name of the remedy that ends database sessions.
const EndSessionName = "end-session"

// EndSessions ends the sessions that the cause consists of: who blocks others, or who took the server's slots.
type EndSessions struct{ sessions Sessions }

// Name is end-session.
func (*EndSessions) Name() string { return EndSessionName }

// Traits of ending sessions: their transactions are gone.
func (*EndSessions) Traits() Traits { return Traits{Destructive: true} }

// Check refuses all parameters: there are none.
func (*EndSessions) Check(params Params) (string, error) { return params.none() }

// Targets are the sessions of the diagnosis, by application.
func (*EndSessions) Targets(seen Sight, _ Params) ([]incident.Target, string) { return seen.sessions() }

// Apply ends those that are still the ones that were judged, and waits until they are gone.
func (e *EndSessions) Apply(ctx context.Context, a Application) Effect {
	return signalling{a, e.sessions, EndSession}.apply(ctx, a.Target.Sessions)
}

// signalling is one signal to some sessions.
type signalling struct {
	Application
	sessions Sessions
	signal   Signal
}

// apply signals all of them at once, and waits until it has done its work. Asked again, it reaches those only who are still
// what was judged, so there is one effect.
func (s signalling) apply(ctx context.Context, judged []incident.Session) Effect {
	ctx, cancel := context.WithTimeout(ctx, s.Timeout)
	defer cancel()
	application := s.Target.Name
	if len(judged) == 0 {
		return skipped("the target names no session of %s", application)
	}
	var reached []incident.Session
	maybe, err := asking{
		Application: s.Application,
		there: func(ctx context.Context) (bool, error) {
			left, err := s.sessions.Left(ctx, s.signal, application, judged)
			return err == nil && len(left) == 0, err
		},
		request: func(ctx context.Context) (err error) {
			reached, err = s.sessions.Signal(ctx, s.signal, application, judged)
			return err
		},
	}.ask(ctx)
	refused, isRefusal := errors.AsType[refusal](err)
	switch {
	case isRefusal && !maybe:
		return skipped("%s", string(refused))
	case errors.Is(err, workload.ErrConflict):
		return skipped("%v", err)
	case err != nil:
		return failed("%s of %s could not be %s: %v", sessionsCount(len(judged)), application, s.past(), err)
	case len(reached) == 0 && !maybe && !s.Resumed:
		return skipped("none of %s of %s is still what was judged: nothing was %s", sessionsCount(len(judged)), application, s.past())
	}
	if err := await(ctx, func(ctx context.Context) error { return s.unfinished(ctx, judged) }); err != nil {
		return failed("%s of %s were asked to end, but not all have within %s: %v", sessionsCount(len(reached)), application, s.Timeout, err)
	}
	if len(reached) == 0 {
		return done("%s of %s: all are %s, by an earlier request of the healer or by themselves", sessionsCount(len(judged)), application, s.past())
	}
	return done("%s of %s %s (%s)", sessionsCount(len(reached)), application, s.past(), identities(reached))
}

func (s signalling) unfinished(ctx context.Context, judged []incident.Session) error {
	left, err := s.sessions.Left(ctx, s.signal, s.Target.Name, judged)
	if err == nil && len(left) > 0 {
		err = fmt.Errorf("still there: %s", identities(left))
	}
	return err
}

func (s signalling) past() string {
	if s.signal == CancelQuery {
		return "cancelled"
	}
	return "ended"
}
