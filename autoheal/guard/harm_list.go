package guard

import (
	"maps"
	"slices"

	"github.com/faultline-lab/faultline/autoheal/incident"
)

// harm is the table of docs/guards/harm-list.md: what makes a cause worse, and how.
func harm() map[incident.Cause]map[string]string {
	return map[incident.Cause]map[string]string{
		incident.ConnectionLeak: {
			ScaleOut:    "a new replica leaks as well, and takes further connections from the server",
			EndBackends: "the pool goes on counting the forgotten connections as used, so nothing is freed",
			WaitLonger:  "a forgotten connection never comes back; longer waits only pile up callers",
		},
		incident.BadRelease: {
			RestartReplicas: "the new version leaks again within seconds, and a rollout that is under way is disturbed",
			ScaleOut:        "the new replicas are of the bad version, leak as well, and take connections from the server",
			EndBackends:     "the pool goes on counting the forgotten connections as used, so nothing is freed",
			WaitLonger:      "a forgotten connection never comes back; longer waits only pile up callers",
		},
		incident.LockContention: {
			RestartReplicas: "the lock is held in no replica; the next callers wait again, and what was nearly done is lost",
			ScaleOut:        "more callers wait for the same rows, and take connections from the server",
			EndBackends:     "those who wait are victims; others take their places in the queue",
			WaitLonger:      "the queue becomes longer, and nothing ends it",
		},
		incident.SlowQuery: {
			RestartReplicas: "it ends the orders that still get through, and the query is asked again of the new replica",
			ScaleOut:        "the next slow queries fill the new pool as well",
			WaitLonger:      "the queries last for longer than anybody may wait",
		},
		incident.NetworkLatency: {
			RestartReplicas: "new connections need several round trips each, over the same slow network",
			ScaleOut:        "more transactions stay open for as long, and take connections from the server; each is still too slow",
			EndBackends:     "the orders in them are lost, and new connections have to be made over the slow network",
			WaitLonger:      "the caller gives up before",
		},
		incident.ServerCap: {
			RestartReplicas: "a replica that ends gives its slots to whoever takes them, and comes back with none",
			ScaleOut:        "a new replica finds no slot, or takes the last one",
			EndBackends:     "each slot that is given up is lost to whoever takes them",
		},
		incident.SlowDownstream: {
			RestartReplicas: "the called service is as slow afterwards, and the orders under way are lost",
			ScaleOut:        "more replicas call a service that is slow already, and take connections from the server",
			EndBackends:     "it ends orders whose payment is under way",
			WaitLonger:      "the queue before the pool grows for as long as the called service is slow",
		},
		incident.TrafficSurge: {
			RestartReplicas: "it takes a part of the capacity away when all of it is too little",
			EndBackends:     "it ends orders that would have been done in a moment",
			WaitLonger:      "callers who wait longer are still more than can be served",
		},
	}
}

// Harmful says why a remedy makes a cause worse; "" when it is not known to.
func Harmful(cause incident.Cause, remedy string) string { return harm()[cause][remedy] }

// HarmfulFor lists the remedies that are known to make a cause worse, sorted.
func HarmfulFor(cause incident.Cause) []string { return slices.Sorted(maps.Keys(harm()[cause])) }

// harmList refuses what the diagnosed cause makes worse, even when a playbook names it. Without a diagnosis nothing may be
// done but to look.
func harmList(r Request) Answer {
	switch {
	case r.Remedy == HealthCheck || r.Remedy == None:
		return yes("%s changes nothing, so it can do no harm", r.Remedy)
	case r.Cause == "" || r.Cause == incident.Inconclusive:
		return never("there is no diagnosis, so nobody can say what would do harm")
	}
	if why := Harmful(r.Cause, r.Remedy); why != "" {
		return never("%s does harm in a %s: %s", r.Remedy, r.Cause, why)
	}
	return yes("%s is not known to harm in a %s", r.Remedy, r.Cause)
}
