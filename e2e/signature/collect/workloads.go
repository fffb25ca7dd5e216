package collect

import (
	"time"

	"github.com/faultline-lab/faultline/chaos/control"
	"github.com/faultline-lab/faultline/e2e/signature"
)

// listed is how the list of workloads is asked for; which API answers depends on the target.
const listed = "replicas of orders, inventory and payments"

// replicas tells of every replica its version, state and age.
func replicas(known listing, now time.Time) []signature.Fact {
	if known.err != nil {
		var facts []signature.Fact
		for _, name := range []string{
			signature.ReplicaReady, signature.ReplicaAge, signature.ReplicaRestarts, signature.ReplicaVersion,
		} {
			facts = append(facts, unknown(signature.Workloads, name, signature.Workloads, listed, known.err.Error(), now))
		}
		return facts
	}
	var facts []signature.Fact
	for _, workload := range known.all {
		for _, replica := range workload.Replicas {
			facts = append(facts, replicaFacts(replica, now)...)
		}
	}
	return facts
}

func replicaFacts(replica control.Replica, now time.Time) []signature.Fact {
	say := func(name, unit string, value float64) signature.Fact {
		fact := measured(signature.Workloads, name, replica.ID, listed, unit, value, now)
		fact.Detail = replica.State + ", version " + replica.Version
		return fact
	}
	ready := 0.0
	if replica.State == control.Ready {
		ready = 1
	}
	age := unknown(signature.Workloads, signature.ReplicaAge, replica.ID, listed, "it has not started", now)
	if !replica.StartedAt.IsZero() {
		age = say(signature.ReplicaAge, "s", max(0, now.Sub(replica.StartedAt).Seconds()))
	}
	return []signature.Fact{
		say(signature.ReplicaReady, "1", ready), age,
		say(signature.ReplicaRestarts, "{restart}", float64(replica.Restarts)), say(signature.ReplicaVersion, "1", 1),
	}
}
