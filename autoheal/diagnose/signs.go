package diagnose

import (
	"fmt"
	"time"

	"github.com/faultline-lab/faultline/autoheal/incident"
)

// signs are what one cause must show, each of them.
type signs struct {
	all []sign
	// missing is how long until a sign could be there that lacks only time; zero where none does.
	missing time.Duration
}

// sign is one of them. Deciding ones are those without which it cannot be this cause, however much else looks like it.
type sign struct {
	there, deciding bool
	text            string
}

// decides adds a sign without which it is another cause. When its facts are unknown it is not there.
func (s *signs) decides(there, known bool, yes, no, unknown string) {
	s.add(true, there, known, yes, no, unknown)
}

// needs adds a sign that the cause has as others have it too.
func (s *signs) needs(there, known bool, yes, no, unknown string) {
	s.add(false, there, known, yes, no, unknown)
}

func (s *signs) add(deciding, there, known bool, yes, no, unknown string) {
	text := yes
	switch {
	case !known:
		text, there = unknown+" is unknown", false
	case !there:
		text = no
	}
	s.all = append(s.all, sign{there, deciding, text})
}

// ripensIn says that a sign which is not there lacks only time.
func (s *signs) ripensIn(d time.Duration) { s.missing = max(s.missing, d, 50*time.Millisecond) }

const (
	// nearScore is that of a cause of which all that decides is there, but not all that it needs.
	nearScore = 0.9
	// farScore is the most that a cause can have without what decides.
	farScore = 0.5
)

// finding sums up. A cause that lacks what decides stays far behind one that has everything, whatever the two share.
func (s *signs) finding(cause incident.Cause) Finding {
	f := Finding{Candidate: incident.Candidate{Cause: cause, For: []string{}, Against: []string{}}, RipeIn: s.missing}
	decided, lacking := true, 0
	for _, one := range s.all {
		if one.there {
			f.Candidate.For = append(f.Candidate.For, one.text)
			continue
		}
		f.Candidate.Against = append(f.Candidate.Against, one.text)
		lacking++
		decided = decided && !one.deciding
	}
	switch {
	case lacking == 0:
		f.Candidate.Score = Certain
	case decided:
		f.Candidate.Score = nearScore
	default:
		f.Candidate.Score = farScore * float64(len(f.Candidate.For)) / float64(len(s.all))
	}
	if lacking != 1 {
		f.RipeIn = 0 // more than time is missing, or nothing
	}
	return f
}

// near says that the cause is certain or lacks nothing that decides, or nothing but time.
func (f Finding) near() bool { return f.Candidate.Score >= nearScore || f.RipeIn > 0 }

// on says that the cause is seen on all replicas of a pool.
func (f Finding) on(p pool) Finding { return f.about(p.workload, p.replicas) }

func (f Finding) about(workload string, subjects []string) Finding {
	f.Workload, f.Subjects = workload, subjects
	return f
}

func percent(share float64) string { return fmt.Sprintf("%.0f %%", 100*share) }
