package study

import (
	"fmt"
	"maps"
	"os"
	"slices"

	"github.com/goccy/go-yaml"

	"github.com/faultline-lab/faultline/e2e/trial"
	"github.com/faultline-lab/faultline/observability/endpoints"
)

// Objectives are the bounds of each target and arm; a nil bound is not checked.
type Objectives map[string]map[string]Bounds

// Bounds of one arm. Rates are between 0 and 1, times in seconds.
type Bounds struct {
	RecoveryRateMin       *float64 `yaml:"recovery_rate_min"`
	RecoveryRateMax       *float64 `yaml:"recovery_rate_max"`
	CauseNamedMin         *float64 `yaml:"cause_named_min"`
	WrongActionsMax       *int     `yaml:"wrong_actions_max"`
	OutOfOrderMax         *int     `yaml:"out_of_order_max"`
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
		}
	}
	return objectives, nil
}

// Missed says in sentences which of the target's objectives the rows miss, in the rows' order. An arm without bounds must
// still have been run to the end, with an effect.
func (o Objectives) Missed(target string, rows []Row) []string {
	var missed []string
	for _, row := range rows {
		for _, sentence := range o[target][row.Arm].missed(row) {
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
		below("rate of causes named", b.CauseNamedMin, float64(row.NamedCause)/trials),
		above("wrong actions", toFloat(b.WrongActionsMax), float64(row.WrongActions)),
		above("trials with stages out of order", toFloat(b.OutOfOrderMax), float64(row.OutOfOrder)),
		aboveSpread("MTTR p50", b.MTTRP50Max, row.MTTR.N, row.MTTR.P50),
		aboveSpread("MTTR p95", b.MTTRP95Max, row.MTTR.N, row.MTTR.P95),
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
