package diagnose

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/faultline-lab/faultline/autoheal/evidence"
	"github.com/faultline-lab/faultline/autoheal/incident"
)

// connectionLeak: connections were taken out of the pool and forgotten. The pool counts them as used while their
// backends do nothing at all, for longer than any hold can last. Where they are only of replicas of a new version, that
// explains it: see badRelease.
func connectionLeak(facts evidence.Facts, scrape time.Duration) Finding {
	finding := Finding{Candidate: incident.Candidate{Cause: incident.ConnectionLeak}}
	replicas := facts.Subjects(evidence.PoolMax)
	share := 0.0
	for _, replica := range replicas {
		l := readLeak(facts, replica, scrape)
		share = max(share, l.score())
		if len(l.against) == 0 {
			finding.Subjects = append(finding.Subjects, replica)
			finding.Candidate.For = append(finding.Candidate.For, l.say(l.signs))
			continue
		}
		finding.Candidate.Against = append(finding.Candidate.Against, l.say(l.against))
		finding.RipeIn = max(finding.RipeIn, l.ripeIn)
	}
	if len(replicas) == 0 {
		finding.Candidate.Against = []string{"no pool's metrics are known"}
	}
	switch {
	case explained(facts, finding.Subjects):
		finding.Candidate.Against = append(finding.Candidate.Against, "all that leak run a version that is new: "+releaseText(facts, finding.Subjects))
		finding.Candidate.Score, finding.Subjects = farScore*share, nil
	case len(finding.Subjects) > 0:
		finding.Candidate.Score, finding.Workload = Certain, owner(facts, finding.Subjects[0])
	case finding.RipeIn > 0:
		finding.Candidate.Score = nearScore
	default:
		finding.Candidate.Score = farScore * share
	}
	return finding
}

// leak is one replica held against the signs of a leak.
type leak struct {
	replica        string
	signs, against []string
	ripeIn         time.Duration
}

// leakFacts is all that the signs need; each is required, because what is unknown must not lead to action.
type leakFacts struct {
	idle, used, size, timeouts, refusals, releases, released  float64
	sessions, sessionsIdle, long, active, inTransaction, lock float64
	youngest, oldest, age, seen, life                         float64
}

func readLeak(facts evidence.Facts, replica string, scrape time.Duration) leak {
	l := leak{replica: replica}
	var v leakFacts
	for _, need := range []struct {
		name string
		into *float64
	}{
		{evidence.PoolIdle, &v.idle},
		{evidence.PoolUsed, &v.used},
		{evidence.PoolMax, &v.size},
		{evidence.PoolTimeouts, &v.timeouts},
		{evidence.PoolConnectRefusals, &v.refusals},
		{evidence.PoolReleases, &v.releases},
		{evidence.Sessions, &v.sessions},
		{evidence.SessionsIdle, &v.sessionsIdle},
		{evidence.SessionsIdleLong, &v.long},
		{evidence.SessionsActive, &v.active},
		{evidence.SessionsInTransaction, &v.inTransaction},
		{evidence.SessionsLockWait, &v.lock},
		{evidence.ReplicaAge, &v.age},
	} {
		fact, known := facts.Get(need.name, replica)
		if !known {
			l.against = append(l.against, need.name+" is unknown")
			continue
		}
		*need.into = fact.Value
	}
	if len(l.against) > 0 {
		return l
	}
	// Some facts exist only where there is something to speak of: no idle session has no age, no release no time.
	for _, need := range []struct {
		name string
		when bool
		into *float64
	}{
		{evidence.SessionsIdleYoungest, v.sessionsIdle > 0, &v.youngest},
		{evidence.SessionsIdleOldest, v.sessionsIdle > 0, &v.oldest},
		{evidence.PoolLastReleaseAge, v.releases > 0, &v.released},
	} {
		fact, known := facts.Get(need.name, replica)
		if need.when && !known {
			l.against = append(l.against, need.name+" is unknown")
		}
		*need.into = fact.Value
	}
	if len(l.against) > 0 {
		return l
	}
	v.seen, v.life = pictures(facts, replica)
	l.judge(v, scrape)
	return l
}

// pictures says how old the picture of the full pool is beside that of its backends, and how long the replica had been
// running when it was taken, both in seconds; the latter is negative where it shows an earlier start of the replica.
// Postgres and the workload list are asked now, but the pool was read at the last scrape.
func pictures(facts evidence.Facts, replica string) (seen, life float64) {
	pool, _ := facts.Get(evidence.PoolUsed, replica)
	backends, _ := facts.Get(evidence.Sessions, replica)
	age, _ := facts.Get(evidence.ReplicaAge, replica)
	return backends.At.Sub(pool.At).Seconds(), age.Value - age.At.Sub(pool.At).Seconds()
}

// slack is how many of a pool's connections may be missing from the picture, since Prometheus and Postgres are not read
// in the same instant: none of a pool of four, one of eight.
func slack(size float64) float64 { return math.Floor(size / 8) }

func (l *leak) judge(v leakFacts, scrape time.Duration) {
	if v.partly() {
		l.judgePart(v, scrape)
		return
	}
	hold := evidence.LongestHold.Seconds()
	l.sign(v.size > 0 && v.idle == 0 && v.used >= v.size,
		fmt.Sprintf("the pool is full: %g of %g connections used, %g idle", v.used, v.size, v.idle),
		fmt.Sprintf("the pool is not full: %g of %g connections used, %g idle", v.used, v.size, v.idle))
	l.sign(v.timeouts > 0,
		fmt.Sprintf("%g callers gave up waiting for a connection within %s", v.timeouts, evidence.CounterWindow(scrape)),
		"no caller gave up waiting for a connection")
	l.sign(v.size > 0 && v.long >= v.used-slack(v.size) && v.long > 0,
		fmt.Sprintf("%g of its %g backends have been idle for %.1f s or more, which no legitimate hold lasts", v.long, v.sessions, hold),
		fmt.Sprintf("only %g of its %g backends have been idle for %.1f s or more", v.long, v.sessions, hold))
	l.sign(v.releases == 0 || v.released >= v.youngest,
		"no connection was given back since they went idle",
		fmt.Sprintf("a connection was given back %.1f s ago at most, while all were idle", v.released))
	l.sign(v.lock == 0, "no backend waits for a lock", fmt.Sprintf("%g backends wait for a lock", v.lock))
	l.sign(v.active+v.inTransaction <= slack(v.size), "no backend works or holds a transaction open",
		fmt.Sprintf("%g backends are active and %g idle in transaction", v.active, v.inTransaction))
	l.sign(v.refusals == 0, "the server refuses no connection",
		fmt.Sprintf("the server refused %g connections (53300)", v.refusals))
	l.sign(v.age >= hold && v.oldest <= v.age+0.5, "the replica is older than its idle backends",
		fmt.Sprintf("the replica is %.1f s old: too young for these backends to be its own", v.age))
	l.sign(v.life >= 0, "the pool was seen full since the replica started",
		fmt.Sprintf("the pool was last seen %.1f s before this start of the replica", -v.life))
	// Else they may have worked when the pool was full, and be idle in it now.
	l.sign(!v.outdated(), "the backends were idle already when the pool was seen full",
		fmt.Sprintf("the pool was seen %.1f s ago, and a backend has worked since (%.1f s ago)", v.seen, v.youngest))
	l.ripen(v, hold, scrape)
}

// partly says that at least half of the pool, but not all of it, is idle at the server, and what is left works for all who
// come.
func (v leakFacts) partly() bool {
	return v.long >= leaksOfNote && 2*v.long >= v.size && v.long < v.used-slack(v.size) && v.active+v.inTransaction > 0
}

// judgePart is judge where a part of the pool goes on working. What is given back and what works says nothing then; so the
// pool must have been seen since the idle backends fell idle.
func (l *leak) judgePart(v leakFacts, scrape time.Duration) {
	hold := evidence.LongestHold.Seconds()
	l.sign(v.idle == 0 && v.used >= v.size,
		fmt.Sprintf("the pool calls all of its %g connections used, and %g of its %g backends have been idle for %.1f s or more", v.used, v.long,
			v.sessions, hold),
		fmt.Sprintf("the pool is not full: %g of %g connections used, %g idle", v.used, v.size, v.idle))
	l.sign(v.timeouts > 0,
		fmt.Sprintf("%g callers gave up waiting for the %g that are left", v.timeouts, v.size-v.long),
		"no caller gave up waiting for a connection")
	l.sign(v.lock == 0, "no backend waits for a lock", fmt.Sprintf("%g backends wait for a lock", v.lock))
	l.sign(v.refusals == 0, "the server refuses no connection",
		fmt.Sprintf("the server refused %g connections (53300)", v.refusals))
	l.sign(v.age >= hold && v.oldest <= v.age+0.5, "the replica is older than its idle backends",
		fmt.Sprintf("the replica is %.1f s old: too young for these backends to be its own", v.age))
	l.sign(v.life >= 0, "the pool was seen full since the replica started",
		fmt.Sprintf("the pool was last seen %.1f s before this start of the replica", -v.life))
	l.sign(v.seen <= hold, "the backends were idle already when the pool was seen full",
		fmt.Sprintf("the pool was seen %.1f s ago: the idle backends may have been given back since", v.seen))
	missing := 0
	for _, old := range []bool{v.life < 0, v.seen > hold} {
		if old {
			missing++
			l.ripeIn = max(l.ripeIn, scrape-time.Duration(v.seen*float64(time.Second))+arrival, arrival)
		}
	}
	if len(l.against) != missing {
		l.ripeIn = 0
	}
}

func (v leakFacts) outdated() bool { return v.sessionsIdle > 0 && v.youngest < v.seen }

// ripen says how long to wait where nothing is missing but time: every backend is idle, only not yet for long enough; or
// the pool's sample is too old to be held against them, and the next one will do.
func (l *leak) ripen(v leakFacts, hold float64, scrape time.Duration) {
	missing := 0
	if v.sessionsIdle >= v.used && v.long < v.used && v.youngest < hold {
		missing++
		l.ripeIn = time.Duration((hold-v.youngest)*float64(time.Second)) + 50*time.Millisecond
	}
	for _, old := range []bool{v.life < 0, v.outdated()} {
		if old {
			missing++
			l.ripeIn = max(l.ripeIn, scrape-time.Duration(v.seen*float64(time.Second))+arrival, arrival)
		}
	}
	if len(l.against) != missing {
		l.ripeIn = 0
	}
}

func (l *leak) sign(there bool, yes, no string) {
	if there {
		l.signs = append(l.signs, yes)
		return
	}
	l.against = append(l.against, no)
}

func (l *leak) score() float64 {
	if len(l.signs) == 0 {
		return 0
	}
	return float64(len(l.signs)) / float64(len(l.signs)+len(l.against))
}

func (l *leak) say(sentences []string) string {
	return l.replica + ": " + strings.Join(sentences, "; ")
}
