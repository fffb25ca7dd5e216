package replay

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/faultline-lab/faultline/autoheal/correlate"
	"github.com/faultline-lab/faultline/autoheal/decide"
	"github.com/faultline-lab/faultline/autoheal/diagnose"
	"github.com/faultline-lab/faultline/autoheal/edge"
	"github.com/faultline-lab/faultline/autoheal/evidence"
	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/autoheal/playbook"
	"github.com/faultline-lab/faultline/autoheal/remedy"
	"github.com/faultline-lab/faultline/autoheal/workload"
)

// Config is what incidents are judged by.
type Config struct {
	Playbook playbook.Playbook
	// Another says that the playbook is not the one that the healer had.
	Another bool
	Map     correlate.Map
	// ScrapeInterval is how often Prometheus scraped; evidence.DefaultScrape by default.
	ScrapeInterval time.Duration
	// Harmful says why a remedy makes a cause worse; "" when it does not.
	Harmful func(cause incident.Cause, remedy string) string
}

// Report is what came of one incident.
type Report struct {
	ID string `json:"id"`
	// Same says that every decision came out as it was recorded.
	Same bool `json:"same"`
	// Rounds are the gatherings, oldest first.
	Rounds []Round `json:"rounds"`
}

// Round is one gathering and the choice that was made from it, as it was recorded and as it comes out now.
type Round struct {
	Round    int     `json:"round"`
	Recorded *Choice `json:"recorded"` // null where no cause was named, or the healer was stopped before it chose
	Replayed *Choice `json:"replayed"` // null where no cause is named
	Summary  string  `json:"summary"`  // of the diagnosis as it comes out now
	Same     bool    `json:"same"`
}

// Choice is a cause and what is to be done about it.
type Choice struct {
	Cause   incident.Cause `json:"cause"`
	Remedy  string         `json:"remedy,omitempty"`
	Targets []string       `json:"targets"`
	// Why is why nothing is to be done, or why the guards that need no more than the record refuse it.
	Why string `json:"why,omitempty"`
}

// Replayer judges incidents.
type Replayer struct {
	cfg      Config
	remedies map[string]remedy.Remedy
}

// New makes a replayer.
func New(cfg Config) (*Replayer, error) {
	if cfg.Harmful == nil {
		return nil, fmt.Errorf("replay: no harm list was given")
	}
	if cfg.ScrapeInterval == 0 {
		cfg.ScrapeInterval = evidence.DefaultScrape
	}
	r := &Replayer{cfg: cfg, remedies: map[string]remedy.Remedy{}}
	for _, d := range remedy.Known() {
		r.remedies[d.Name()] = onPaper{d}
	}
	return r, nil
}

// Replay judges one incident anew, round by round. Each round is judged by what was recorded before it, not by what would
// have come of another choice: nobody knows that.
func (r *Replayer) Replay(in incident.Incident) (Report, error) {
	report := Report{ID: in.ID, Same: true, Rounds: []Round{}}
	facts := byRound(in.Evidence)
	for _, n := range rounds(in) {
		decision := recorded(in, n)
		round, err := r.round(in, n, facts[n], decision)
		if err != nil {
			return report, fmt.Errorf("incident %s, round %d: %w", in.ID, n, err)
		}
		report.Rounds = append(report.Rounds, round)
		report.Same = report.Same && round.Same
	}
	return report, nil
}

func (r *Replayer) round(in incident.Incident, n int, facts evidence.Facts, d *incident.Decision) (Round, error) {
	result := diagnose.Diagnose(facts, n, r.cfg.ScrapeInterval)
	round := Round{Round: n, Summary: result.Diagnosis.Summary}
	if d == nil {
		round.Same = r.sameUndecided(in, n, result.Diagnosis)
		if result.Diagnosis.Cause != incident.Inconclusive {
			round.Replayed = &Choice{Cause: result.Diagnosis.Cause, Targets: []string{}, Why: "nothing was recorded that a choice could be made from"}
		}
		return round, nil
	}
	round.Recorded = &Choice{Cause: d.Cause, Remedy: d.Remedy, Targets: append([]string{}, d.Targets...), Why: why(*d)}
	if result.Diagnosis.Cause == incident.Inconclusive {
		return round, nil
	}
	var seen sight
	if err := json.Unmarshal(d.Seen, &seen); err != nil {
		return round, fmt.Errorf("what was seen cannot be read: %w", err)
	}
	s := remedy.Sight{Diagnosis: result.Diagnosis, Workloads: seen.Workloads, Facts: facts, Edge: seen.Edge}
	s.Diagnosis, _ = decide.Root(s, r.cfg.Map, in.Workload)
	round.Replayed = r.choose(in, *d, s)
	round.Same = same(*round.Recorded, *round.Replayed)
	return round, nil
}

// sight is what a decision records of the world (engine).
type sight struct {
	Workloads []workload.Workload `json:"workloads"`
	Edge      *edge.State         `json:"edge"`
}

func (r *Replayer) choose(in incident.Incident, d incident.Decision, s remedy.Sight) *Choice {
	choice := decide.Choose(decide.Situation{
		Playbook: r.cfg.Playbook, Remedies: r.remedies, Sight: s, Actions: asOf(in.Actions, d), Rung: r.from(in, d, s.Diagnosis.Cause),
	})
	c := &Choice{Cause: s.Diagnosis.Cause, Remedy: choice.Step.Remedy, Targets: []string{}, Why: choice.Exhausted + choice.Wait}
	for _, t := range choice.Targets {
		c.Targets = append(c.Targets, t.Name)
	}
	if harm := r.cfg.Harmful(c.Cause, c.Remedy); harm != "" {
		c.Why = "the harm list refuses it: " + harm
	}
	return c
}

// sameUndecided judges a round without a decision. Where it was the last one, its diagnosis is in the record. Before that, no
// cause was named, or the healer was stopped before it chose, which the record does not tell apart: then what follows speaks.
func (r *Replayer) sameUndecided(in incident.Incident, n int, d incident.Diagnosis) bool {
	return in.Diagnosis.Round != n || in.Diagnosis.Cause == d.Cause
}

// from is the rung from which on the choice is made. On another ladder it is the first that is not among what was chosen
// below the recorded one.
func (r *Replayer) from(in incident.Incident, d incident.Decision, cause incident.Cause) int {
	if !r.cfg.Another && (d.Cause == cause || d.Cause == "") {
		return d.From
	}
	var given []string
	for _, earlier := range in.Decisions {
		if earlier.Round < d.Round && earlier.Cause == cause && earlier.Rung < d.From {
			given = append(given, earlier.Remedy)
		}
	}
	rung := 0
	for _, step := range r.cfg.Playbook.Ladder(cause) {
		if !slices.Contains(given, step.Remedy) {
			break
		}
		rung++
	}
	return rung
}

func why(d incident.Decision) string {
	if len(d.Targets) > 0 && d.Result == "decided" {
		return ""
	}
	return d.Reason
}

// same compares what is to be done, and not the words about it.
func same(a, b Choice) bool {
	return (a.Cause == b.Cause || a.Cause == "") && a.Remedy == b.Remedy && slices.Equal(sorted(a.Targets), sorted(b.Targets))
}

func sorted(names []string) []string { return slices.Sorted(slices.Values(names)) }
