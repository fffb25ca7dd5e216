package guard

import (
	"slices"

	"github.com/faultline-lab/faultline/autoheal/workload"
)

// healthyFloor keeps enough replicas serving. One that already fails its users may always be restarted, one at a time,
// so that the floor does not block the cure when all replicas are sick; one that serves only above the floor.
func healthyFloor(r Request) Answer {
	if r.Workload == nil {
		return soon("the replicas could not be read")
	}
	serving := 0
	for _, other := range r.Workload.Replicas {
		if other.ID == r.Target.Name {
			continue
		}
		if other.State == workload.Starting || other.State == workload.Stopping {
			return soon("%s is %s: one replica at a time", other.ID, other.State)
		}
		if other.State == workload.Ready && !slices.Contains(r.Failing, other.ID) {
			serving++
		}
	}
	if slices.Contains(r.Failing, r.Target.Name) {
		return yes("%s already fails its users; %d others serve", r.Target.Name, serving)
	}
	if serving < r.Limits.Floor {
		return soon("only %d other replicas of %s really serve; the floor is %d", serving, r.Target.Workload, r.Limits.Floor)
	}
	return yes("%d other replicas of %s really serve; the floor is %d", serving, r.Target.Workload, r.Limits.Floor)
}
