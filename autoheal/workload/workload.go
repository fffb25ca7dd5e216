// Package workload is what the healer knows of the programs it may act on: workloads and their replicas, whoever runs
// them. Adapters (local; later Kubernetes) fill these types.
package workload

import (
	"errors"
	"time"
)

// OptInLabel must be "enabled" on a workload before the healer may touch it.
const OptInLabel = "faultline.dev/autoheal"

// ErrConflict says that a replica is no longer the one that was judged: its start id is another one already.
var ErrConflict = errors.New("the replica has been started anew since it was judged")

// ErrNotFound says that there is no such workload or replica (any more).
var ErrNotFound = errors.New("no such workload or replica")

// The states of a replica (docs/contracts.md, "The supervisor's control API").
const (
	Starting = "starting"
	Ready    = "ready"
	Stopping = "stopping"
	Crashed  = "crashed"
	Stopped  = "stopped"
)

// Workload is one service with all its replicas.
type Workload struct {
	Name     string            `json:"name"`
	Labels   map[string]string `json:"labels"`
	Desired  int               `json:"desired"`
	Version  string            `json:"version"`
	Replicas []Replica         `json:"replicas"`
}

// Replica is one running copy. StartID is new at every start, which makes it the precondition of a restart.
type Replica struct {
	ID        string    `json:"id"`
	StartID   string    `json:"start_id"`
	State     string    `json:"state"`
	Version   string    `json:"version"`
	StartedAt time.Time `json:"started_at"`
}

// Replica finds a replica by its id.
func (w Workload) Replica(id string) (Replica, bool) {
	for _, r := range w.Replicas {
		if r.ID == id {
			return r, true
		}
	}
	return Replica{}, false
}
