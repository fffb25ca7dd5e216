package remedy

import (
	"context"

	"github.com/faultline-lab/faultline/autoheal/workload"
)

// What remedies need of whoever runs the workloads. Errors are those of package workload; whatever happens to the
// answer, a change has at most one effect, because each names what it was judged on.

// Replicas is the control over replicas that a restart needs.
type Replicas interface {
	// Workload reads one workload's live state. It returns workload.ErrNotFound when there is none.
	Workload(ctx context.Context, name string) (workload.Workload, error)
	// Restart ends the replica in order, and has it started anew or replaced. It returns once that is asked for.
	// workload.ErrConflict: its start id is another one by now.
	Restart(ctx context.Context, name, id, startID string) error
}

// Scaler sets how many replicas a workload shall have.
type Scaler interface {
	// Scale asks for another number. It is no error when that is the number already. workload.ErrConflict: it is neither
	// from nor to by now.
	Scale(ctx context.Context, name string, from, to int) error
}

// Releases puts a workload back to a version that it had.
type Releases interface {
	// RollBack asks for a version. It is no error when that is the version already. workload.ErrConflict: it is neither
	// from nor to by now; workload.ErrNotFound: there is no such version, and the error says which there are.
	RollBack(ctx context.Context, name, from, to string) error
}
