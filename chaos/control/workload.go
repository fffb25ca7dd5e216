package control

import (
	"context"
	"fmt"
	"time"

	"go.opentelemetry.io/otel/trace"
)

// Workload is a service with its replicas.
type Workload struct {
	Name     string            `json:"name"`
	Labels   map[string]string `json:"labels"`
	Desired  int               `json:"desired"`
	Max      int               `json:"max"`
	Version  string            `json:"version"`
	Versions []string          `json:"versions"`
	Replicas []Replica         `json:"replicas"`
}

// The states of a replica (docs/contracts.md).
const (
	Starting = "starting"
	Ready    = "ready" // it serves
	Stopping = "stopping"
	Crashed  = "crashed" // it waits for its next start
	Stopped  = "stopped"
)

// Replica is one process of a workload. StartID is new at every start.
type Replica struct {
	ID        string     `json:"id"`
	StartID   string     `json:"start_id"`
	State     string     `json:"state"`
	Version   string     `json:"version"`
	Address   string     `json:"address"` // host:port
	PID       int        `json:"pid"`
	StartedAt time.Time  `json:"started_at"`
	ReadyAt   *time.Time `json:"ready_at"`
	Restarts  int        `json:"restarts"`
}

// Replica finds a replica by its id.
func (w Workload) Replica(id string) (Replica, bool) {
	for _, replica := range w.Replicas {
		if replica.ID == id {
			return replica, true
		}
	}
	return Replica{}, false
}

// Whole says why the workload is not whole again after a restart of one start of a replica: that start must be gone, and as
// many replicas ready as are wanted. Nil means that it is. On Kubernetes the replacement has another name.
func (w Workload) Whole(id, startID string) error {
	ready := 0
	for _, replica := range w.Replicas {
		if replica.ID == id && replica.StartID == startID {
			return fmt.Errorf("%s is still the same start, and it is %s", id, replica.State)
		}
		if replica.State == Ready {
			ready++
		}
	}
	if ready < w.Desired {
		return fmt.Errorf("%d of %d replicas of %s are ready", ready, w.Desired, w.Name)
	}
	return nil
}

// Reader reads a workload as it is now.
type Reader interface {
	Workload(ctx context.Context, name string) (Workload, error)
}

// WaitReplaced asks at each interval until the workload is whole again without that start of the replica. When the context
// ends, the error says how it stood.
func WaitReplaced(ctx context.Context, from Reader, workload, replica, startID string, every time.Duration) error {
	var last error
	// Twenty looks a second would bury what the trace is about. The trace's id stays, for whatever the other side logs.
	quiet := trace.ContextWithSpanContext(ctx, trace.SpanContextFromContext(ctx).WithTraceFlags(0))
	for {
		found, err := from.Workload(quiet, workload)
		if err == nil {
			err = found.Whole(replica, startID)
		}
		if err == nil {
			return nil
		}
		if last == nil || ctx.Err() == nil { // an answer that the end of the context cut off says nothing
			last = err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting for %s to be replaced: %w (%w)", replica, ctx.Err(), last)
		case <-time.After(every):
		}
	}
}
