package report

import (
	"fmt"
	"math"
	"time"

	"github.com/faultline-lab/faultline/autoheal/incident"
)

type impactView struct {
	Sentences []string
	Chart     string
	ChartFrom string
}

// impactInShort is the impact for the first screen.
func (b *builder) impactInShort() string {
	if !b.edgeKnown() {
		return b.cites.unknown(b.edgeGap(), "failed checkouts")
	}
	e, g := b.in.Telemetry.Edge, b.in.Telemetry.Grid
	if b.journey.firstBad < 0 {
		return "none: no bad second at the edge " + b.cites.mark(e.Fast, "bad seconds", "0")
	}
	t := b.journey.toll(e, g)
	text := fmt.Sprintf("**%s failed** %s and %s slow %s, of %s, in %s",
		count(t.failed, "checkout"), b.cites.mark(e.All, "failed checkouts", number(t.failed)),
		number(t.slow), b.cites.mark(e.Fast, "slow checkouts", number(t.slow)),
		number(t.total), b.spell())
	if t.taken > 0 {
		text += fmt.Sprintf("; %s only taken for later (202)", number(t.taken))
	}
	if t.blind > 0 {
		text += fmt.Sprintf("; at least, for %s had no reading", count(float64(t.blind), "step"))
	}
	return text
}

// spell says how long it went badly.
func (b *builder) spell() string {
	g, j := b.in.Telemetry.Grid, b.journey
	if j.settled >= 0 {
		text := took(g.Since(j.settled).Sub(g.Since(j.firstBad)))
		if j.relapses > 0 {
			text += ", relapse included"
		}
		return text
	}
	return took(g.End().Sub(g.Since(j.firstBad))) + " and not well by the end of the window"
}

// budget sets the checkouts that were not good against what the objective allows. It takes the rate of traffic from
// before the incident for the whole period, and says so.
func (b *builder) budget() string {
	if !b.edgeKnown() {
		return b.cites.unknown(b.edgeGap(), "error budget spent")
	}
	e, g, o := b.in.Telemetry.Edge, b.in.Telemetry.Grid, b.in.Objective
	rate := b.journey.before(e, g)
	switch {
	case b.journey.firstBad < 0:
		return "nothing to speak of: no bad second"
	case o.Target <= 0 || o.Target >= 1 || o.Window <= 0:
		return "unknown: no objective was given"
	case math.IsNaN(rate) || rate <= 0:
		return "unknown: the window holds no traffic from before the incident to reckon with"
	}
	t := b.journey.toll(e, g)
	perSecond := (1 - o.Target) * rate
	spent := (t.failed + t.slow) / (perSecond * o.Window.Seconds())
	allowed := time.Duration((t.failed + t.slow) / perSecond * float64(time.Second))
	return fmt.Sprintf("**%s** of the %s budget of %s good checkouts %s, at the %.1f checkouts/s of before: as much as it allows in %s",
		percent(spent), period(o.Window), number(100*o.Target)+" %",
		b.cites.mark(e.All, "rate before", fmt.Sprintf("%.1f checkouts/s", rate)), rate, took(allowed))
}

func period(d time.Duration) string {
	if days := d.Hours() / 24; days >= 1 {
		return number(math.Round(days*10)/10) + "-day"
	}
	return took(d)
}

func (b *builder) impact() impactView {
	if !b.edgeKnown() {
		return impactView{Sentences: []string{
			"What clients saw is " + b.cites.unknown(b.edgeGap(), "checkouts per second") + ".",
		}}
	}
	e, g, j := b.in.Telemetry.Edge, b.in.Telemetry.Grid, b.journey
	v := impactView{Chart: b.edgeChart().String()}
	v.ChartFrom = fmt.Sprintf("Checkouts per %s at the edge, %s to %s; answered and failed %s, good and slow %s.",
		stepName(g.Step), clock(g.Start), clock(g.End()), b.cites.mark(e.All, "answered and failed, each step", "the chart"),
		b.cites.mark(e.Fast, "good and slow, each step", "the chart"))
	if j.firstBad < 0 {
		v.Sentences = []string{"Clients were not hurt: at no second did more than 5 % of the checkouts fail or take too long " +
			b.cites.mark(e.Fast, "bad seconds", "0") + "."}
		return v
	}
	t := j.toll(e, g)
	v.Sentences = []string{
		fmt.Sprintf("Bad seconds (more than 5 %% of their checkouts failed or took too long): **%s** %s; in the worst, %s of the checkouts were good.",
			number(float64(j.badSteps)*g.Step.Seconds()), b.cites.mark(e.Fast, "bad seconds", number(float64(j.badSteps)*g.Step.Seconds())),
			percent(t.worst)),
	}
	if t.taken > 0 {
		v.Sentences = append(v.Sentences, fmt.Sprintf("Orders that were taken for later (202), in time: **%s** %s. They count as neither good nor failed; "+
			"they made the difference in %s.", number(t.taken), b.cites.mark(e.Fast, "taken for later", number(t.taken)), seconds(j.laterSteps, g.Step)))
	}
	if j.unclear > 0 {
		v.Sentences = append(v.Sentences, fmt.Sprintf("Could not be judged, for want of a reading or of traffic: %s.",
			seconds(j.unclear, g.Step)))
	}
	if j.relapses > 0 {
		v.Sentences = append(v.Sentences, fmt.Sprintf("Not good again after ten good seconds running: %s.",
			seconds(j.relapses, g.Step)))
	}
	return v
}

func seconds(steps int, step time.Duration) string {
	return count(float64(steps)*step.Seconds(), "second")
}

func stepName(step time.Duration) string {
	if step == time.Second {
		return "second"
	}
	return step.String()
}

func (b *builder) edgeChart() chart {
	e := b.in.Telemetry.Edge
	failed, slow := NewLine(len(e.Total)), NewLine(len(e.Total))
	for i := range e.Total {
		failed[i] = max(e.Total[i]-e.Done[i], 0)
		slow[i] = max(e.Done[i]-e.Good[i]-e.taken(i), 0)
	}
	top := highest(e.Total)
	rows := []chartRow{{"answered", e.Total, top}, {"good", e.Good, top}, {"slow", slow, top}, {"failed", failed, top}}
	if highest(e.Taken) > 0 {
		rows = append(rows, chartRow{"for later", e.Taken, top})
	}
	return chart{grid: b.in.Telemetry.Grid, moments: b.moments(), rows: rows}
}

// moments are the marks under the charts.
func (b *builder) moments() []moment {
	s, g := b.in.Incident.Stages, b.in.Telemetry.Grid
	var moments []moment
	if b.journey.firstBad >= 0 {
		moments = append(moments, moment{'!', "first bad", g.Since(b.journey.firstBad)})
	}
	add := func(letter rune, what string, at *time.Time) {
		if at != nil {
			moments = append(moments, moment{letter, what, *at})
		}
	}
	add('A', "alert", s.AlertStartsAt)
	add('W', "webhook", s.WebhookReceived)
	add('X', "action begins", s.ActionStarted)
	add('F', "action finished", s.ActionFinished)
	if b.journey.mitigated >= 0 {
		moments = append(moments, moment{'M', "mitigated", g.Since(b.journey.mitigated)})
	}
	for _, a := range b.in.Incident.Actions {
		if a.Undo != nil && a.Undo.State == incident.Undone {
			add('U', "undone", a.Undo.FinishedAt)
		}
	}
	if b.journey.recovered >= 0 {
		moments = append(moments, moment{'R', "recovered", g.Since(b.journey.recovered)})
	}
	if b.provedWithout() {
		add('V', "watched without the change", s.Verified)
	} else {
		add('V', "proof complete", s.Verified)
	}
	return moments
}
