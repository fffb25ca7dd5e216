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

// soon is when to look again where a pool is in trouble and the picture is only not complete.
func soon(scrape time.Duration) time.Duration { return scrape * 2 / 5 }

// nextScrape is when to look again where Prometheus shows no trouble yet: its next sample may.
func nextScrape(scrape time.Duration) time.Duration { return scrape + arrival }

// Result is what one gathering says.
type Result struct {
	Diagnosis incident.Diagnosis
	// Gone says that the evidence shows the symptom to be over. It takes known facts to say so.
	Gone bool
	// Harmless says that the symptom is there, but the edge is known to be good and no cause is near.
	Harmless bool
	// LookAgainIn is after how long a second gathering is likely to tell more.
	LookAgainIn time.Duration
}

// Finding is what one cause's page has to say about the facts.
type Finding struct {
	Candidate incident.Candidate
	// Subjects are the replicas that show every sign of the cause.
	Subjects []string
	// RipeIn is after how long the missing sign could be there: a matter of time only. Zero: waiting alone will not do.
	RipeIn time.Duration
}

// Cause looks for one cause in the facts. It is told how often Prometheus scrapes, since that is how old its facts may be.
type Cause func(facts evidence.Facts, scrape time.Duration) Finding

// Passed says whether a fault has passed by what is known now, and why it is thought so; before is the evidence on which it
// was diagnosed. What is unknown has not passed.
func Passed(cause incident.Cause, before, now evidence.Facts) (passed bool, why string) {
	_, _ = before, now
	return false, fmt.Sprintf("nothing tells when %s has passed", cause)
}

// Causes is the table of contents: every cause that this healer can name, one file each.
func Causes() map[incident.Cause]Cause {
	return map[incident.Cause]Cause{
		incident.ConnectionLeak: connectionLeak,
	}
}

// Diagnose ranks all causes. It names one when that is certain and no other comes close; else it is inconclusive. scrape
// is how often Prometheus scrapes.
func Diagnose(facts evidence.Facts, round int, scrape time.Duration) Result {
	findings := ranked(facts, scrape)
	result := Result{Gone: gone(facts), LookAgainIn: lookAgainIn(facts, findings, scrape)}
	if result.Gone {
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
		d.Cause, d.Subjects = best.Candidate.Cause, best.Subjects
		d.Summary = fmt.Sprintf("%s on %s", d.Cause, strings.Join(d.Subjects, ", "))
	}
	if result.Gone && d.Cause == incident.Inconclusive {
		d.Summary = "the symptom is gone: the edge is good and no pool turns callers away"
	}
	result.Diagnosis = d
	return result
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

// gone is true when the edge is good and every pool has room or turns nobody away, all of it known.
func gone(facts evidence.Facts) bool {
	for _, f := range facts {
		if f.Source == evidence.Prometheus && f.Status == incident.Unknown {
			return false
		}
	}
	edges := facts.Subjects(evidence.EdgeGoodRatio)
	for _, edge := range edges {
		if ratio, ok := facts.Get(evidence.EdgeGoodRatio, edge); !ok || ratio.Value < evidence.GoodRatio {
			return false
		}
	}
	pools := facts.Subjects(evidence.PoolMax)
	for _, replica := range pools {
		idle, known := facts.Get(evidence.PoolIdle, replica)
		timeouts, counted := facts.Get(evidence.PoolTimeouts, replica)
		refusals, watched := facts.Get(evidence.PoolConnectRefusals, replica)
		if !known || !counted || !watched || refusals.Value > 0 || idle.Value == 0 && timeouts.Value > 0 {
			return false
		}
	}
	return len(edges) > 0 && len(pools) > 0
}
