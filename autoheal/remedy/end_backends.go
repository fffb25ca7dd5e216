package remedy

import (
	"context"

	"github.com/faultline-lab/faultline/autoheal/incident"
)

// EndBackendsName is the name of the remedy that ends a replica's own sessions.
const EndBackendsName = "end-backends"

// EndBackends ends all database sessions of the replicas that show the cause. It does harm nearly everywhere: the harm list
// says where, and guards refuse it there.
type EndBackends struct{ sessions Sessions }

// Name is end-backends.
func (*EndBackends) Name() string { return EndBackendsName }

// Traits of ending a replica's sessions: whatever it was doing is gone, and it serves nobody until it has connected again.
func (*EndBackends) Traits() Traits { return Traits{Destructive: true, EndsRequests: true} }

// Check refuses all parameters: there are none.
func (*EndBackends) Check(params Params) (string, error) { return params.none() }

// Targets are the replicas that show the cause.
func (*EndBackends) Targets(seen Sight, _ Params) ([]incident.Target, string) {
	return seen.sickReplicas()
}

// Apply ends the sessions that the replica had when the intent was recorded; those that it opens afterwards are left alone, also
// by a healer that was started anew.
func (e *EndBackends) Apply(ctx context.Context, a Application) Effect {
	application := a.Target.Workload + "/" + a.Target.Name
	var had []incident.Session
	err := bounded(ctx, func(ctx context.Context) (err error) {
		had, err = e.sessions.Of(ctx, application, a.IntendedAt)
		return err
	})
	switch {
	case err != nil:
		return failed("the sessions of %s are not known: %v", application, err)
	case len(had) == 0 && a.Resumed:
		return done("%s has no session left of those that it had", application)
	case len(had) == 0:
		return skipped("%s has no session that began before the intent", application)
	}
	a.Target.Name = application
	return signalling{a, e.sessions, EndSession}.apply(ctx, had)
}
