package study

import (
	"fmt"
	"maps"
	"os"
	"slices"

	"github.com/goccy/go-yaml"

	"github.com/faultline-lab/faultline/chaos/experiments"
	"github.com/faultline-lab/faultline/e2e/trial"
	"github.com/faultline-lab/faultline/observability/endpoints"
)

// Objectives are the bounds of each target and arm.
type Objectives map[string]map[string]Arm

// Arm has the bounds of every experiment under one arm. An experiment that is named has its own instead of these.
type Arm struct {
	Bounds      `yaml:",inline"`
	Experiments map[string]Bounds `yaml:"experiments"`
}

// of are the bounds of one experiment.
func (a Arm) of(experiment string) Bounds {
	if own, ok := a.Experiments[experiment]; ok {
		return own
	}
	return a.Bounds
}

// Bounds are what is asked of one row; a nil bound is not checked. Rates are between 0 and 1, times in seconds.
type Bounds struct {
	RecoveryRateMin   *float64 `yaml:"recovery_rate_min"`
	RecoveryRateMax   *float64 `yaml:"recovery_rate_max"`
	MitigationRateMin *float64 `yaml:"mitigation_rate_min"`
	CauseNamedMin     *float64 `yaml:"cause_named_min"`
	HandedOverMin     *float64 `yaml:"handed_over_min"`
	WrongActionsMax   *int     `yaml:"wrong_actions_max"`
	// ActedMax bounds the trials in which anything was done at all, right or wrong.
	ActedMax      *int `yaml:"acted_max"`
	OutOfOrderMax *int `yaml:"out_of_order_max"`
	ChangesMax    *int `yaml:"changes_max"` // lasting changes in one trial
	// UndoneMin is the rate of trials whose changes were taken back after the fault had passed.
	UndoneMin             *float64 `yaml:"undone_min"`
	MitigatedP50Max       *float64 `yaml:"mitigated_p50_max"`
	MitigatedP95Max       *float64 `yaml:"mitigated_p95_max"`
	MTTRP50Max            *float64 `yaml:"mttr_p50_max"`
	MTTRP95Max            *float64 `yaml:"mttr_p95_max"`
	WebhookToActionP95Max *float64 `yaml:"webhook_to_action_p95_max"`
}

// LoadObjectives reads a file; unknown keys are errors with line and column.
func LoadObjectives(path string) (Objectives, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return ParseObjectives(path, data)
}

// ParseObjectives reads the text of a file; name stands in its errors.
func ParseObjectives(name string, data []byte) (Objectives, error) {
	var objectives Objectives
	if err := yaml.UnmarshalWithOptions(data, &objectives, yaml.Strict()); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	for _, target := range slices.Sorted(maps.Keys(objectives)) {
		if target != endpoints.Local && target != endpoints.Kind {
			return nil, fmt.Errorf("%s: unknown target %q; there are: %s, %s", name, target, endpoints.Kind, endpoints.Local)
		}
		for _, arm := range slices.Sorted(maps.Keys(objectives[target])) {
			if _, err := trial.ParseArm(arm); err != nil {
				return nil, fmt.Errorf("%s: target %s: %w", name, target, err)
			}
			for _, experiment := range slices.Sorted(maps.Keys(objectives[target][arm].Experiments)) {
				if _, err := experiments.Get(experiment); err != nil {
					return nil, fmt.Errorf("%s: target %s, arm %s: %w", name, target, arm, err)
				}
			}
		}
	}
	return objectives, nil
}

// Missed says in sentences which of the target's objectives the rows miss, in the rows' order. An arm without bounds must
// still have been run to the end, with an effect.
func (o Objectives) Missed(target string, rows []Row) []string {
	var missed []string
	for _, row := range rows {
		for _, sentence := range o[target][row.Arm].of(row.Experiment).missed(row) {
			missed = append(missed, fmt.Sprintf("%s, arm %s: %s", row.Experiment, row.Arm, sentence))
		}
	}
	return missed
}

func (b Bounds) missed(row Row) []string {
	trials := float64(max(1, row.Trials))
	checks := []string{
		atMost("trials that broke off", 0, row.Broken),
		atMost("trials in which the fault had no effect", 0, row.NoEffect),
		below("recovery rate", b.RecoveryRateMin, float64(row.Recovered)/trials),
		above("recovery rate", b.RecoveryRateMax, float64(row.Recovered)/trials),
		below("mitigation rate", b.MitigationRateMin, float64(row.Mitigated)/trials),
		below("rate of causes named", b.CauseNamedMin, float64(row.NamedCause)/trials),
		below("rate of incidents handed over", b.HandedOverMin, float64(row.HandedOver)/trials),
		above("wrong actions", toFloat(b.WrongActionsMax), float64(row.WrongActions)),
		above("trials in which something was done", toFloat(b.ActedMax), float64(row.Acted)),
		above("lasting changes in one trial", toFloat(b.ChangesMax), float64(row.Aftermath.Changes)),
		below("rate of changes taken back", b.UndoneMin, float64(row.Aftermath.Undone)/trials),
		above("trials with stages out of order", toFloat(b.OutOfOrderMax), float64(row.OutOfOrder)),
		aboveSpread("MTTR p50", b.MTTRP50Max, row.MTTR.N, row.MTTR.P50),
		aboveSpread("MTTR p95", b.MTTRP95Max, row.MTTR.N, row.MTTR.P95),
		aboveSpread("mitigated p50", b.MitigatedP50Max, row.MTTM.N, row.MTTM.P50),
		aboveSpread("mitigated p95", b.MitigatedP95Max, row.MTTM.N, row.MTTM.P95),
		aboveSpread("webhook to action p95", b.WebhookToActionP95Max, row.WebhookToAction.N, row.WebhookToAction.P95),
	}
	return slices.DeleteFunc(checks, func(sentence string) bool { return sentence == "" })
}

func below(what string, bound *float64, got float64) string {
	if bound == nil || got >= *bound {
		return ""
	}
	return fmt.Sprintf("%s is %.3g, the objective is at least %.3g", what, got, *bound)
}

func above(what string, bound *float64, got float64) string {
	if bound == nil || got <= *bound {
		return ""
	}
	return fmt.Sprintf("%s is %.3g, the objective is at most %.3g", what, got, *bound)
}

// aboveSpread counts a figure that no trial has as missed: nothing measured is nothing proved.
func aboveSpread(what string, bound *float64, n int, got float64) string {
	if bound != nil && n == 0 {
		return fmt.Sprintf("%s was never measured, the objective is at most %.3g", what, *bound)
	}
	return above(what, bound, got)
}

// atMost is an objective of every arm: what was not run, or had nothing to judge, proves nothing.
func atMost(what string, bound, got int) string { return above(what, toFloat(&bound), float64(got)) }

func toFloat(n *int) *float64 {
	if n == nil {
		return nil
	}
	return new(float64(*n))
}
