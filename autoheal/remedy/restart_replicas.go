package remedy

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/autoheal/workload"
)

// Replicas is the control over replicas that a restart needs.
type Replicas interface {
	// Replica reads one replica's live state. It returns workload.ErrNotFound when there is none.
	Replica(ctx context.Context, workload, id string) (workload.Replica, error)
	// Restart restarts the replica if its start id is still this one, else it returns workload.ErrConflict.
	Restart(ctx context.Context, workload, id, startID string) error
}

// RestartReplicasName is the remedy's name in playbooks and records.
const RestartReplicasName = "restart-replicas"

const (
	pollReplica   = 25 * time.Millisecond
	askTimeout    = 2 * time.Second
	pauseAfterErr = 200 * time.Millisecond
	attempts      = 3
)

// RestartReplicas restarts one replica in order and waits until it is ready again.
type RestartReplicas struct{ replicas Replicas }

// NewRestartReplicas makes the remedy.
func NewRestartReplicas(replicas Replicas) (*RestartReplicas, error) {
	if replicas == nil {
		return nil, errors.New("remedy restart-replicas: no control over replicas was given")
	}
	return &RestartReplicas{replicas}, nil
}

// Name is restart-replicas.
func (*RestartReplicas) Name() string { return RestartReplicasName }

// Apply restarts the target unless its start id has changed since it was judged, and waits until it is ready.
func (r *RestartReplicas) Apply(ctx context.Context, a Application) Effect {
	ctx, cancel := context.WithTimeout(ctx, a.Timeout)
	defer cancel()
	ours, err := r.request(ctx, a)
	if errors.Is(err, workload.ErrNotFound) {
		return Effect{incident.ResultSkipped, a.Target.Replica + " is not there any more"}
	}
	if err != nil {
		return Effect{incident.ResultFailed, fmt.Sprintf("the restart of %s could not be asked for: %v", a.Target.Replica, err)}
	}
	ready, err := r.awaitReady(ctx, a.Target)
	if err != nil {
		return Effect{incident.ResultFailed, fmt.Sprintf("%s did not become ready within %s: %v", a.Target.Replica, a.Timeout, err)}
	}
	if !ours {
		return Effect{incident.ResultSkipped, fmt.Sprintf("%s has been started anew by somebody else (%s)", a.Target.Replica, ready.StartID)}
	}
	return Effect{incident.ResultDone, fmt.Sprintf("%s is ready as start %s", a.Target.Replica, ready.StartID)}
}

// request asks for the restart until it is known to be under way. It says whether that may be our doing. An answer that
// got lost may have been a yes; the start id tells when the replica is asked again.
func (r *RestartReplicas) request(ctx context.Context, a Application) (ours bool, err error) {
	asked := a.Resumed
	for attempt := 1; ; attempt++ {
		var underWay bool
		underWay, err = r.tryOnce(ctx, a.Target, &asked)
		if underWay || errors.Is(err, workload.ErrNotFound) {
			return asked, err
		}
		if attempt == attempts || !sleep(ctx, pauseAfterErr) {
			return false, err
		}
	}
}

func (r *RestartReplicas) tryOnce(ctx context.Context, t incident.Target, asked *bool) (underWay bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	live, err := r.replicas.Replica(ctx, t.Workload, t.Replica)
	if err != nil {
		return false, err
	}
	if live.StartID != t.StartID || live.State == workload.Stopping {
		return true, nil
	}
	err = r.replicas.Restart(ctx, t.Workload, t.Replica, t.StartID)
	switch {
	case err == nil:
		*asked = true
		return true, nil
	case errors.Is(err, workload.ErrConflict):
		return true, nil // somebody was faster, or our own earlier request got through
	case errors.Is(err, workload.ErrNotFound):
		return false, err
	default:
		*asked = true // the request may have arrived all the same
		return false, err
	}
}

func (r *RestartReplicas) awaitReady(ctx context.Context, t incident.Target) (workload.Replica, error) {
	var last error
	for {
		live, err := r.replicas.Replica(ctx, t.Workload, t.Replica)
		switch {
		case err != nil:
			last = err
		case live.StartID != t.StartID && live.State == workload.Ready:
			return live, nil
		default:
			last = fmt.Errorf("it is %s (start %s)", live.State, live.StartID)
		}
		if !sleep(ctx, pollReplica) {
			return workload.Replica{}, last
		}
	}
}

// sleep says false when the context ended first.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
