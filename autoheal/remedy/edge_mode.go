package remedy

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/faultline-lab/faultline/autoheal/edge"
	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/autoheal/workload"
)

// DefaultEdge is the edge's workload where nobody says another.
const DefaultEdge = "storefront"

// door is the edge's control, and whose it is.
type door struct {
	edge     Edge
	workload string
}

func (d door) name() string { return cmp.Or(d.workload, DefaultEdge) }

// EdgeMode puts the edge into a mode for as long as the fault lasts. The edge itself goes back to normal when nobody renews it.
type EdgeMode struct {
	door
	remedy, mode string
	traits       Traits
	// check is nil where the mode takes no parameters.
	check func(Params) (string, error)
}

// Name is the remedy's own.
func (m *EdgeMode) Name() string { return m.remedy }

// Traits are the mode's own.
func (m *EdgeMode) Traits() Traits { return m.traits }

// Check knows what the mode needs.
func (m *EdgeMode) Check(params Params) (string, error) {
	if m.check != nil {
		return m.check(params)
	}
	return params.none()
}

// Targets is the edge while it is in normal. A mode that somebody else has asked for is his.
func (m *EdgeMode) Targets(seen Sight, _ Params) ([]incident.Target, string) {
	switch now := seen.Edge; {
	case now == nil:
		return nil, "the edge does not say in which mode it is"
	case now.Mode == "":
		return nil, "the replicas of the edge are in different modes"
	case now.Mode != edge.Normal:
		return nil, fmt.Sprintf("the edge is in %s already, as %s asked", now.Mode, cmp.Or(now.ModeBy, "nobody knows who"))
	}
	return []incident.Target{{
		Kind: incident.EdgeTarget, Workload: m.name(), Name: m.name(), Is: edge.Normal, To: m.mode,
		State: fmt.Sprintf("mode %s, %d orders wait in its queue", seen.Edge.Mode, seen.Edge.Queue.Waiting),
	}}, ""
}

// Apply sets the mode on every ready replica of the edge.
func (m *EdgeMode) Apply(ctx context.Context, a Application) Effect {
	ctx, cancel := context.WithTimeout(ctx, a.Timeout)
	defer cancel()
	var until *time.Time
	refused := asking{
		Application: a, there: m.isIn(a.Target.To),
		request: func(ctx context.Context) error {
			if err := m.free(ctx, a); err != nil {
				return err
			}
			now, err := m.set(ctx, a)
			until = now.ModeUntil
			return err
		},
	}.result(ctx, fmt.Sprintf("the mode %s of %s", a.Target.To, a.Target.Name))
	if refused != nil {
		return *refused
	}
	return done("%s is in mode %s instead of %s", a.Target.Name, a.Target.To, a.Target.Is).until(until)
}

// free says whether the mode is this incident's to set: the edge is as it was judged, or an earlier request of ours got
// through, to some replicas at least.
func (m *EdgeMode) free(ctx context.Context, a Application) error {
	now, err := m.edge.State(ctx)
	switch {
	case err != nil:
		return err
	case now.Mode == a.Target.Is, now.Mode == "", now.Mode == a.Target.To && now.ModeBy == a.by():
		return nil
	}
	return fmt.Errorf("%s is in mode %s, as %s asked: %w", a.Target.Name, now.Mode, cmp.Or(now.ModeBy, "nobody knows who"), workload.ErrConflict)
}

func (m *EdgeMode) set(ctx context.Context, a Application) (edge.State, error) {
	return m.edge.SetMode(ctx, edge.ModeChange{
		Mode: a.Target.To, If: a.Target.Is, By: a.by(), Key: a.Key, For: a.ttl(), Admit: a.Params.admit(),
	})
}

func (m *EdgeMode) isIn(mode string) func(context.Context) (bool, error) {
	return func(ctx context.Context) (bool, error) {
		now, err := m.edge.State(ctx)
		return err == nil && now.Mode == mode, err
	}
}

// Undo puts the edge back, unless it is in a mode of somebody else's.
func (m *EdgeMode) Undo(ctx context.Context, a Application) Effect {
	ctx, cancel := context.WithTimeout(ctx, a.Timeout)
	defer cancel()
	refused := asking{
		Application: a, there: m.isIn(a.Target.Is),
		request: func(ctx context.Context) error {
			if err := m.free(ctx, a); err != nil {
				return err
			}
			_, err := m.edge.SetMode(ctx, edge.ModeChange{Mode: a.Target.Is, If: a.Target.To, By: a.by(), Key: a.Key})
			return err
		},
	}.result(ctx, fmt.Sprintf("taking the mode %s of %s back", a.Target.To, a.Target.Name))
	if refused != nil {
		return *refused
	}
	return done("%s is in mode %s again", a.Target.Name, a.Target.Is)
}

// Renew begins the time to live anew, also on replicas that have come since. An edge that is back in normal everywhere stays
// so: somebody has taken the mode back, or its time has run out, and whether it is needed is judged anew.
func (m *EdgeMode) Renew(ctx context.Context, a Application) (time.Time, error) {
	ctx, cancel := context.WithTimeout(ctx, a.Timeout)
	defer cancel()
	if err := m.free(ctx, a); err != nil {
		return time.Time{}, err
	}
	back, err := m.isIn(a.Target.Is)(ctx)
	if err == nil && back {
		err = fmt.Errorf("%s is in mode %s again: its time has run out, it was started anew, or somebody has taken it back: %w",
			a.Target.Name, a.Target.Is, workload.ErrConflict)
	}
	if err != nil {
		return time.Time{}, err
	}
	now, err := m.set(ctx, a)
	if err != nil || now.ModeUntil == nil {
		return time.Time{}, err
	}
	return *now.ModeUntil, nil
}
