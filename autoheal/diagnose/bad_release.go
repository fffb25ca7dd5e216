package diagnose

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/faultline-lab/faultline/autoheal/evidence"
	"github.com/faultline-lab/faultline/autoheal/incident"
)

// badRelease: connections leak on replicas of a new version, and on none of the version that served before. It need not have
// emptied a pool yet: where a leak is new with the version, two connections are enough.
func badRelease(facts evidence.Facts, scrape time.Duration) Finding {
	return likeliest(facts, incident.BadRelease, func(p pool) Finding {
		var s signs
		leaks := p.leaks(scrape)
		s.decides(len(leaks.replicas) > 0, leaks.known,
			fmt.Sprintf("connections are leaked on %s: %g are used in the pools and have been idle at the server for %s or more",
				strings.Join(leaks.replicas, ", "), leaks.connections, evidence.LongestHold),
			"no connections are leaked on "+p.workload, "whether connections are leaked")
		if leaks.ripeIn > 0 {
			s.ripensIn(leaks.ripeIn)
		}
		young, old, dated := p.releases(leaks.replicas)
		s.decides(len(leaks.replicas) > 0 && len(old) == 0 && len(young) > 0, dated,
			fmt.Sprintf("all of them run a version that is new: %s", releaseText(facts, young)),
			fmt.Sprintf("%s runs no version that is new", strings.Join(old, ", ")), evidence.ReleaseAge)
		p.suffers(&s)
		p.named(&s)
		return s.finding(incident.BadRelease).about(p.workload, young)
	})
}

// leaking are the replicas of a workload that leak.
type leaking struct {
	replicas    []string
	connections float64
	known       bool
	ripeIn      time.Duration
}

// leaks looks for replicas on which connections are leaked, be it some or all.
func (p pool) leaks(scrape time.Duration) leaking {
	found := leaking{known: true}
	for _, replica := range p.replicas {
		n, known := leaked(p.facts, replica)
		found.known = found.known && known
		if !known || n < leaksOfNote {
			continue
		}
		seen, life := pictures(p.facts, replica)
		switch {
		case life < 0 || seen > evidence.LongestHold.Seconds():
			// The pool was seen before these sessions fell idle, or in another life: they may be idle in it by now.
			found.ripeIn = max(found.ripeIn, scrape-time.Duration(seen*float64(time.Second))+arrival, arrival)
		default:
			found.replicas, found.connections = append(found.replicas, replica), found.connections+n
		}
	}
	return found
}

// releases parts replicas into those of a new version and all others; false where the release of one is unknown.
func (p pool) releases(replicas []string) (young, old []string, known bool) {
	known = true
	for _, replica := range replicas {
		isNew, dated := newRelease(p.facts, replica)
		known = known && dated
		if isNew {
			young = append(young, replica)
		} else {
			old = append(old, replica)
		}
	}
	return young, old, known
}

// newRelease says that a replica's version is younger than the window in which a release is evidence, and than another one
// that served before.
func newRelease(facts evidence.Facts, replica string) (isNew, known bool) {
	age, dated := facts.Get(evidence.ReleaseAge, replica)
	lead, compared := facts.Get(evidence.ReleaseLead, replica)
	return age.Value < age.Threshold && lead.Value > 0, dated && compared
}

func releaseText(facts evidence.Facts, replicas []string) string {
	if len(replicas) == 0 {
		return "none"
	}
	age, _ := facts.Get(evidence.ReleaseAge, replicas[0])
	lead, _ := facts.Get(evidence.ReleaseLead, replicas[0])
	return fmt.Sprintf("%s, seen for %.1f s, and %.1f s after another", age.Detail, age.Value, lead.Value)
}

// explained says that all who leak run a new version, which is then the cause. What is unknown explains nothing: a restart
// harms nobody then, and a relapse will tell.
func explained(facts evidence.Facts, replicas []string) bool {
	return len(replicas) > 0 && !slices.ContainsFunc(replicas, func(replica string) bool {
		isNew, known := newRelease(facts, replica)
		return !isNew || !known
	})
}
