package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/faultline-lab/faultline/autoheal/incident"
)

type causeView struct {
	Summary    string
	Meaning    string // what this cause is, in general
	Factors    string // what contributes to it, in general
	Sessions   []sessionRow
	Candidates []candidateView
	Round      int
	Facts      []factRow
	Unknown    int
}

type candidateView struct {
	Cause        string
	Score        string
	For, Against []string
}

type factRow struct{ Fact, Subject, Value, Threshold, Source, Detail string }

// roundView is one gathering of evidence that the diagnosis did not stand on.
type roundView struct {
	Round int
	Facts []factRow
}

// cause shows what was diagnosed, and the facts of the round that it stands on.
func (b *builder) cause() causeView {
	d := b.in.Incident.Diagnosis
	v := causeView{Round: d.Round, Facts: b.factsOf(d.Round)}
	v.Summary = "**" + inline(string(d.Cause)) + "**"
	if d.Summary != "" {
		v.Summary += ": " + sentence(inline(d.Summary))
	}
	text := textOf(b.in.Incident)
	v.Meaning, v.Factors, v.Sessions = text.meaning, text.factors, b.sessions()
	if d.Cause == "" {
		v.Summary, v.Meaning, v.Factors = "The record holds no diagnosis.", "", ""
	}
	for _, c := range d.Ranked {
		v.Candidates = append(v.Candidates, candidateView{
			Cause: inline(string(c.Cause)), Score: fmt.Sprintf("%.2f", c.Score),
			For: inlineAll(c.For), Against: inlineAll(c.Against),
		})
	}
	for _, f := range b.in.Incident.Evidence {
		if f.Round == d.Round && f.Status != incident.Known {
			v.Unknown++
		}
	}
	return v
}

// maxRounds bounds the gatherings of the appendix: whoever waits for a fault to pass looks often.
const maxRounds = 12

// earlierRounds are the other gatherings, the last of them, for the appendix.
func (b *builder) earlierRounds() []roundView {
	var rounds []roundView
	for _, f := range b.in.Incident.Evidence {
		other := f.Round != b.in.Incident.Diagnosis.Round
		if other && !slices.ContainsFunc(rounds, func(r roundView) bool { return r.Round == f.Round }) {
			rounds = append(rounds, roundView{Round: f.Round})
		}
	}
	slices.SortFunc(rounds, func(x, y roundView) int { return cmp.Compare(x.Round, y.Round) })
	rounds = rounds[max(len(rounds)-maxRounds, 0):]
	for i := range rounds {
		rounds[i].Facts = b.factsOf(rounds[i].Round)
	}
	return rounds
}

func (b *builder) factsOf(round int) []factRow {
	var rows []factRow
	for _, f := range b.in.Incident.Evidence {
		if f.Round == round {
			rows = append(rows, b.fact(f))
		}
	}
	return rows
}

func (b *builder) fact(f incident.Fact) factRow {
	row := factRow{
		Fact: code(f.Name), Subject: inline(f.Subject), Threshold: quantity(f.Threshold, f.Unit),
		Value: quantity(f.Value, f.Unit), Detail: inline(f.Detail),
	}
	if f.Status != incident.Known {
		row.Value, row.Threshold = "**unknown**", ""
		if f.Detail == "" {
			row.Detail = "the record does not say why"
		}
	}
	from := Provenance{Source: f.Source, Query: f.Query, Start: f.At, End: f.At}
	row.Source = inline(f.Source) + " " + b.cites.mark(from, f.Name+" of "+inline(f.Subject), strings.Trim(row.Value, "*"))
	return row
}
