package guard

import (
	"fmt"
	"strconv"

	"github.com/faultline-lab/faultline/autoheal/incident"
)

// Room is how many sessions a database server can take, and how many it must.
type Room struct {
	// Sessions are those that must have room whatever the healer does: at least all that are there.
	Sessions int
	// MaxConnections is the server's own limit; Reserved are the slots of it that ordinary roles cannot have.
	MaxConnections, Reserved int
	// PerReplica is how many sessions one more replica of the target may open.
	PerReplica int
}

func (r Room) known() bool {
	return r.MaxConnections > 0 && r.PerReplica > 0 && r.Sessions >= 0 && r.Reserved >= 0
}

// connectionRoom lets a remedy add replicas only where the workload may have them and the database server can serve them
// all: each new replica opens a pool, and one session too many is refused to somebody else.
func connectionRoom(r Request) Answer {
	if !r.Traits.Adds && !r.untold() {
		return yes("%s adds no replicas", r.Remedy)
	}
	added, why := r.added()
	switch {
	case r.Traits.Adds && r.Target.Kind == incident.EdgeTarget:
		return yes("what goes another way through the edge adds no replicas; those that it needs are a target of their own")
	case why != "":
		return never("%s", why)
	case added <= 0:
		return yes("%s adds no replicas to %s", r.Remedy, r.Target.Name)
	case r.Room == nil || !r.Room.known():
		return soon("nobody knows what the database server has left, or what a replica of %s takes of it", r.Target.Name)
	}
	need, left := added*r.Room.PerReplica, r.Room.MaxConnections-r.Room.Reserved-r.Room.Sessions
	if need > left {
		return never("%d more of %s may open %d sessions, but the database server has room for %d: of %d, %d are reserved and %d taken",
			added, r.Target.Name, need, left, r.Room.MaxConnections, r.Room.Reserved, r.Room.Sessions)
	}
	return yes("%d more of %s may open %d sessions, and the database server has room for %d", added, r.Target.Name, need, left)
}

// added is how many replicas the remedy would add, or why it must not or nobody can tell.
func (r Request) added() (n int, why string) {
	if r.Target.Kind != incident.WorkloadTarget {
		return 0, fmt.Sprintf("%s adds replicas, but its target is %q and not the number of a workload's replicas", r.Remedy, r.Target.Kind)
	}
	from, errFrom := strconv.Atoi(r.Target.Is)
	to, errTo := strconv.Atoi(r.Target.To)
	switch {
	case errFrom != nil || errTo != nil:
		return 0, fmt.Sprintf("nobody can tell how many replicas %s has now and would have (from %q to %q)", r.Target.Name, r.Target.Is, r.Target.To)
	case r.Workload == nil:
		return 0, "the workload and its limit could not be read"
	case r.Workload.Max > 0 && to > r.Workload.Max:
		return 0, fmt.Sprintf("%d replicas of %s are more than the %d that there may be", to, r.Target.Name, r.Workload.Max)
	}
	return to - from, ""
}
