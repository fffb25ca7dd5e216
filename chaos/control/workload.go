package control

import "time"

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

// Ready is the state of a replica that serves.
const Ready = "ready"

// Replica is one process of a workload. StartID is new at every start.
type Replica struct {
	ID        string     `json:"id"`
	StartID   string     `json:"start_id"`
	State     string     `json:"state"` // starting, ready, stopping, crashed, stopped
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
