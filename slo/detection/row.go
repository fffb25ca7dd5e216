package detection

import (
	"fmt"
	"time"

	"github.com/faultline-lab/faultline/slo/burnrate"
	"github.com/faultline-lab/faultline/slo/model"
	"github.com/faultline-lab/faultline/slo/profile"
)

// Clock is how often things happen in a simulation.
type Clock struct {
	Scrape, Evaluation time.Duration
}

// Tolerance is how far simulation and formula may be apart: the formula knows no samples, so what it sees at once is seen
// at the next scrape, and said at the evaluation after it.
func (c Clock) Tolerance() time.Duration { return c.Scrape + c.Evaluation }

// Row is one line of the table: an error ratio that begins, lasts, and ends.
type Row struct {
	SLO      model.SLO
	Profile  profile.Profile
	Severity profile.Severity
	Clock    Clock
	// Rate says what the error ratio is, in words; Ratio is the share of events that are bad.
	Rate  string
	Ratio float64
	// Lasts is how long the fault does.
	Lasts time.Duration
	// Detect and Reset are what the formula says, from the fault's beginning and from its end. Fires is false when the
	// ratio is one that the alert must bear.
	Fires         bool
	Detect, Reset time.Duration
}

// Rows are the lines for the alerts of an SLO in a profile.
func Rows(slo model.SLO, p profile.Profile) ([]Row, error) {
	promise, err := burnrate.New(slo.For(p.Name), p.Period(slo.Period))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", slo.Name, err)
	}
	var rows []Row
	for _, alert := range p.For(slo.Alerting.Severity) {
		lowest, longest := alert.Pairs[0].BurnRate, alert.Pairs[0].Long
		for _, pair := range alert.Pairs {
			lowest, longest = min(lowest, pair.BurnRate), max(longest, pair.Long)
		}
		threshold := promise.Ratio(lowest)
		for _, rate := range []struct {
			words string
			ratio float64
		}{
			{"all", 1},
			{"half", 0.5},
			{"one in ten", 0.1},
			{"2 x the lowest threshold", 2 * threshold},
			{"1.05 x the lowest threshold", 1.05 * threshold},
			{"0.95 x the lowest threshold", 0.95 * threshold},
		} {
			if rate.ratio > 1 || rate.ratio < 1 && !slo.Indicator.Counted() {
				continue // a bound is passed or it is not
			}
			row := Row{
				SLO: slo, Profile: p, Severity: alert.Severity, Clock: clockOf(p, alert.Severity), Rate: rate.words, Ratio: rate.ratio,
			}
			row.predict(promise, alert, longest)
			rows = append(rows, row)
		}
	}
	return rows, nil
}

// clockOf is how often a simulation scrapes and evaluates. Of the demo it is what the stack does. Production at 5 s would
// take minutes for each row of days, so it is looked at less often there; the shortest window that counts still holds ten
// scrapes.
func clockOf(p profile.Profile, severity profile.Severity) Clock {
	switch {
	case p.Name == profile.Demo:
		return Clock{time.Second, time.Second}
	case severity == profile.Page:
		return Clock{30 * time.Second, time.Minute}
	default:
		return Clock{4 * time.Minute, 8 * time.Minute}
	}
}

// predict fills in what the formula says. The fault lasts until it is found, and a while: so long that its end is not
// mistaken for its detection. One that must be borne lasts for the longest window, after which nothing changes any more.
func (r *Row) predict(promise burnrate.SLO, alert profile.Alert, longest time.Duration) {
	r.Lasts = longest
	if r.Detect, r.Fires = promise.Detect(r.Ratio, alert.Burns()); !r.Fires {
		return
	}
	r.Detect += r.Profile.Hold
	r.Lasts = (r.Detect + 4*r.Clock.Tolerance()).Truncate(r.Clock.Evaluation) + r.Clock.Evaluation
	r.Reset, _ = promise.Reset(r.Ratio, r.Lasts, alert.Burns())
}

// History is how long all was well before the fault: a window that holds less than its length would see more of it.
func (r Row) History() time.Duration {
	longest := time.Duration(0)
	for _, alert := range r.Profile.For(r.SLO.Alerting.Severity) {
		for _, pair := range alert.Pairs {
			if alert.Severity == r.Severity {
				longest = max(longest, pair.Long)
			}
		}
	}
	return longest + r.Clock.Tolerance()
}
