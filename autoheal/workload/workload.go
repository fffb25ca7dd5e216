// Package workload is what the healer knows of the programs it may act on: workloads and their replicas, whoever runs
// them. Adapters (local, kube) fill these types; package workloadtest holds them to one behaviour.
package workload

import "time"

// OptInLabel must be "enabled" on a workload before the healer may touch it.
const OptInLabel = "faultline.dev/autoheal"

// The states of a replica (docs/contracts.md, "The supervisor's control API" and "On Kubernetes").
const (
	Starting = "starting"
	Ready    = "ready"
	Stopping = "stopping"
	Crashed  = "crashed"
	Stopped  = "stopped"
)

// Workload is one service with all its replicas.
type Workload struct {
	Name    string            `json:"name"`
	Labels  map[string]string `json:"labels"`
	Desired int               `json:"desired"`
	// Max is how many replicas there may be; 0 where nobody gives a limit.
	Max     int    `json:"max"`
	Version string `json:"version"`
	// Versions are those that can be rolled back to, oldest first, and the present one; then those that it was rolled back from.
	Versions []string  `json:"versions"`
	Replicas []Replica `json:"replicas"`
}

// Replica is one running copy. StartID is new at every start, which makes it the precondition of a restart. Where a
// restart gives the copy another name (a pod), the id is new as well.
type Replica struct {
	ID      string `json:"id"`
	StartID string `json:"start_id"`
	State   string `json:"state"`
	Version string `json:"version"`
	// Address is host:port of its HTTP; empty while it has none.
	Address   string    `json:"address"`
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

// Ready counts the replicas that are ready.
func (w Workload) Ready() int {
	n := 0
	for _, r := range w.Replicas {
		if r.State == Ready {
			n++
		}
	}
	return n
}
