package diagnose

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/faultline-lab/faultline/autoheal/evidence"
	"github.com/faultline-lab/faultline/autoheal/incident"
)

const (
	// Certain is the score from which a cause is named.
	Certain = 1.0
	// Margin is how far the second cause must lie behind the first; closer is inconclusive.
	Margin = 0.25
	// arrival is how long after it was taken a sample can be asked for, at most.
	arrival = 200 * time.Millisecond
)

// soon is when to look again where a pool is in trouble and the picture is only not complete: the one sample that it lacks may come at
// any moment, and what a look costs is little beside the customers who wait.
func soon(scrape time.Duration) time.Duration { return scrape / 4 }

// nextScrape is when to look again where Prometheus shows no trouble yet: its next sample may.
func nextScrape(scrape time.Duration) time.Duration { return scrape + arrival }

// Result is what one gathering says.
type Result struct {
	Diagnosis incident.Diagnosis
	// Gone says that the evidence shows the symptom to be over. It takes known facts to say so.
	Gone bool
	// Harmless says that the symptom is there and known to hurt no customer, and that no cause is near. Like what is over it
	// must show in two samples.
	Harmless bool
	// LookAgainIn is after how long a second gathering is likely to tell more.
	LookAgainIn time.Duration
}

// Finding is what one cause's page has to say about the facts.
type Finding struct {
	Candidate incident.Candidate
	// Workload, Subjects and Sessions are whom the cause is seen on (incident.Diagnosis).
	Workload string
	Subjects []string
	Sessions []incident.Session
	// RipeIn is after how long the missing sign could be there: a matter of time only. Zero: waiting alone will not do.
	RipeIn time.Duration
}

// Cause looks for one cause in the facts. It is told how often Prometheus scrapes, since that is how old its facts may be.
type Cause func(facts evidence.Facts, scrape time.Duration) Finding

// Causes is the table of contents: every cause that this healer can name, one file each.
func Causes() map[incident.Cause]Cause {
	return map[incident.Cause]Cause{
		incident.ConnectionLeak: connectionLeak,
		incident.BadRelease:     badRelease,
		incident.LockContention: lockContention,
		incident.SlowQuery:      slowQuery,
		incident.NetworkLatency: networkLatency,
		incident.ServerCap:      serverCap,
		incident.SlowDownstream: slowDownstream,
		incident.TrafficSurge:   trafficSurge,
	}
}

// Diagnose ranks all causes. It names one when that is certain and no other comes close; else it is inconclusive. scrape
// is how often Prometheus scrapes.
func Diagnose(facts evidence.Facts, round int, scrape time.Duration) Result {
	findings := ranked(facts, scrape)
	result := Result{Gone: gone(facts), LookAgainIn: lookAgainIn(facts, findings, scrape)}
	result.Harmless = !result.Gone && harmless(facts, findings)
	if result.Gone || result.Harmless {
		result.LookAgainIn = nextScrape(scrape) // what is over must show in two samples
	}
	d := incident.Diagnosis{Cause: incident.Inconclusive, Subjects: []string{}, Round: round}
	for _, f := range findings {
		d.Ranked = append(d.Ranked, f.Candidate)
	}
	best := findings[0]
	switch {
	case best.Candidate.Score < Certain:
		d.Summary = fmt.Sprintf("inconclusive: %s is likeliest with %.2f of 1; against it: %s", best.Candidate.Cause,
			best.Candidate.Score, strings.Join(best.Candidate.Against, "; "))
	case len(findings) > 1 && best.Candidate.Score-findings[1].Candidate.Score < Margin:
		d.Summary = fmt.Sprintf("inconclusive: %s and %s are too close together", best.Candidate.Cause,
			findings[1].Candidate.Cause)
	default:
		d.Cause, d.Workload, d.Subjects, d.Sessions = best.Candidate.Cause, best.Workload, slices.Clone(best.Subjects), best.Sessions
		slices.Sort(d.Subjects)
		d.Summary = fmt.Sprintf("%s on %s", d.Cause, strings.Join(d.Subjects, ", "))
		d.Ranked[0].For = append(d.Ranked[0].For, corroborate(facts, d.Cause)...)
	}
	if d.Cause == incident.Inconclusive {
		d.Summary += silent(facts)
	}
	if result.Harmless && d.Cause == incident.Inconclusive {
		d.Summary = "harmless: pools turn callers away now and then, but the checkouts at the edge are good and no cause comes near"
	}
	if result.Gone && d.Cause == incident.Inconclusive {
		d.Summary = "the symptom is gone: the edge is good and no pool turns callers away"
	}
	result.Diagnosis = d
	return result
}

// silent names the sources that could not be asked: without them most causes cannot be told.
func silent(facts evidence.Facts) string {
	text := ""
	for _, f := range facts {
		decides := f.Source == evidence.Prometheus || f.Source == evidence.Postgres || f.Source == evidence.Workloads
		if f.Name == "source" && f.Status == incident.Unknown && decides {
			text += fmt.Sprintf("; %s is unknown: %s", f.Source, f.Detail)
		}
	}
	return text
}

func ranked(facts evidence.Facts, scrape time.Duration) []Finding {
	var findings []Finding
	for _, look := range Causes() {
		findings = append(findings, look(facts, scrape))
	}
	slices.SortFunc(findings, func(a, b Finding) int {
		if a.Candidate.Score != b.Candidate.Score {
			return int(max(-1, min(1, (b.Candidate.Score-a.Candidate.Score)*1e9)))
		}
		return strings.Compare(string(a.Candidate.Cause), string(b.Candidate.Cause))
	})
	return findings
}

// lookAgainIn waits for the youngest sign to ripen; where no pool looks full yet, for Prometheus' next sample.
func lookAgainIn(facts evidence.Facts, findings []Finding, scrape time.Duration) time.Duration {
	for _, f := range findings {
		if f.RipeIn > 0 {
			return f.RipeIn
		}
	}
	for _, replica := range facts.Subjects(evidence.PoolIdle) {
		if idle, ok := facts.Get(evidence.PoolIdle, replica); ok && idle.Value == 0 {
			return soon(scrape)
		}
	}
	return nextScrape(scrape)
}
