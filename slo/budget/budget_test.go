package budget_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/faultline-lab/faultline/observability/query"
	"github.com/faultline-lab/faultline/slo/budget"
	"github.com/faultline-lab/faultline/slo/internal/figure"
	"github.com/faultline-lab/faultline/slo/internal/promtest"
	"github.com/faultline-lab/faultline/slo/model"
	"github.com/faultline-lab/faultline/slo/policy"
)

const hour = 3600 // seconds, the period of the promise and the length of the history

// target is a promise of 99 % over an hour, of requests that are good or bad, for the series of one case.
func target(world string) budget.Target {
	events := func(w time.Duration) (bad, total string) {
		rate := func(name string) string {
			return fmt.Sprintf("sum(rate(%s{case=%q}[%s]))", name, world, model.Duration(w))
		}
		return rate("bad_total"), rate("all_total")
	}
	_, measured := events(5 * time.Second)
	return budget.Target{
		Name: "checkout", Workload: "storefront", Objective: 0.99, Period: time.Hour, Windows: []time.Duration{5 * time.Second, 30 * time.Second},
		ErrorRatio: func(w time.Duration) string {
			bad, total := events(w)
			return bad + " / (" + total + " > 0)"
		},
		Events: events, Measured: measured,
	}
}

// counters are the requests of one case: so many a second, so many of them bad, from one second to another.
func counters(all, bad float64, from, to int) []promtest.Series {
	return []promtest.Series{promtest.Counter("all_total", all, from, to), promtest.Counter("bad_total", bad, from, to)}
}

func assess(t *testing.T, url, world string, at time.Time) budget.Status {
	t.Helper()
	p, err := policy.Default()
	if err != nil {
		t.Fatal(err)
	}
	client, err := query.NewPrometheus(query.Config{URL: url})
	if err != nil {
		t.Fatal(err)
	}
	seen, err := budget.Observe(t.Context(), client, target(world), at)
	if err != nil {
		t.Fatal(err)
	}
	status, err := budget.Assess(target(world), p, at, seen)
	if err != nil {
		t.Fatal(err)
	}
	return status
}

func TestWhatIsLeft(t *testing.T) {
	unknown := math.NaN()
	cases := map[string]struct {
		series    []promtest.Series
		remaining float64
		covered   time.Duration
		burn      float64 // of the last 30 s
		lasts     time.Duration
		level     policy.Level
		note      string // part of the only note; empty for none
	}{
		"a whole hour without a failure leaves everything": {
			counters(40, 0, 0, hour), 1, time.Hour, 0, math.MaxInt64, policy.Free, "",
		},
		"half a percent of failures, evenly, leaves half of one percent": {
			counters(200, 1, 0, hour), 0.5, time.Hour, 0.5, time.Hour, policy.Free, "",
		},
		"two percent of failures overdraw it": {
			counters(50, 1, 0, hour), -1, time.Hour, 2, 0, policy.Freeze, "",
		},
		// 60 failures of the 144,000 requests that the hour is expected to have: 4.2 %. Of the 2,400 that were counted it would be 250 %.
		"a Prometheus that is a minute old has seen a hiccup, and not a budget that is gone": {
			[]promtest.Series{
				promtest.Counter("all_total", 40, hour-60, hour),
				{Name: "bad_total", Value: func(second int) (float64, bool) {
					return float64(10 * min(second-(hour-60), 6)), second >= hour-60
				}},
			},
			1 - 60.0/1440, time.Minute, 0, math.MaxInt64,
			policy.Free, "measured for 59s of 1h (1.6 %), since ",
		},
		"a gap is not measured, and is said": {
			[]promtest.Series{
				without(promtest.Counter("all_total", 40, 0, hour), 1200, 2400), without(promtest.Counter("bad_total", 0, 0, hour), 1200, 2400),
			},
			1, 40 * time.Minute, 0, math.MaxInt64,
			policy.Free, "with gaps of 20m",
		},
		"a source that has gone silent is unknown now, and what it did before still counts": {
			counters(50, 1.5, 0, hour/2), -0.5, 30 * time.Minute, unknown, -1, policy.Freeze, "with gaps of",
		},
		"no source at all is unknown, not a full budget": {
			nil, unknown, 0, unknown, -1, policy.Cautious, "nothing was measured in the last 1h",
		},
		"a source that nobody asks anything has spent nothing, and burns at a rate that nobody knows": {
			counters(0, 0, 0, hour), 1, time.Hour, unknown, -1, policy.Free, "without any event, so nothing was spent",
		},
	}
	var all []promtest.Series
	for name, row := range cases {
		for _, one := range row.series {
			all = append(all, promtest.Series{Name: fmt.Sprintf("%s{case=%q}", one.Name, name), Value: one.Value})
		}
	}
	url, start := promtest.Filled(t, hour, all...)
	for name, row := range cases {
		t.Run(name, func(t *testing.T) {
			s := assess(t, url, name, start.Add(time.Hour))
			close := func(what string, got figure.Figure, want, within float64) {
				t.Helper()
				if got.Known() == math.IsNaN(want) || got.Known() && math.Abs(float64(got)-want) > within {
					t.Errorf("%s is %s, want %v", what, got.Text(4), want)
				}
			}
			close("remaining", s.Remaining, row.remaining, 0.01)
			close("burn", s.Burns[1].Rate, row.burn, 0.01)
			if off := (s.Covered - row.covered).Abs(); off > 10*time.Second {
				t.Errorf("measured for %s, want %s", s.Covered, row.covered)
			}
			if s.Lasts != row.lasts && (s.Lasts-row.lasts).Abs() > time.Minute {
				t.Errorf("lasts %s, want %s", s.Lasts, row.lasts)
			}
			if s.Policy.Level != row.level || s.Policy.Reason == "" {
				t.Errorf("policy %+v, want %s with a reason", s.Policy, row.level)
			}
			switch {
			case row.note == "" && len(s.Notes) > 0:
				t.Errorf("notes %q", s.Notes)
			case row.note != "" && (len(s.Notes) != 1 || !strings.Contains(s.Notes[0], row.note)):
				t.Errorf("notes %q, want one with %q", s.Notes, row.note)
			}
		})
	}
}

// without is a series of which some seconds are missing.
func without(series promtest.Series, from, to int) promtest.Series {
	return promtest.Series{Name: series.Name, Value: func(second int) (float64, bool) {
		value, scraped := series.Value(second)
		return value, scraped && (second < from || second >= to)
	}}
}

func TestTheEventsOfTheWholePeriodAreExpectedToBeLikeThoseThatWereCounted(t *testing.T) {
	p, err := policy.Default()
	if err != nil {
		t.Fatal(err)
	}
	s, err := budget.Assess(target(""), p, time.Unix(hour, 0), budget.Observation{
		Since: time.Unix(hour-60, 0), Covered: time.Minute, ErrorRatio: 0.025, Bad: 60, Total: 2400,
	})
	if err != nil {
		t.Fatal(err)
	}
	if want := 1440.0; math.Abs(float64(s.Allowed)-want) > 1e-6 {
		t.Errorf("%s bad events are allowed; an hour at 40/s has 144,000 events, and 1 %% of them are %v", s.Allowed.Text(3), want)
	}
	if want := 1 - 60.0/1440; math.Abs(float64(s.Remaining)-want) > 1e-9 {
		t.Errorf("%s is left, want %v: 60 of 1440 are gone", s.Remaining.Text(6), want)
	}
}

func TestAPromiseThatCannotBeKeptIsRefused(t *testing.T) {
	all := target("")
	all.Objective = 1
	if _, err := budget.Assess(all, policy.Policy{}, time.Now(), budget.Observation{}); err == nil || !strings.Contains(err.Error(), "checkout") {
		t.Errorf("error %v; an objective of 100 %% has no budget", err)
	}
}

func TestWhatIsUnknownIsNullInJSONAndAWordInTheTable(t *testing.T) {
	p, err := policy.Default()
	if err != nil {
		t.Fatal(err)
	}
	s, err := budget.Assess(target(""), p, time.Now(), budget.Observation{
		ErrorRatio: figure.Unknown(), Bad: figure.Unknown(), Total: figure.Unknown(),
		Burns: []budget.Burn{{Window: 5 * time.Second, ErrorRatio: figure.Unknown()}},
	})
	if err != nil {
		t.Fatal(err)
	}
	data, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"remaining":null`, `"error_ratio":null`, `"lasts_s":null`, `"lasts_forever":false`, `"measured_since":null`, `"burn_rate":null`} {
		if !strings.Contains(string(data), want) {
			t.Errorf("%s has no %s", data, want)
		}
	}
	var table strings.Builder
	if err := budget.WriteTable(&table, []budget.Status{s}); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(table.String()), "\n")
	heads, cells := strings.Fields(lines[0]), strings.Fields(lines[1])
	if len(heads) != len(cells) {
		t.Fatalf("%d heads and %d cells, so awk would take one for another:\n%s", len(heads), len(cells), table.String())
	}
	if cells[3] != "unknown" || cells[6] != "unknown" || cells[7] != "cautious" {
		t.Errorf("remaining %s, lasts %s, policy %s", cells[3], cells[6], cells[7])
	}
}

func TestAPrometheusThatDoesNotAnswerIsAnErrorThatNamesTheSLO(t *testing.T) {
	if _, err := budget.Observe(t.Context(), deaf{}, target(""), time.Now()); !errors.Is(err, errDeaf) || !strings.Contains(err.Error(), "checkout") {
		t.Errorf("error %v", err)
	}
}

var errDeaf = errors.New("connection refused")

type deaf struct{}

func (deaf) Value(context.Context, string, time.Time) (float64, error) { return 0, errDeaf }

func (deaf) Range(context.Context, string, time.Time, time.Time, time.Duration) ([]query.Series, error) {
	return nil, errDeaf
}
