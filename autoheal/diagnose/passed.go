package diagnose

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/faultline-lab/faultline/autoheal/evidence"
	"github.com/faultline-lab/faultline/autoheal/incident"
)

// passing says of one cause whether it has passed.
type passing func(before, now evidence.Facts) (bool, string)

// passings is the table of contents: how the end of each cause shows.
func passings() map[incident.Cause]passing {
	return map[incident.Cause]passing{
		incident.ConnectionLeak: leaksPassed,
		incident.BadRelease:     releasePassed,
		incident.LockContention: rootPassed,
		incident.SlowQuery:      queriesPassed,
		incident.NetworkLatency: latencyPassed,
		incident.ServerCap:      strangersPassed,
		incident.SlowDownstream: slownessPassed,
		incident.TrafficSurge:   surgePassed,
	}
}

// Passed says whether a fault has passed by what is known now, and why it is thought so; before is the evidence on which it
// was diagnosed. What is unknown has not passed. What decides is the cause itself and never the symptom, which a mitigation
// hides.
func Passed(cause incident.Cause, before, now evidence.Facts) (passed bool, why string) {
	look, known := passings()[cause]
	if !known {
		return false, fmt.Sprintf("nothing tells when %s has passed", cause)
	}
	return look(before, now)
}

// latencyPassed wants every replica of the workload to find the way quick again, by a limit that is higher than the one by
// which it was slow.
func latencyPassed(before, now evidence.Facts) (bool, string) {
	workload := networkLatency(before, 0).Workload
	for _, p := range pools(now) {
		if p.workload != workload {
			continue
		}
		quick, known := p.least(evidence.RoundTripQuick)
		if !known {
			return false, "how quick the way to the database is, is unknown"
		}
		return quick >= soundTrips, fmt.Sprintf("%s of the round trips of %s take no longer than %s s; %s is the limit", percent(quick), workload,
			evidence.QuickTrip, percent(soundTrips))
	}
	return false, "how quick the way to the database is, is unknown"
}

// slownessPassed asks about the workload that was slow. Where payments are deferred they are still made, from a queue.
func slownessPassed(before, now evidence.Facts) (bool, string) {
	name, _ := slowest(before)
	call, known := now.Get(evidence.CallTimeMean, name)
	if !known {
		return false, fmt.Sprintf("how long calls of %s take is unknown", name)
	}
	return call.Value < soundCall, fmt.Sprintf("calls of %s take %.2f s; %.2f s is the limit", name, call.Value, soundCall)
}

// surgePassed holds the present rate against what was usual before the surge, which by now it has itself become.
func surgePassed(before, now evidence.Facts) (bool, string) {
	usual, known := atEdge(before, evidence.EdgeArrivalBefore)
	rate, measured := atEdge(now, evidence.EdgeArrivalRate)
	if !known || !measured || usual <= 0 {
		return false, "how many customers come, or came before, is unknown"
	}
	return rate <= usualCustomers*usual, fmt.Sprintf("%.1f checkouts a second come, %.2f times the usual %.1f; %.1f times is the limit",
		rate, rate/usual, usual, usualCustomers)
}

// releasePassed wants the bad version to be gone, or its replicas to leak no more.
func releasePassed(before, now evidence.Facts) (bool, string) {
	bad := versions(before, badRelease(before, time.Second).Subjects)
	list := of(now, evidence.ReplicaVersion)
	if len(bad) == 0 || len(list) == 0 {
		return false, "which versions run is unknown"
	}
	for _, f := range list {
		workload := owner(now, f.Subject)
		if !slices.Contains(bad, workload+" "+f.Detail) {
			continue
		}
		n, known := leaked(now, f.Subject)
		if !known || n > 0 {
			return false, fmt.Sprintf("%s still runs %s and has %g leaked connections (known: %v)", f.Subject, f.Detail, n, known)
		}
	}
	return true, fmt.Sprintf("no replica of %s leaks connections", strings.Join(bad, ", "))
}

// versions names the versions of some replicas: workload and version.
func versions(facts evidence.Facts, replicas []string) []string {
	var names []string
	for _, replica := range replicas {
		if f, known := facts.Get(evidence.ReplicaVersion, replica); known {
			names = append(names, owner(facts, replica)+" "+f.Detail)
		}
	}
	return slices.Compact(slices.Sorted(slices.Values(names)))
}

func leaksPassed(_, now evidence.Facts) (bool, string) {
	sum, known := 0.0, false
	for _, replica := range now.Subjects(evidence.PoolMax) {
		n, ok := leaked(now, replica)
		if !ok {
			return false, "whether connections are leaked is unknown on " + replica
		}
		sum, known = sum+n, true
	}
	return known && sum < leaksOfNote, fmt.Sprintf("%g connections are used in the pools and idle at the server", sum)
}

func rootPassed(_, now evidence.Facts) (bool, string) {
	root, known := now.Get(evidence.LockRootOldest, "server")
	return known && root.Value < evidence.LongestHold.Seconds(),
		fmt.Sprintf("the oldest transaction that others wait for is %.1f s old (known: %v)", root.Value, known)
}

func queriesPassed(_, now evidence.Facts) (bool, string) {
	for _, p := range pools(now) {
		if long, known := p.sum(evidence.SessionsActiveLong); !known || long > 0 {
			return false, fmt.Sprintf("%g statements of %s run for long (known: %v)", long, p.workload, known)
		}
	}
	return len(pools(now)) > 0, "no statement runs for long"
}

func strangersPassed(_, now evidence.Facts) (bool, string) {
	strangers, counted := now.Get(evidence.ForeignSessions, "server")
	slots, known := now.Get(evidence.ServerMaxConnections, "server")
	return counted && known && strangers.Value < strangersShare*slots.Value,
		fmt.Sprintf("sessions of no workload hold %g of %g slots (known: %v)", strangers.Value, slots.Value, counted && known)
}
