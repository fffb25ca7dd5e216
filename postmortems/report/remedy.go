package report

import (
	"fmt"
	"math"
	"strings"

	"github.com/faultline-lab/faultline/autoheal/incident"
)

type actionRow struct{ Rung, Remedy, Target, Began, Took, Result, Before string }

func (b *builder) actions() []actionRow {
	rows := make([]actionRow, 0, len(b.in.Incident.Actions))
	for _, a := range b.in.Incident.Actions {
		row := actionRow{
			Rung: number(float64(a.Rung + 1)), Remedy: inline(a.Remedy), Target: aim(a),
			Began: clock(a.StartedAt) + " (" + relative(a.StartedAt, b.zero) + ")",
			Took:  "no end in the record", Result: inline(strings.TrimSpace(a.Result + " " + a.Detail)), Before: inline(a.PreState),
		}
		if len(a.ReplacedBy) > 0 {
			row.Result += ", replaced by " + list(inlineAll(a.ReplacedBy))
		}
		if a.FinishedAt != nil {
			row.Took = took(a.FinishedAt.Sub(a.StartedAt))
		}
		rows = append(rows, row)
	}
	return rows
}

// aim is what an action was meant for: a replica by its name, all else with what was to be changed about it.
func aim(a incident.Action) string {
	switch a.Kind {
	case incident.WorkloadTarget, incident.EdgeTarget, incident.SessionsTarget:
		return inline(a.Target + " (" + a.Precondition + ")")
	default: // a replica, or a record from before there were kinds: its precondition is an id that tells a reader nothing
		return inline(a.Target)
	}
}

// healed says in a sentence or two what cured.
func (b *builder) healed() string {
	text := "Autoheal acted, and the edge's own figures proved that it helped."
	rungs := map[int]bool{}
	for _, a := range b.in.Incident.Actions {
		rungs[a.Rung] = true
	}
	if len(rungs) > 1 {
		text += fmt.Sprintf(" It took %d rungs of the ladder: what was tried first did not help, or not for long.", len(rungs))
	}
	if n := b.promised(); n > 0 {
		text += " While the fault lasted, orders were only taken for later (202): that mitigates and is no recovery, which came afterwards."
	}
	return text
}

// promised is how many readings were good only because orders that were taken for later count.
func (b *builder) promised() int {
	n := 0
	for _, r := range b.in.Incident.Verification.Readings {
		if onlyTaken(r) {
			n++
		}
	}
	return n
}

func onlyTaken(r incident.Reading) bool { return r.OK && r.Accepted > 0 && r.Good < goodShare*r.Total }

// cost is what the record says of the price of the healer's own actions: it is charged to the error budget by a guard.
func (b *builder) cost() string {
	verdicts := b.in.Incident.Verdicts
	for i := len(verdicts) - 1; i >= 0; i-- {
		if v := verdicts[i]; v.Guard == "own-damage" {
			return fmt.Sprintf("What its actions of the last hour had cost when it was last asked, %s: %s %s.", relative(v.At, b.zero),
				inline(v.Reason), b.cites.mark(b.in.Record, "own damage", inline(v.Reason)))
		}
	}
	return "What its actions themselves have cost is not in the record."
}

func (b *builder) remedyInShort() string {
	if len(b.in.Incident.Actions) == 0 {
		return "none: autoheal touched nothing"
	}
	var done []string
	for i, a := range b.in.Incident.Actions {
		if i == maxFigures {
			done = append(done, fmt.Sprintf("%d more", len(b.in.Incident.Actions)-i))
			break
		}
		result := a.Result
		if result == "" {
			result = "no result in the record"
		}
		done = append(done, fmt.Sprintf("%s %s (%s)", inline(a.Remedy), inline(a.Target), inline(result)))
	}
	return list(done) + " " + b.cites.mark(b.in.Record, "actions", number(float64(len(b.in.Incident.Actions))))
}

type recoveryView struct {
	Proof    string
	Source   string
	Edge     string
	Readings []readingRow
}

type readingRow struct{ Clock, Relative, Total, Good, Taken, Verdict string }

// proofInShort says whether the healer's own proof is complete.
func (b *builder) proofInShort() string {
	v := b.in.Incident.Verification
	if len(v.Readings) == 0 {
		return "none was taken"
	}
	inARow := lastRun(v.Readings)
	if b.in.Incident.Stages.Verified == nil {
		return fmt.Sprintf("incomplete: the last %d of %s were good, %d in a row are required", inARow,
			count(float64(len(v.Readings)), "reading"), v.Required)
	}
	text := fmt.Sprintf("%d good readings of the edge in a row were required, %d were seen", v.Required, inARow)
	if n := b.promised(); n > 0 {
		text += fmt.Sprintf("; %s before were good only with orders that were taken for later (202)", count(float64(n), "reading"))
	}
	return text
}

// lastRun is how many readings in a row were good at the end. Where the last one is good by orders that were completed, those that
// needed orders taken for later are no part of it.
func lastRun(readings []incident.Reading) int {
	run := 0
	for i := len(readings) - 1; i >= 0; i-- {
		r := readings[i]
		if !r.OK || r.Status != incident.Known || onlyTaken(r) && !onlyTaken(readings[len(readings)-1]) {
			break
		}
		run++
	}
	return run
}

func (b *builder) recovery() recoveryView {
	v := recoveryView{Proof: sentence(b.proofInShort()), Source: code(b.in.Incident.Verification.Source)}
	g, j := b.in.Telemetry.Grid, b.journey
	e := b.in.Telemetry.Edge
	switch {
	case !b.edgeKnown():
		v.Edge = "Whether clients were well again is " + b.cites.unknown(b.edgeGap(), "recovered at")
	case j.firstBad < 0:
		v.Edge = "The edge's series shows no bad second, so there was nothing to recover from"
	case j.recovered < 0:
		v.Edge = fmt.Sprintf("The edge's series shows **no recovery** (10 good seconds running) by %s %s",
			clock(g.End()), b.cites.mark(e.Fast, "recovered at", "not by the end"))
	default:
		at := g.Since(j.recovered)
		v.Edge = fmt.Sprintf("The edge's series shows the first of 10 good seconds running at %s (%s) %s", clock(at),
			relative(at, b.zero), b.cites.mark(e.Fast, "recovered at", clock(at)))
	}
	v.Edge = sentence(v.Edge)
	if j.mitigated >= 0 {
		at := g.Since(j.mitigated)
		v.Edge += fmt.Sprintf(" **Mitigated**, which is not recovered: from %s (%s) on, for ten seconds running, orders were completed or at least taken for later (202) %s.", clock(at),
			relative(at, b.zero), b.cites.mark(e.Fast, "mitigated at", clock(at)))
	}
	from := Provenance{Source: "edge", Query: b.in.Incident.Verification.Source}
	readings := b.in.Incident.Verification.Readings
	for _, r := range readings[max(len(readings)-maxRows, 0):] { // the last ones are the proof
		row := readingRow{
			Clock: clock(r.At), Relative: relative(r.At, b.zero), Total: number(r.Total), Good: number(r.Good),
			Taken: number(r.Accepted), Verdict: "bad",
		}
		switch {
		case r.Status != incident.Known || math.IsNaN(r.Total):
			row.Total, row.Good, row.Taken, row.Verdict = "unknown", "unknown", "unknown", "unknown"
		case onlyTaken(r):
			row.Verdict = "good enough: taken for later"
		case r.OK:
			row.Verdict = "good"
		}
		v.Readings = append(v.Readings, row)
	}
	if len(v.Readings) > 0 {
		v.Source += " " + b.cites.mark(from, "readings", "the table of readings")
	}
	return v
}

type verdictRow struct{ Guard, Remedy, Target, Verdict, Reason, At string }

// verdicts lists refusals first: they are what a reader looks for.
func (b *builder) verdicts() []verdictRow {
	var refused, allowed []verdictRow
	for _, v := range b.in.Incident.Verdicts {
		row := verdictRow{
			Guard: inline(v.Guard), Remedy: inline(v.Remedy), Target: inline(v.Target), Verdict: "allows",
			Reason: inline(v.Reason), At: relative(v.At, b.zero),
		}
		if v.Allowed {
			allowed = append(allowed, row)
			continue
		}
		row.Verdict = "**refuses**"
		refused = append(refused, row)
	}
	return append(refused, allowed...)
}
