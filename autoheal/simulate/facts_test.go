package simulate

import (
	"slices"
	"time"

	"github.com/faultline-lab/faultline/autoheal/evidence"
	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/autoheal/workload"
)

// gathering is the truth about a patient, in the names and with the ages that the real collectors give it.
func (p *patient) gathering(at time.Time, round int) *picture {
	g := &picture{evidence.Gathering{At: at, Workloads: []workload.Workload{p.workload(), {Name: p.front()}}}}
	now := time.Now()
	scraped := now.Truncate(scrape)
	for _, r := range p.replicas {
		for name, value := range p.poolFacts(r, scraped) {
			g.tell(evidence.Prometheus, name, r.id, value, at.Add(scraped.Sub(now)), round)
		}
		for name, value := range p.sessionFacts(r, now) {
			g.tell(evidence.Postgres, name, r.id, value, at, round)
		}
		g.tell(evidence.Workloads, evidence.ReplicaReady, r.id, oneIf(r.state(now) == workload.Ready), at, round)
		g.tell(evidence.Workloads, evidence.ReplicaAge, r.id, now.Sub(r.started).Seconds(), at, round)
	}
	good := p.share(now)
	if p.world.is(lyingEdge, p) {
		good = 1 - good
	}
	g.tell(evidence.Prometheus, evidence.EdgeTotal, p.front(), 3*arrivals, at, round)
	g.tell(evidence.Prometheus, evidence.EdgeGoodRatio, p.front(), good, at, round)
	sortFacts(g.Facts)
	return g
}

func (g *picture) tell(source, name, subject string, value float64, at time.Time, round int) {
	g.Facts = append(g.Facts, incident.Fact{
		Name: name, Source: source, Subject: subject, Query: "the simulation", Status: incident.Known, Value: value, Unit: "1", At: at, Round: round,
	})
}

// poolFacts are those of the last scrape.
func (p *patient) poolFacts(r *replica, scraped time.Time) map[string]float64 {
	if scraped.Before(r.ready) {
		return nil
	}
	full := r.leaking(scraped) || p.busy(scraped)
	facts := map[string]float64{
		evidence.PoolMax: poolSize, evidence.PoolIdle: 2, evidence.PoolUsed: poolSize - 2, evidence.PoolPending: 0,
		evidence.PoolTimeouts: 0, evidence.PoolReleases: 60, evidence.PoolLastReleaseAge: 0, evidence.PoolConnectRefusals: 0,
	}
	if full {
		facts[evidence.PoolIdle], facts[evidence.PoolUsed], facts[evidence.PoolPending] = 0, poolSize, 8
		facts[evidence.PoolTimeouts] = 20
	}
	if r.leaking(scraped) {
		facts[evidence.PoolReleases] = 0
		delete(facts, evidence.PoolLastReleaseAge)
	}
	return facts
}

// busy says whether a fault shows itself as a pool full of work, which no cause explains.
func (p *patient) busy(at time.Time) bool {
	return p.fault != nil && (p.fault.kind == unnamed || at.Before(p.fault.busy))
}

// sessionFacts are of this moment.
func (p *patient) sessionFacts(r *replica, now time.Time) map[string]float64 {
	facts := map[string]float64{
		evidence.Sessions: poolSize, evidence.SessionsIdle: 2, evidence.SessionsIdleLong: 0, evidence.SessionsIdleYoungest: 0.02,
		evidence.SessionsIdleOldest: 0.05, evidence.SessionsActive: 1, evidence.SessionsInTransaction: 1, evidence.SessionsLockWait: 0,
	}
	switch {
	case p.busy(now):
		facts[evidence.SessionsIdle], facts[evidence.SessionsInTransaction] = 0, poolSize-1
		delete(facts, evidence.SessionsIdleYoungest)
		delete(facts, evidence.SessionsIdleOldest)
	case r.leaking(now):
		idle := now.Sub(r.leaked).Seconds()
		facts[evidence.SessionsIdle], facts[evidence.SessionsActive], facts[evidence.SessionsInTransaction] = poolSize, 0, 0
		facts[evidence.SessionsIdleYoungest], facts[evidence.SessionsIdleOldest] = idle, idle
		if idle >= evidence.LongestHold.Seconds() {
			facts[evidence.SessionsIdleLong] = poolSize
		}
	}
	return facts
}

func oneIf(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}

// sortFacts gives facts the order that the real gatherer gives them.
func sortFacts(facts evidence.Facts) {
	slices.SortFunc(facts, func(a, b incident.Fact) int {
		return slices.Compare([]string{a.Source, a.Subject, a.Name}, []string{b.Source, b.Subject, b.Name})
	})
}
