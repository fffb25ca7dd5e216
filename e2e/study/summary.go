package study

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/e2e/record"
)

// Row sums up the trials of one experiment under one arm.
type Row struct {
	Experiment string `json:"experiment"`
	Arm        string `json:"arm"`
	Trials     int    `json:"trials"`
	// Applicable counts the trials that had something to recover from; a control and an unknown fault have nothing.
	Applicable int `json:"applicable"`
	Recovered  int `json:"recovered"`
	// Mitigated counts the trials that were well with orders taken for later (202) counted as good; a recovery is also that.
	Mitigated int `json:"mitigated"`
	// HandedOver counts the trials whose incident a person has.
	HandedOver int `json:"handed_over"`
	// Remedies counts the trials in which each remedy was used, skipped ones left out; Acted those in which any was.
	Remedies map[string]int `json:"remedies"`
	Acted    int            `json:"acted"`
	// NamedCause counts the trials whose diagnosis was the expected cause.
	NamedCause   int `json:"named_cause"`
	WrongActions int `json:"wrong_actions"`
	OutOfOrder   int `json:"out_of_order"`
	// Broken counts trials that could not be run to their end; they are no recoveries.
	Broken int `json:"broken"`
	// Prevented counts trials whose fault was healed before the client saw a bad second.
	Prevented int `json:"prevented,omitempty"`
	// NoEffect counts trials whose client never saw a bad second: they prove nothing about any arm.
	NoEffect int `json:"no_effect"`

	MTTD            Spread  `json:"mttd_s"`
	MTTR            Spread  `json:"mttr_s"`
	MTTRInjected    Spread  `json:"mttr_injected_s"`
	MTTM            Spread  `json:"mitigated_s"`
	WebhookToAction Spread  `json:"webhook_to_action_s"`
	Stages          []Stage `json:"stages"`
	Requests        int     `json:"requests"`
	Failed          int     `json:"failed"`

	Aftermath Aftermath `json:"aftermath"`
}

// Aftermath sums up the trials in which a change stood until the fault had passed.
type Aftermath struct {
	Trials int `json:"trials"`
	// Undone counts those whose changes were all taken back, and whose incidents ended; Recovered those that were well then.
	Undone    int    `json:"undone"`
	Recovered int    `json:"recovered"`
	After     Spread `json:"undone_s"` // from the fault's end
	// Changes is the largest number of lasting changes in one trial: more than one a rung is flapping.
	Changes int `json:"changes"`
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
	row := Row{Experiment: experiment, Arm: arm, Trials: len(group), Remedies: map[string]int{}}
	var whole []record.Record
	for _, result := range group {
		row.WrongActions += count(result.Record.WrongAction) // also of a trial that broke off after it
		if result.Error != "" {
			row.Broken++
			continue
		}
		whole = append(whole, result.Record)
		row.add(result.Record)
	}
	row.MTTD = spread(whole, func(r record.Record) *float64 { return r.MTTD })
	row.MTTR = spread(whole, func(r record.Record) *float64 { return r.MTTR })
	row.MTTM = spread(whole, func(r record.Record) *float64 { return r.Mitigated })
	row.MTTRInjected = spread(whole, func(r record.Record) *float64 { return r.MTTRInjected })
	row.WebhookToAction = spread(whole, func(r record.Record) *float64 {
		return record.Between(r.Stages.WebhookReceived, r.Stages.ActionStarted)
	})
	row.Aftermath.After = spread(whole, func(r record.Record) *float64 {
		if r.Aftermath == nil {
			return nil
		}
		return record.Between(&r.Aftermath.FaultRemoved, r.Aftermath.Undone)
	})
	for i, name := range stageNames {
		row.Stages = append(row.Stages, Stage{name, spread(whole, func(r record.Record) *float64 {
			return record.Between(r.Stages.FirstBad, stageTimes(r.Stages)[i])
		})})
	}
	return row
}

// add counts one trial that was run to its end.
func (row *Row) add(r record.Record) {
	row.NoEffect += count(r.CauseExpected != "" && r.Stages.FirstBad == nil && !r.Prevented)
	row.Prevented += count(r.Prevented)
	row.Requests += r.Requests
	row.Failed += r.Failed
	row.Applicable += count(r.Recovered != nil)
	row.Recovered += count(r.Recovered != nil && *r.Recovered)
	row.Mitigated += count(r.Recovered != nil && r.Mitigated != nil)
	row.HandedOver += count(r.Outcome == string(incident.HandedOver))
	row.NamedCause += count(named(r))
	row.OutOfOrder += count(r.Stages.OutOfOrder() != "")
	used := map[string]bool{}
	for _, action := range r.Actions {
		if action.Done() {
			used[action.Remedy] = true
		}
	}
	for remedy := range used {
		row.Remedies[remedy]++
	}
	row.Acted += count(len(used) > 0)
	if r.Aftermath == nil {
		return
	}
	row.Aftermath.Trials++
	row.Aftermath.Undone += count(r.Aftermath.Undone != nil && r.Aftermath.Ended != nil)
	row.Aftermath.Recovered += count(r.Aftermath.Recovered != nil)
	row.Aftermath.Changes = max(row.Aftermath.Changes, r.Aftermath.Changes)
}

// named says whether the diagnosis was the expected one. For a control, that is none: there was no incident, or one that named
// nothing.
func named(r record.Record) bool {
	if r.CauseExpected == "" {
		return r.CauseDiagnosed == "" || r.CauseDiagnosed == string(incident.Inconclusive)
	}
	return r.CauseDiagnosed == r.CauseExpected
}

func spread(records []record.Record, figure func(record.Record) *float64) Spread {
	var values []float64
	for _, r := range records {
		if value := figure(r); value != nil {
			values = append(values, *value)
		}
	}
	return SpreadOf(values)
}

var stageNames = []string{
	"alert_firing", "webhook_received", "diagnosed", "decided", "action_started", "action_finished",
	"sli_mitigated", "sli_recovered", "verified", "alert_resolved",
}

func stageTimes(s record.Stages) []*time.Time {
	return []*time.Time{
		s.AlertFiring, s.WebhookReceived, s.Diagnosed, s.Decided, s.ActionStarted, s.ActionFinished,
		s.SLIMitigated, s.SLIRecovered, s.Verified, s.AlertResolved,
	}
}

func count(yes bool) int {
	if yes {
		return 1
	}
	return 0
}
