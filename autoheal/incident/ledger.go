package incident

import "time"

// Effect is one action as the guards look back on it, whatever incident it belonged to.
type Effect struct {
	IncidentID string
	Key        string
	Rung       int
	Cause      Cause
	Remedy     string
	Workload   string
	Replica    string
	ReplacedBy []string // the replicas that took its place, where they have other names
	StartedAt  time.Time
	FinishedAt *time.Time
	Result     string // empty while it is under way
	// Harmed is how many checkouts failed at the edge while it acted, beyond those that failed before.
	Harmed float64
}

// LastAt is the latest moment at which the effect may have reached the world: now while it is under way, which can be long after
// it was intended, since a healer that dies in between leaves it to the next one.
func (e Effect) LastAt(now time.Time) time.Time {
	switch {
	case e.FinishedAt != nil:
		return *e.FinishedAt
	case e.Result == "":
		return now
	}
	return e.StartedAt
}

// Lease is the right of one incident to act on one workload until it expires.
type Lease struct {
	Target    string
	Holder    string // an incident's id
	ExpiresAt time.Time
}
