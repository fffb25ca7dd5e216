package remedy

import (
	"context"
	"time"

	"github.com/faultline-lab/faultline/autoheal/edge"
	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/autoheal/workload"
)

// What remedies need of whoever runs the workloads, the database and the edge. Errors are those of package workload; whatever
// happens to the answer, a change has at most one effect, because each names what it was judged on.

// Watcher reads the live state.
type Watcher interface {
	// Workload reads one workload's live state. It returns workload.ErrNotFound when there is none.
	Workload(ctx context.Context, name string) (workload.Workload, error)
}

// Replicas is the control over replicas that a restart needs.
type Replicas interface {
	Watcher
	// Restart ends the replica in order, and has it started anew or replaced. It returns once that is asked for.
	// workload.ErrConflict: its start id is another one by now.
	Restart(ctx context.Context, name, id, startID string) error
}

// Scaler sets how many replicas a workload shall have.
type Scaler interface {
	Watcher
	// Scale asks for another number. It is no error when that is the number already. workload.ErrConflict: it is neither
	// from nor to by now. It takes back what was scaled for a time with this key.
	Scale(ctx context.Context, name string, from, to int, key string) error
	// ScaleFor is Scale with a time to live, after which it shall be from again; asked again, the time begins anew. It returns
	// when whoever runs the workload goes back by himself, and nil where he does not. workload.ErrConflict also where what has
	// this key was taken back already: the request was long on its way.
	ScaleFor(ctx context.Context, name string, from, to int, lasts time.Duration, key string) (until *time.Time, err error)
}

// Releases puts a workload back to a version that it had.
type Releases interface {
	Watcher
	// RollBack asks for a version. It is no error when that is the version already. workload.ErrConflict: it is neither
	// from nor to by now; workload.ErrNotFound: there is no such version, and the error says which there are.
	RollBack(ctx context.Context, name, from, to string) error
}

// Edge sets how the edge treats checkouts, and between which replicas it spreads them.
type Edge interface {
	State(ctx context.Context) (*edge.State, error)
	SetMode(ctx context.Context, change edge.ModeChange) (edge.State, error)
	SetWeights(ctx context.Context, change edge.WeightsChange) (edge.State, error)
}

// Signal is what can be done to a session of the database server.
type Signal string

// The two signals.
const (
	EndSession  Signal = "end"    // the session ends; a session is its pid and backend start
	CancelQuery Signal = "cancel" // the statement ends; it is the session with the start of the statement
)

// Sessions are the sessions of the database server.
type Sessions interface {
	// Signal sends the signal to those of the sessions that are still what was judged, all at once, and returns them. Those of
	// another application, and the healer's own, are left alone.
	Signal(ctx context.Context, signal Signal, application string, sessions []incident.Session) ([]incident.Session, error)
	// Left returns those of the sessions whom the signal has not ended yet.
	Left(ctx context.Context, signal Signal, application string, sessions []incident.Session) ([]incident.Session, error)
	// Of returns the sessions of an application that began before.
	Of(ctx context.Context, application string, before time.Time) ([]incident.Session, error)
}
