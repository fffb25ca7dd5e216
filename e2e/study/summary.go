package study

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/faultline-lab/faultline/e2e/record"
)

// Row sums up the trials of one experiment under one arm.
type Row struct {
	Experiment string `json:"experiment"`
	Arm        string `json:"arm"`
	Trials     int    `json:"trials"`
	Recovered  int    `json:"recovered"`
	// NamedCause counts the trials whose diagnosis was the expected cause.
	NamedCause   int `json:"named_cause"`
	WrongActions int `json:"wrong_actions"`
	OutOfOrder   int `json:"out_of_order"`
	// Broken counts trials that could not be run to their end; they are no recoveries.
	Broken int `json:"broken"`
	// NoEffect counts trials whose client never saw a bad second: they prove nothing about any arm.
	NoEffect int `json:"no_effect"`

	MTTD            Spread  `json:"mttd_s"`
	MTTR            Spread  `json:"mttr_s"`
	MTTRInjected    Spread  `json:"mttr_injected_s"`
	WebhookToAction Spread  `json:"webhook_to_action_s"`
	Stages          []Stage `json:"stages"`
	Requests        int     `json:"requests"`
	Failed          int     `json:"failed"`
}

// Stage is how long after the first bad second a stage was reached.
type Stage struct {
	Name  string `json:"name"`
	After Spread `json:"after_first_bad_s"`
}

// Spread is the distribution of one figure over the trials that have it, in seconds. The quantiles are nearest-rank
// (Hyndman and Fan's type 1): always a value that was measured. With ten trials p95 is therefore the worst of them.
type Spread struct {
	N   int     `json:"n"`
	Min float64 `json:"min"`
	P50 float64 `json:"p50"`
	P95 float64 `json:"p95"`
	Max float64 `json:"max"`
}

// SpreadOf sums up values; the zero Spread stands for none.
func SpreadOf(values []float64) Spread {
	if len(values) == 0 {
		return Spread{}
	}
	sorted := slices.Sorted(slices.Values(values))
	rank := func(q float64) float64 { return sorted[max(0, int(math.Ceil(q*float64(len(sorted))))-1)] }
	return Spread{len(sorted), sorted[0], rank(0.50), rank(0.95), sorted[len(sorted)-1]}
}

// Result is one trial of a study: its record, or why there is none.
type Result struct {
	Trial  Trial         `json:"trial"`
	Record record.Record `json:"record"`
	Error  string        `json:"error,omitempty"`
}

// Summarise makes one row for each experiment and arm, ordered by name.
func Summarise(results []Result) []Row {
	groups := map[[2]string][]Result{}
	for _, result := range results {
		key := [2]string{result.Trial.Experiment, result.Trial.Arm}
		groups[key] = append(groups[key], result)
	}
	var rows []Row
	for key, group := range groups {
		rows = append(rows, summarise(key[0], key[1], group))
	}
	slices.SortFunc(rows, func(a, b Row) int {
		return cmp.Or(cmp.Compare(a.Experiment, b.Experiment), cmp.Compare(a.Arm, b.Arm))
	})
	return rows
}

func summarise(experiment, arm string, group []Result) Row {
	row := Row{Experiment: experiment, Arm: arm, Trials: len(group)}
	var mttd, mttr, injected, action []float64
	after := make([][]float64, len(stageNames))
	for _, result := range group {
		r := result.Record
		row.WrongActions += count(r.WrongAction) // also of a trial that broke off after it
		if result.Error != "" {
			row.Broken++
			continue
		}
		row.NoEffect += count(r.CauseExpected != "" && r.Stages.FirstBad == nil)
		row.Requests += r.Requests
		row.Failed += r.Failed
		row.Recovered += count(r.Recovered != nil && *r.Recovered)
		row.NamedCause += count(r.CauseDiagnosed == r.CauseExpected)
		row.OutOfOrder += count(r.Stages.OutOfOrder() != "")
		mttd, mttr, injected = collect(mttd, r.MTTD), collect(mttr, r.MTTR), collect(injected, r.MTTRInjected)
		action = collect(action, record.Between(r.Stages.WebhookReceived, r.Stages.ActionStarted))
		for i, at := range stageTimes(r.Stages) {
			after[i] = collect(after[i], record.Between(r.Stages.FirstBad, at))
		}
	}
	row.MTTD, row.MTTR, row.MTTRInjected, row.WebhookToAction =
		SpreadOf(mttd), SpreadOf(mttr), SpreadOf(injected), SpreadOf(action)
	for i, name := range stageNames {
		row.Stages = append(row.Stages, Stage{name, SpreadOf(after[i])})
	}
	return row
}

var stageNames = []string{
	"alert_firing", "webhook_received", "diagnosed", "decided", "action_started", "action_finished",
	"sli_recovered", "verified", "alert_resolved",
}

func stageTimes(s record.Stages) []*time.Time {
	return []*time.Time{
		s.AlertFiring, s.WebhookReceived, s.Diagnosed, s.Decided, s.ActionStarted, s.ActionFinished,
		s.SLIRecovered, s.Verified, s.AlertResolved,
	}
}

func collect(values []float64, value *float64) []float64 {
	if value == nil {
		return values
	}
	return append(values, *value)
}

func count(yes bool) int {
	if yes {
		return 1
	}
	return 0
}
