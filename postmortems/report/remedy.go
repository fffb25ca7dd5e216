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
			Rung: number(float64(a.Rung + 1)), Remedy: inline(a.Remedy), Target: inline(a.Target),
			Began: clock(a.StartedAt) + " (" + relative(a.StartedAt, b.zero) + ")",
			Took:  "no end in the record", Result: inline(strings.TrimSpace(a.Result + " " + a.Detail)), Before: inline(a.PreState),
		}
		if a.FinishedAt != nil {
			row.Took = took(a.FinishedAt.Sub(a.StartedAt))
		}
		rows = append(rows, row)
	}
	return rows
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

type readingRow struct{ Clock, Relative, Total, Good, Verdict string }

// proofInShort says whether the healer's own proof is complete.
func (b *builder) proofInShort() string {
	v := b.in.Incident.Verification
	if len(v.Readings) == 0 {
		return "none was taken"
	}
	inARow := 0
	for _, r := range v.Readings {
		inARow++
		if !r.OK || r.Status != incident.Known {
			inARow = 0
		}
	}
	if b.in.Incident.Stages.Verified == nil {
		return fmt.Sprintf("incomplete: the last %d of %s were good, %d in a row are required", inARow,
			count(float64(len(v.Readings)), "reading"), v.Required)
	}
	return fmt.Sprintf("%d good readings of the edge in a row were required, %d were seen", v.Required, inARow)
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
	from := Provenance{Source: "edge", Query: b.in.Incident.Verification.Source}
	readings := b.in.Incident.Verification.Readings
	for _, r := range readings[max(len(readings)-maxRows, 0):] { // the last ones are the proof
		row := readingRow{
			Clock: clock(r.At), Relative: relative(r.At, b.zero), Total: number(r.Total), Good: number(r.Good), Verdict: "bad",
		}
		switch {
		case r.Status != incident.Known || math.IsNaN(r.Total):
			row.Total, row.Good, row.Verdict = "unknown", "unknown", "unknown"
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
