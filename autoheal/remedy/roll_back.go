package remedy

import (
	"context"
	"fmt"
	"slices"

	"github.com/faultline-lab/faultline/autoheal/incident"
)

// RollBackName is the name of the remedy that takes a release back.
const RollBackName = "roll-back"

// RollBack puts the workload at the root back to the version before its present one. It is the cure of a bad release, so it is
// taken back, forward again, only when it did not help.
type RollBack struct{ releases Releases }

// Name is roll-back.
func (*RollBack) Name() string { return RollBackName }

// Traits of a roll-back: requests that are under way end with the processes, which whoever runs them replaces one at a time.
func (*RollBack) Traits() Traits { return Traits{Destructive: true, EndsRequests: true} }

// Check refuses all parameters: there are none.
func (*RollBack) Check(params Params) (string, error) { return params.none() }

// Targets is the workload at the root, where it had a version before.
func (*RollBack) Targets(seen Sight, _ Params) ([]incident.Target, string) {
	name := seen.Diagnosis.Workload
	if name == "" {
		return nil, rootless
	}
	w, there := seen.Workload(name)
	if !there {
		return nil, name + " is not in the workload list"
	}
	at := slices.Index(w.Versions, w.Version)
	if at < 1 {
		return nil, fmt.Sprintf("nobody knows a version of %s before %s", name, w.Version)
	}
	return []incident.Target{{
		Kind: incident.WorkloadTarget, Workload: name, Name: name, Is: w.Version, To: w.Versions[at-1],
		State: fmt.Sprintf("version %s, %d of %d replicas are ready", w.Version, w.Ready(), w.Desired),
	}}, ""
}

// Apply rolls back, and waits until all replicas are of the earlier version and ready.
func (r *RollBack) Apply(ctx context.Context, a Application) Effect {
	return r.change(ctx, a, a.Target.Is, a.Target.To)
}

// Undo rolls forward again.
func (r *RollBack) Undo(ctx context.Context, a Application) Effect {
	return r.change(ctx, a, a.Target.To, a.Target.Is)
}

func (r *RollBack) change(ctx context.Context, a Application, from, to string) Effect {
	ctx, cancel := context.WithTimeout(ctx, a.Timeout)
	defer cancel()
	name := a.Target.Name
	refused := asking{
		Application: a,
		there: func(ctx context.Context) (bool, error) {
			seen, err := r.releases.Workload(ctx, name)
			return err == nil && seen.Version == to, err
		},
		request: func(ctx context.Context) error { return r.releases.RollBack(ctx, name, from, to) },
	}.result(ctx, fmt.Sprintf("changing %s from version %s to %s", name, from, to))
	if refused != nil {
		return *refused
	}
	if err := await(ctx, func(ctx context.Context) error { return r.unfinished(ctx, name, to) }); err != nil {
		return failed("%s goes from version %s to %s, but is not complete within %s: %v", name, from, to, a.Timeout, err)
	}
	return done("%s is at version %s instead of %s, all replicas ready", name, to, from)
}

// unfinished says what is missing until the workload is of a version.
func (r *RollBack) unfinished(ctx context.Context, name, version string) error {
	seen, err := r.releases.Workload(ctx, name)
	if err != nil {
		return err
	}
	if seen.Version != version {
		return fmt.Errorf("somebody else has set version %s", seen.Version)
	}
	for _, replica := range seen.Replicas {
		if replica.Version != version {
			return fmt.Errorf("%s is of version %s", replica.ID, replica.Version)
		}
	}
	if seen.Ready() < seen.Desired {
		return fmt.Errorf("%d of %d replicas are ready", seen.Ready(), seen.Desired)
	}
	return nil
}
