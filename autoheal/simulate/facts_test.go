package simulate

import (
	"slices"
	"time"

	"github.com/faultline-lab/faultline/autoheal/evidence"
	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/autoheal/workload"
)

// values are facts by name.
type values map[string]float64

// picture is a gathering in the making.
type picture struct {
	evidence.Gathering
	round int
}

func (g *picture) tell(source, subject string, at time.Time, facts values) {
	for name, value := range facts {
		g.add(incident.Fact{Name: name, Source: source, Subject: subject, Value: value, At: at})
	}
}

func (g *picture) add(f incident.Fact) {
	f.Query, f.Status, f.Unit, f.Round = "simulated", incident.Known, "1", g.round
	if f.Name == evidence.ReleaseAge {
		f.Threshold = releaseWindow.Seconds()
	}
	g.Facts = append(g.Facts, f)
}

const releaseWindow = 5 * time.Minute

// gathering is the truth about a patient, in the names and with the ages that the real collectors give it.
func (p *patient) gathering(at time.Time, round int) *picture {
	p.settle()
	now := time.Now()
	g := &picture{evidence.Gathering{At: at, Workloads: p.workloads(), Edge: p.edgeState()}, round}
	scraped := now.Truncate(scrape)
	for _, r := range slices.Concat(p.orders.replicas, p.standby.replicas) {
		if !scraped.Before(r.ready) {
			g.tell(evidence.Prometheus, r.id, at.Add(scraped.Sub(now)), p.poolFacts(r, scraped))
		}
		g.tell(evidence.Postgres, r.id, at, p.sessionFacts(r, now))
		g.tell(evidence.Workloads, r.id, at, values{
			evidence.ReplicaReady: oneIf(r.state(now) == workload.Ready), evidence.ReplicaAge: now.Sub(r.started).Seconds(),
		})
		owner := p.orders.name
		if slices.Contains(p.standby.replicas, r) {
			owner = p.standby.name
		}
		g.add(incident.Fact{Name: evidence.ReplicaWorkload, Source: evidence.Workloads, Subject: r.id, Value: 1, Detail: owner, At: at})
		g.add(incident.Fact{Name: evidence.ReplicaVersion, Source: evidence.Workloads, Subject: r.id, Value: 1, Detail: r.version, At: at})
	}
	g.tell(evidence.Prometheus, p.front(), at, p.edgeFacts(now))
	g.tell(evidence.Prometheus, p.payments(), at, values{evidence.CallTimeMean: pick(p.has(downstream, now), 0.4, 0.08)})
	p.serverFacts(g, at, now)
	slices.SortStableFunc(g.Facts, func(a, b incident.Fact) int {
		return slices.Compare([]string{a.Source, a.Subject, a.Name}, []string{b.Source, b.Subject, b.Name})
	})
	return g
}

// has says whether a fault shows itself as what it is.
func (p *patient) has(kind faultKind, at time.Time) bool {
	return p.fault != nil && p.fault.kind == kind && !at.Before(p.fault.busy)
}

// full says whether the pools are full of work.
func (p *patient) full(at time.Time) bool {
	if p.fault == nil {
		return false
	}
	switch p.fault.kind {
	case leak, release, nothing:
		return at.Before(p.fault.busy)
	}
	return true
}

// poolFacts are those of the last scrape.
func (p *patient) poolFacts(r *replica, scraped time.Time) values {
	facts := values{
		evidence.PoolMax: poolSize, evidence.PoolIdle: 2, evidence.PoolUsed: poolSize - 2, evidence.PoolPending: 0,
		evidence.PoolTimeouts: 0, evidence.PoolReleases: 60, evidence.PoolLastReleaseAge: 0, evidence.PoolConnectRefusals: 0,
		evidence.PoolHoldMean: pick(p.has(latency, scraped) || p.has(downstream, scraped), 0.5, 0.1), evidence.RoundTripQuick: pick(p.has(latency, scraped), 0, 1),
		evidence.ReleaseAge: 600, evidence.ReleaseLead: 0,
	}
	full := p.full(scraped) && slices.Contains(p.orders.replicas, r)
	if full || r.leaking(scraped) {
		facts[evidence.PoolIdle], facts[evidence.PoolUsed], facts[evidence.PoolPending] = 0, poolSize, 8
		facts[evidence.PoolTimeouts] = 20
		facts[evidence.PoolConnectRefusals] = pick(p.has(serverFull, scraped), 5, 0)
	}
	if r.leaking(scraped) {
		facts[evidence.PoolReleases] = 0
		delete(facts, evidence.PoolLastReleaseAge)
		delete(facts, evidence.PoolHoldMean)
	}
	if p.fault != nil && p.fault.kind == release && !p.fault.old && r.version != p.orders.versions[0] {
		facts[evidence.ReleaseAge], facts[evidence.ReleaseLead] = scraped.Sub(p.orders.released).Seconds(), 600
	}
	return facts
}

// sessionFacts are of this moment.
func (p *patient) sessionFacts(r *replica, now time.Time) values {
	facts := values{
		evidence.Sessions: poolSize, evidence.SessionsIdle: 2, evidence.SessionsIdleLong: 0, evidence.SessionsIdleYoungest: 0.02,
		evidence.SessionsIdleOldest: 0.05, evidence.SessionsActive: 1, evidence.SessionsActiveLong: 0, evidence.SessionsInTransaction: 1,
		evidence.SessionsLockWait: 0,
	}
	none := func(names ...string) {
		for _, name := range names {
			delete(facts, name)
		}
	}
	switch {
	case r.leaking(now):
		idle := now.Sub(r.leaked).Seconds()
		facts[evidence.SessionsIdle], facts[evidence.SessionsActive], facts[evidence.SessionsInTransaction] = poolSize, 0, 0
		facts[evidence.SessionsIdleYoungest], facts[evidence.SessionsIdleOldest] = idle, idle
		facts[evidence.SessionsIdleLong] = pick(idle >= evidence.LongestHold.Seconds(), poolSize, 0)
	case p.has(slowQuery, now) && r == p.orders.replicas[0]:
		long := float64(len(p.sessions))
		facts[evidence.SessionsIdle], facts[evidence.SessionsInTransaction] = 0, 0
		facts[evidence.SessionsActive], facts[evidence.SessionsActiveLong] = long, pick(now.Sub(p.fault.since) > time.Second, long, 0)
		facts[evidence.SessionsActiveOldest] = now.Sub(p.fault.since).Seconds()
		none(evidence.SessionsIdleYoungest, evidence.SessionsIdleOldest)
	case p.full(now) && slices.Contains(p.orders.replicas, r):
		facts[evidence.SessionsIdle], facts[evidence.SessionsInTransaction] = 0, poolSize-1
		none(evidence.SessionsIdleYoungest, evidence.SessionsIdleOldest)
	}
	return facts
}

func (p *patient) edgeFacts(now time.Time) values {
	good, accepted := p.share(now)
	good += accepted
	if p.world.is(lyingEdge, p) {
		good = 1 - good
	}
	rate := pick(p.has(surge, now), 2.5*arrivals, arrivals)
	return values{
		evidence.EdgeTotal: 3 * rate, evidence.EdgeGoodRatio: good, evidence.EdgeArrivalRate: rate, evidence.EdgeArrivalBefore: arrivals,
		evidence.EdgeArrivalRatio: rate / arrivals,
	}
}

// serverFacts are those of the database server and of single sessions in it.
func (p *patient) serverFacts(g *picture, at, now time.Time) {
	facts := values{
		evidence.ServerSessions: 20, evidence.ServerMaxConnections: 40, evidence.ServerReservedSlots: 6, evidence.ForeignSessions: 1,
		evidence.LockRoots: 0, evidence.LockRootOldest: 0, evidence.LockRootWaiters: 0,
	}
	for _, s := range p.sessions {
		age := now.Sub(s.QueryStart).Seconds()
		switch {
		case p.has(locked, now):
			facts[evidence.LockRoots], facts[evidence.LockRootOldest], facts[evidence.LockRootWaiters] = 1, age, poolSize
			g.add(incident.Fact{Name: evidence.LockRoot, Source: evidence.Postgres, Subject: s.Application, Value: age, Session: &s, At: at})
			g.add(incident.Fact{Name: evidence.LockWaiters, Source: evidence.Postgres, Subject: p.back(), Value: poolSize, Session: &s, At: at})
		case p.has(serverFull, now):
			facts[evidence.ForeignSessions]++
			facts[evidence.ServerSessions]++
			g.add(incident.Fact{Name: evidence.ForeignSession, Source: evidence.Postgres, Subject: s.Application, Value: age, Session: &s, At: at})
		case p.has(slowQuery, now) && age > 1:
			g.add(incident.Fact{Name: evidence.LongQuery, Source: evidence.Postgres, Subject: s.Application, Value: age, Session: &s, At: at})
		}
	}
	g.tell(evidence.Postgres, "server", at, facts)
}

func pick(yes bool, a, b float64) float64 {
	if yes {
		return a
	}
	return b
}

func oneIf(yes bool) float64 { return pick(yes, 1, 0) }
