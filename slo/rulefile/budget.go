package rulefile

import (
	"fmt"

	"github.com/faultline-lab/faultline/slo/model"
)

// budget is what is left of the period's budget, and what was promised.
func (m maker) budget() Group {
	objective, period := m.slo.For(m.profile.Name), m.profile.Period(m.slo.Period)
	remaining := m.record(Remaining, fmt.Sprintf("1 - %s\n  / %s\n  * %s", m.periodRatio(), m.budgetShare(), m.observed()))
	remaining.Comment = "What has not been observed of the period counts as good: else the first bad minute of a new Prometheus would be all there is."
	return Group{Name: "slo-" + m.slo.Name + "-budget", Interval: m.profile.Budget, Rules: []Rule{
		remaining,
		m.record(Objective, "vector("+model.Number(objective)+")"),
		m.record(Period, "vector("+model.Number(period.Seconds())+")"),
	}}
}

// periodRatio is the error ratio of the period as far as it is known. It is made of what is recorded, which is one series:
// the raw series of every replica there ever was, over 30 days, are many.
func (m maker) periodRatio() string {
	period, shortest := model.Duration(m.profile.Period(m.slo.Period)), model.Duration(m.profile.Shortest())
	switch {
	case m.slo.Indicator.Counted():
		// That nothing was asked for is known, and spends nothing; where nobody measured, there is no series to be 0.
		events := fmt.Sprintf("sum_over_time(%s[%s])", m.series(Events+shortest), period)
		return fmt.Sprintf("(sum_over_time(%s[%s]) / (%s > 0) or 0 * %s)", m.series(BadEvents+shortest), period, events, events)
	case m.slo.Indicator.Windowed():
		return fmt.Sprintf("avg_over_time(%s[%s])", m.series(ErrorRatio+shortest), period)
	default:
		return "(" + m.sampledRatio(period) + ")"
	}
}

// observed is the share of the period for which there are samples.
func (m maker) observed() string {
	of, every := Samples, m.profile.Fast
	switch {
	case m.slo.Indicator.Counted():
		of = Events + model.Duration(m.profile.Shortest())
	case m.slo.Indicator.Windowed():
		of = ErrorRatio + model.Duration(m.profile.Shortest())
	case m.slo.Indicator.Slice.Window > 0:
		every = m.slo.Indicator.Slice.Window
	}
	period := m.profile.Period(m.slo.Period)
	return fmt.Sprintf("clamp_max(count_over_time(%s[%s]) * %s / %s, 1)",
		m.series(of), model.Duration(period), model.Number(every.Seconds()), model.Number(period.Seconds()))
}
