package guard

import (
	"slices"

	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/autoheal/workload"
)

// healthyFloor keeps enough replicas serving. One that already fails its users may always be taken away, one at a time,
// so that the floor does not block the cure when all replicas are sick; one that serves only above the floor.
func healthyFloor(r Request) Answer {
	switch {
	case !r.Traits.EndsRequests && !r.untold():
		return yes("%s takes no replica out of service", r.Remedy)
	case r.Workload == nil:
		return soon("the replicas could not be read")
	case r.Target.Kind == incident.WorkloadTarget:
		return r.floorOfAll()
	}
	serving := 0
	for _, other := range r.Workload.Replicas {
		if other.ID == r.Target.Name {
			continue
		}
		if other.State == workload.Starting || other.State == workload.Stopping {
			return soon("%s is %s: one replica at a time", other.ID, other.State)
		}
		if r.serves(other) {
			serving++
		}
	}
	if slices.Contains(r.Failing, r.Target.Name) {
		return yes("%s already fails its users; %d others serve", r.Target.Name, serving)
	}
	return r.floor(serving)
}

// floorOfAll judges a remedy that replaces a workload's replicas, one at a time: it is as bad as its worst moment.
func (r Request) floorOfAll() Answer {
	serving := len(r.stillServing(r.Workload.Replicas))
	if len(r.stillServing(r.replaced())) == 0 {
		return yes("%s only replaces what does not serve; %d others of %s do", r.Remedy, serving, r.Target.Name)
	}
	return r.floor(serving - 1)
}

func (r Request) floor(others int) Answer {
	if others < r.Limits.Floor {
		return soon("only %d other replicas of %s really serve; the floor is %d", others, r.Target.Workload, r.Limits.Floor)
	}
	return yes("%d other replicas of %s really serve; the floor is %d", others, r.Target.Workload, r.Limits.Floor)
}

// replaced are the replicas that a change of the whole workload takes away: those that are not yet as it will be.
func (r Request) replaced() []workload.Replica {
	if r.Workload == nil || r.Target.Kind != incident.WorkloadTarget {
		return nil
	}
	var replaced []workload.Replica
	for _, replica := range r.Workload.Replicas {
		if replica.Version != r.Target.To {
			replaced = append(replaced, replica)
		}
	}
	return replaced
}

func (r Request) stillServing(replicas []workload.Replica) []workload.Replica {
	var serving []workload.Replica
	for _, replica := range replicas {
		if r.serves(replica) {
			serving = append(serving, replica)
		}
	}
	return serving
}

// serves says that a replica is ready, and does not fail its users by the evidence of this moment.
func (r Request) serves(replica workload.Replica) bool {
	return replica.State == workload.Ready && !slices.Contains(r.Failing, replica.ID)
}
