package rulefile

import (
	"fmt"
	"strings"
	"time"

	"github.com/faultline-lab/faultline/slo/model"
	"github.com/faultline-lab/faultline/slo/profile"
)

// Group is one of a rule file's groups.
type Group struct {
	Name     string
	Interval time.Duration
	Rules    []Rule
}

// Rule is a recording rule or an alert.
type Rule struct {
	Record, Alert string
	Expr          string
	For           time.Duration
	Labels        []Pair
	Annotations   []Pair
	// Comment is a sentence for whoever reads the file.
	Comment string
}

// Pair is a key and its value, in the order they are written.
type Pair struct{ Key, Value string }

// Groups are the rules of an SLO in a profile.
func Groups(slo model.SLO, p profile.Profile) ([]Group, error) {
	if window := slo.Indicator.Slice.Window; window*profile.Scrapes > p.Shortest() {
		return nil, fmt.Errorf("%s: slices of %s are too long for profile %s, whose window of %s must hold %d of them",
			slo.Places.Of(model.AtSlice), model.Duration(window), p.Name, model.Duration(p.Shortest()), profile.Scrapes)
	}
	m := maker{slo, p}
	fast := Group{Name: "slo-" + slo.Name, Interval: p.Fast}
	slow := Group{Name: fast.Name + "-slow", Interval: p.Slow}
	var groups []Group
	if !slo.Indicator.Counted() && !slo.Indicator.Windowed() {
		groups = append(groups, m.samples())
	}
	for _, window := range p.Windows() {
		if window <= p.FastUpTo {
			fast.Rules = append(fast.Rules, m.window(window)...)
		} else {
			slow.Rules = append(slow.Rules, m.window(window)...)
		}
	}
	for _, alert := range p.For(slo.Alerting.Severity) {
		if alert.Severity == model.Page || len(slow.Rules) == 0 {
			fast.Rules = append(fast.Rules, m.burn(alert))
		} else {
			slow.Rules = append(slow.Rules, m.burn(alert))
		}
	}
	if absent, watched := m.absent(); watched {
		fast.Rules = append(fast.Rules, absent)
	}
	groups = append(groups, fast)
	if len(slow.Rules) > 0 {
		groups = append(groups, slow)
	}
	return append(groups, m.budget()), nil
}

// maker makes the rules of one SLO in one profile.
type maker struct {
	slo     model.SLO
	profile profile.Profile
}

func (m maker) labels() []Pair {
	return []Pair{{"slo", m.slo.Name}, {"workload", m.slo.Workload}}
}

// series is one of the SLO's recorded series.
func (m maker) series(name string) string { return fmt.Sprintf("%s{slo=%q}", name, m.slo.Name) }

func (m maker) record(name, expr string) Rule {
	return Rule{Record: name, Expr: expr, Labels: m.labels()}
}

// budgetShare is the share of events that may be bad, so written that the objective is seen.
func (m maker) budgetShare() string { return "(1 - " + model.Number(m.slo.For(m.profile.Name)) + ")" }

// The names of the series; those over a window end in it, like slo:error_ratio:rate5m.
const (
	Events      = "slo:events:rate"      // events a second
	BadEvents   = "slo:bad_events:rate"  // those of them that are bad
	ErrorRatio  = "slo:error_ratio:rate" // the share that is bad
	BurnRate    = "slo:burn_rate:rate"   // how many times too fast that uses up the budget
	Samples     = "slo:samples:value"    // what there is of this moment, of what is sampled
	BadSamples  = "slo:bad_samples:value"
	Remaining   = "slo:error_budget_remaining:ratio" // 1 is all of it, below 0 it is overdrawn
	Objective   = "slo:objective:ratio"
	Period      = "slo:period:seconds"
	AlertSuffix = "ErrorBudgetBurn"
	BlindSuffix = "Unmeasured"
)

// samples are recorded as often as they are looked at, or once a slice.
func (m maker) samples() Group {
	bad, total := m.slo.Indicator.Sample()
	if m.slo.Indicator.Ratio == nil || m.slo.Indicator.Slice.Window > 0 {
		total = "0 * " + m.series(BadSamples) + " + 1" // each is one
	}
	group := Group{Name: "slo-" + m.slo.Name + "-samples", Interval: m.profile.Fast, Rules: []Rule{
		m.record(BadSamples, bad), m.record(Samples, total),
	}}
	if window := m.slo.Indicator.Slice.Window; window > 0 {
		group.Interval = window
	}
	return group
}

// window is what is recorded over one window.
func (m maker) window(window time.Duration) []Rule {
	w := model.Duration(window)
	var rules []Rule
	var ratio string
	switch {
	case m.slo.Indicator.Counted():
		recorded := "sum(" + m.series(Events+w) + ")"
		rules = append(rules, m.record(Events+w, m.slo.Indicator.Events(window)),
			m.record(BadEvents+w, m.slo.Indicator.BadEvents(window, recorded)))
		ratio = m.series(BadEvents+w) + " / (" + m.series(Events+w) + " > 0)"
	case m.slo.Indicator.Windowed():
		ratio = m.slo.Indicator.ErrorRatio(window)
	default:
		ratio = m.sampledRatio(w)
	}
	burn := fmt.Sprintf("%s / %s", m.series(ErrorRatio+w), m.budgetShare())
	return append(rules, m.record(ErrorRatio+w, ratio), m.record(BurnRate+w, burn))
}

func (m maker) sampledRatio(window string) string {
	return fmt.Sprintf("sum_over_time(%s[%s]) / (sum_over_time(%s[%s]) > 0)", m.series(BadSamples), window, m.series(Samples), window)
}

// burn is the alert of several pairs of windows.
func (m maker) burn(alert profile.Alert) Rule {
	var pairs []string
	var longs []string
	slowest := alert.Pairs[0].BurnRate
	for _, pair := range alert.Pairs {
		pairs = append(pairs, m.pair(pair))
		longs = append(longs, model.Duration(pair.Long))
		slowest = min(slowest, pair.BurnRate)
	}
	expr := pairs[0]
	if len(pairs) > 1 {
		expr = "(\n" + indent(strings.Join(pairs, "\n)\nor\n(\n")) + "\n)"
		expr = strings.ReplaceAll(expr, "\n  )\n  or\n  (\n", "\n)\nor\n(\n")
	}
	return Rule{
		Alert: AlertName(m.slo), Expr: expr, For: m.profile.Hold, Labels: m.alertLabels(alert.Severity),
		Annotations: m.annotations(fmt.Sprintf("%s: not so for {{ $value | humanizePercentage }} over the last %s; the error budget of %s %s.",
			m.title(), strings.Join(longs, " or "), model.Duration(m.profile.Period(m.slo.Period)), m.speed(slowest))),
	}
}

func (maker) speed(burnRate float64) string {
	if burnRate <= 1 {
		return "will not last"
	}
	return fmt.Sprintf("is used up %s times too fast or faster", model.Number(burnRate))
}

func (m maker) pair(pair profile.Pair) string {
	long, short := model.Duration(pair.Long), model.Duration(pair.Short)
	bound := model.Number(pair.BurnRate) + " * " + m.budgetShare()
	expr := fmt.Sprintf("%s > %s\n  and %s > %s", m.series(ErrorRatio+long), bound, m.series(ErrorRatio+short), bound)
	if minimum := MinimumBad(m.slo, m.profile); minimum > 0 {
		expr += fmt.Sprintf("\n  and %s * %s > %s", m.series(BadEvents+short), model.Number(pair.Short.Seconds()), model.Number(minimum))
	}
	return expr
}

// MinimumBad is how many bad events a short window must hold before an alert of an SLO fires; 0 for what is not counted.
func MinimumBad(slo model.SLO, p profile.Profile) float64 {
	switch {
	case !slo.Indicator.Counted():
		return 0
	case slo.Alerting.MinimumBad >= 0:
		return slo.Alerting.MinimumBad
	default:
		return p.MinimumBad
	}
}

// absent is the alert for a source that nobody measures.
func (m maker) absent() (Rule, bool) {
	alerting := m.slo.Alerting
	if alerting.Present == "" || alerting.IgnoreAbsent {
		return Rule{}, false
	}
	severity := m.profile.AbsentSeverity
	if alerting.Severity == model.Ticket || alerting.AbsentSeverity == model.Ticket {
		severity = model.Ticket
	}
	return Rule{
		Alert: camel(m.slo.Name) + BlindSuffix, Expr: "absent(" + alerting.Present + ")", For: m.profile.AbsentFor,
		Labels: m.alertLabels(severity),
		Annotations: m.annotations(fmt.Sprintf("Nothing has been heard of %s for %s: nobody knows whether this holds: %s.",
			m.slo.Workload, model.Duration(m.profile.AbsentFor), m.title())),
	}, true
}

func (m maker) alertLabels(severity model.Severity) []Pair {
	return []Pair{{"severity", string(severity)}, {"workload", m.slo.Workload}, {"job", m.slo.Workload}, {"slo", m.slo.Name}}
}

func (m maker) annotations(summary string) []Pair {
	all := []Pair{{"summary", summary}}
	if m.slo.Alerting.Runbook != "" {
		all = append(all, Pair{"runbook", m.slo.Alerting.Runbook})
	}
	if m.slo.Alerting.Dashboard != "" {
		all = append(all, Pair{"dashboard", m.slo.Alerting.Dashboard})
	}
	return all
}

// title is safe inside a template.
func (m maker) title() string { return strings.ReplaceAll(m.slo.Title, "{{", "{ {") }

// AlertName is the name of an SLO's burn alerts: CheckoutErrorBudgetBurn for checkout.
func AlertName(slo model.SLO) string { return camel(slo.Name) + AlertSuffix }

// camel writes orders-latency as OrdersLatency.
func camel(name string) string {
	var out strings.Builder
	for part := range strings.SplitSeq(name, "-") {
		if part != "" {
			out.WriteString(strings.ToUpper(part[:1]) + part[1:])
		}
	}
	return out.String()
}

func indent(text string) string { return "  " + strings.ReplaceAll(text, "\n", "\n  ") }
