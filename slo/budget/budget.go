package budget

import (
	"encoding/json"
	"fmt"
	"math"
	"time"

	"github.com/faultline-lab/faultline/slo/burnrate"
	"github.com/faultline-lab/faultline/slo/internal/figure"
	"github.com/faultline-lab/faultline/slo/policy"
)

// Observation is what Prometheus had to say about one SLO.
type Observation struct {
	// Since is the first moment of the period that was measured; zero when none was.
	Since time.Time
	// Covered is how much of the period was measured: gaps are not in it.
	Covered time.Duration
	// ErrorRatio is the share of bad events over all that was measured; unknown when there were none.
	ErrorRatio figure.Figure
	// Bad and Total are the events themselves, where the SLO counts any.
	Bad, Total figure.Figure
	// Burns are the error ratios of the shorter windows that end now.
	Burns []Burn
}

// Burn is how fast the budget burns, as the mean over a window that ends now.
type Burn struct {
	Window     time.Duration
	ErrorRatio figure.Figure
	// Rate is 1 when the budget would last exactly for its period. Status fills it in.
	Rate figure.Figure
}

// Status is what is left of one SLO's budget.
type Status struct {
	Name      string        `json:"slo"`
	Workload  string        `json:"workload,omitempty"`
	Objective float64       `json:"objective"`
	Period    time.Duration `json:"-"`
	At        time.Time     `json:"at"`

	// Since and Covered say what the figures rest on.
	Since   time.Time     `json:"-"`
	Covered time.Duration `json:"-"`

	// Remaining is the share of the period's budget that is left; below 0 it is overdrawn.
	Remaining  figure.Figure `json:"remaining"`
	ErrorRatio figure.Figure `json:"error_ratio"`
	Bad        figure.Figure `json:"bad_events"`
	Total      figure.Figure `json:"events"`
	// Allowed is how many bad events the whole period's budget is, at the mean traffic of the time that was measured.
	Allowed figure.Figure `json:"allowed_bad_events"`
	Burns   []Burn        `json:"-"`
	// Lasts is how long what is left lasts at the rate of the longest window that has one; negative when nobody knows.
	Lasts  time.Duration  `json:"-"`
	Policy policy.Verdict `json:"policy"`
	// Notes say in sentences what is not known, or only in part.
	Notes []string `json:"notes,omitempty"`
}

// unknownTime is a time to last that nobody knows.
const unknownTime = time.Duration(-1)

// Assess draws the conclusions: a pure function of the promise, the policy and what was observed.
//
// What was spent is the burn rate over all that was measured, kept up for as long as was measured (burnrate.SLO.Spent):
// the part of the period in which nobody measured has spent nothing that anybody knows of. With the whole period measured
// that is bad events / (all events x (1 - objective)); with less, the period is expected to have the same traffic throughout.
// Where events are counted and there were none, nothing was spent; where they are not counted, that is unknown.
func Assess(t Target, p policy.Policy, at time.Time, o Observation) (Status, error) {
	slo, err := burnrate.New(t.Objective, t.Period)
	if err != nil {
		return Status{}, fmt.Errorf("SLO %s: %w", t.Name, err)
	}
	s := Status{
		Name: t.Name, Workload: t.Workload, Objective: t.Objective, Period: t.Period, At: at.UTC(), Since: o.Since, Covered: min(o.Covered, t.Period),
		ErrorRatio: o.ErrorRatio, Bad: o.Bad, Total: o.Total, Remaining: figure.Unknown(), Allowed: figure.Unknown(), Lasts: unknownTime,
	}
	switch {
	case s.Covered <= 0:
	case o.Total == 0: // counted, and there were none: that is known, and not missing
		s.Remaining, s.Allowed = 1, 0
	default:
		s.Remaining = figure.Figure(1 - slo.Spent(slo.Rate(float64(o.ErrorRatio)), s.Covered))
		s.Allowed = o.Total * figure.Figure(slo.Budget()*t.Period.Seconds()/s.Covered.Seconds())
	}
	for _, burn := range o.Burns {
		burn.Rate = figure.Figure(slo.Rate(float64(burn.ErrorRatio)))
		s.Burns = append(s.Burns, burn)
		if burn.Rate.Known() && s.Remaining.Known() {
			s.Lasts = slo.Lasts(float64(burn.Rate), float64(s.Remaining))
		}
	}
	s.Policy = p.Decide(policy.Budget{Remaining: float64(s.Remaining), Lasts: s.Lasts})
	s.Notes = s.notes()
	return s, nil
}

// Known says whether anybody can say what is left.
func (s Status) Known() bool { return s.Remaining.Known() }

// whole is the share of the period that counts as all of it: the coarse grid of Observe may miss a point at either end.
const whole = 0.99

func (s Status) notes() []string {
	var notes []string
	switch share := s.Covered.Seconds() / s.Period.Seconds(); {
	case s.Covered <= 0:
		notes = append(notes, fmt.Sprintf("nothing was measured in the last %s: is the stack up, does it scrape %s, and are the SLO's metric names right?",
			short(s.Period), s.Workload))
	case s.Total == 0:
		notes = append(notes, fmt.Sprintf("measured for %s without any event, so nothing was spent", short(s.Covered)))
	case !s.ErrorRatio.Known():
		notes = append(notes, fmt.Sprintf("measured for %s, but there was nothing to judge", short(s.Covered)))
	case share < whole:
		note := fmt.Sprintf("measured for %s of %s (%.1f %%), since %s", short(s.Covered), short(s.Period), 100*share, s.Since.UTC().Format(time.RFC3339))
		if gap := s.At.Sub(s.Since) - s.Covered; gap.Seconds() > 0.02*s.Period.Seconds() {
			note += fmt.Sprintf(", with gaps of %s", short(gap))
		}
		notes = append(notes, note+"; what happened in the rest is not known, and counts as nothing spent")
	}
	return notes
}

// short writes a duration to the second, without parts that are zero: 6h, 21m40s, 30d.
func short(d time.Duration) string {
	const day = 24 * time.Hour
	switch d = d.Round(time.Second); {
	case d == 0:
		return "0s"
	case d%day == 0:
		return fmt.Sprintf("%dd", d/day)
	case d%time.Hour == 0:
		return fmt.Sprintf("%dh", d/time.Hour)
	case d%time.Minute == 0:
		return fmt.Sprintf("%dm", d/time.Minute)
	default:
		return d.String()
	}
}

// MarshalJSON writes durations in seconds, and null for what is not known. A budget that nothing burns has lasts_s null and
// lasts_forever true.
func (s Status) MarshalJSON() ([]byte, error) {
	type plain Status // without this method
	type burn struct {
		WindowSeconds float64       `json:"window_s"`
		ErrorRatio    figure.Figure `json:"error_ratio"`
		Rate          figure.Figure `json:"burn_rate"`
	}
	out := struct {
		plain
		PeriodSeconds  float64       `json:"period_s"`
		Since          *time.Time    `json:"measured_since"`
		CoveredSeconds float64       `json:"measured_s"`
		Burns          []burn        `json:"burn"`
		Lasts          figure.Figure `json:"lasts_s"`
		Forever        bool          `json:"lasts_forever"`
	}{plain: plain(s), PeriodSeconds: s.Period.Seconds(), CoveredSeconds: s.Covered.Seconds(), Burns: []burn{}, Lasts: figure.Unknown(), Forever: s.Lasts == math.MaxInt64}
	if !s.Since.IsZero() {
		since := s.Since.UTC()
		out.Since = &since
	}
	for _, b := range s.Burns {
		out.Burns = append(out.Burns, burn{b.Window.Seconds(), b.ErrorRatio, b.Rate})
	}
	if s.Lasts >= 0 && s.Lasts < math.MaxInt64 {
		out.Lasts = figure.Figure(s.Lasts.Seconds())
	}
	return json.Marshal(out)
}
