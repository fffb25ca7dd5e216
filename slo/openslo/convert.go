package openslo

import (
	"fmt"
	"maps"
	"regexp"
	"strconv"
	"strings"

	"github.com/faultline-lab/faultline/observability/strictyaml"
	"github.com/faultline-lab/faultline/slo/model"
)

// convert makes an SLO of each objective. It adds what is wrong to the problems; what it returns is of use only when there
// are none.
func (r *reader) convert(found at[object[sloSpec]]) []model.SLO {
	spec, d := found.object.Spec, found.Document
	r.description(d, "$.spec.description", spec.Description)
	r.need(d, spec.Service != "", "$.spec.service", "spec.service is missing: whose promise it is")
	r.need(d, len(spec.AlertPolicies) == 0, "$.spec.alertPolicies",
		"alertPolicies are not supported: who is told when is decided by the window profile (slo generate --profile); remove them")
	r.oneOf(d, "$.spec.budgetingMethod", "spec.budgetingMethod", spec.BudgetingMethod, occurrences, timeslices, ratioTimeslices)
	r.need(d, len(spec.Objectives) > 0, "$.spec.objectives", "spec.objectives is missing: at least one target")

	common := model.SLO{
		Name: found.object.Metadata.Name, Title: found.object.Metadata.DisplayName, Description: spec.Description,
		Workload: spec.Service, Labels: found.object.Metadata.flat(),
		Places: model.Places{model.AtName: d.Place("$.metadata.name"), model.AtPeriod: d.Place("$.spec.timeWindow")},
	}
	if common.Title == "" {
		common.Title = common.Name
	}
	r.period(d, spec.TimeWindow, &common)
	r.annotations(d, found.object.Metadata.Annotations, &common)
	indicator := r.indicator(found, &common)
	var all []model.SLO
	for i, o := range spec.Objectives {
		slo := common
		slo.Places = maps.Clone(common.Places)
		slo.Indicator = indicator
		r.objective(found, i, o, &slo)
		slo.Name = nameOf(common.Name, o, i, len(spec.Objectives))
		all = append(all, slo)
	}
	return all
}

// OpenSLO's budgeting methods.
const (
	occurrences     = "Occurrences"
	timeslices      = "Timeslices"
	ratioTimeslices = "RatioTimeslices"
)

func (r *reader) period(d strictyaml.Document, windows []timeWindow, slo *model.SLO) {
	const path = "$.spec.timeWindow"
	if len(windows) == 0 {
		r.add(d.Errorf(path, "timeWindow is missing; OpenSLO allows that, but a budget needs a period: add one, such as [{duration: 30d, isRolling: true}]"))
		return
	}
	w := windows[0]
	r.need(d, len(windows) == 1, path, "timeWindow has %d items; OpenSLO allows one", len(windows))
	r.need(d, w.Duration.Duration > 0, path+"[0].duration", "timeWindow needs a duration, such as 30d")
	switch {
	case w.Calendar != nil && w.IsRolling:
		r.add(d.Errorf(path+"[0].calendar", "a rolling window has no calendar: remove one of isRolling and calendar"))
	case w.Calendar != nil:
		r.add(d.Errorf(path+"[0].calendar", "calendar-aligned periods are not supported: Prometheus rules look back for a fixed time; "+
			"write isRolling: true and a duration, such as 30d"))
	case !w.IsRolling:
		r.add(d.Errorf(path+"[0]", "timeWindow is neither rolling nor has it a calendar: write isRolling: true"))
	}
	slo.Period = w.Duration.Duration
	slo.Places[model.AtPeriod] = d.Place(path + "[0].duration")
}

func (r *reader) objective(found at[object[sloSpec]], i int, o objective, slo *model.SLO) {
	d, path := found.Document, fmt.Sprintf("$.spec.objectives[%d]", i)
	composite := o.Indicator != nil || o.IndicatorRef != "" || o.CompositeWeight != nil
	r.need(d, !composite, path, "composite SLOs (an indicator or compositeWeight of an objective) are not supported: write an SLO for each indicator")
	slo.Objective = r.target(d, path, o)
	slo.Places[model.AtObjective] = d.Place(path + ".target")
	if o.TargetPercent != nil {
		slo.Places[model.AtObjective] = d.Place(path + ".targetPercent")
	}
	r.slice(found, path, o, slo)
	r.comparison(found, path, o, slo)
}

func (r *reader) target(d strictyaml.Document, path string, o objective) float64 {
	switch {
	case o.Target != nil && o.TargetPercent != nil:
		r.add(d.Errorf(path+".targetPercent", "target and targetPercent: use one of them"))
	case o.Target == nil && o.TargetPercent == nil:
		r.add(d.Errorf(path, "the objective has no target: write target: 0.99 or targetPercent: 99"))
	case o.Target != nil:
		target := float64(*o.Target)
		hint := ""
		if target >= 1 && target < 100 {
			hint = fmt.Sprintf(", or targetPercent: %v", target)
		}
		r.promises(d, path+".target", target, target < 1, "target is %v: use a share below 1, such as 0.99%s", target, hint)
		return target
	default:
		percent := float64(*o.TargetPercent)
		r.promises(d, path+".targetPercent", percent, percent < 100, "targetPercent is %v: use less than 100, such as 99.9", percent)
		// In decimal: 99.9 / 100 is not 0.999 to the last bit, and stands in the rules.
		share, err := strconv.ParseFloat(strconv.FormatFloat(percent, 'f', -1, 64)+"e-2", 64)
		r.add(err)
		return share
	}
	return 0
}

func (r *reader) promises(d strictyaml.Document, path string, target float64, below bool, format string, args ...any) {
	r.need(d, target >= 0 && below, path, format, args...)
	r.need(d, target != 0, path, "a target of 0 is not supported, although OpenSLO allows it: it promises nothing, and no alert can fire")
}

func (r *reader) slice(found at[object[sloSpec]], path string, o objective, slo *model.SLO) {
	d, method := found.Document, found.object.Spec.BudgetingMethod
	if method == occurrences {
		r.need(d, o.TimeSliceTarget == nil, path+".timeSliceTarget", "timeSliceTarget is for budgetingMethod: Timeslices")
		r.need(d, o.TimeSliceWindow.Duration == 0, path+".timeSliceWindow", "timeSliceWindow is for budgetingMethod: Timeslices or RatioTimeslices")
		return
	}
	r.need(d, o.TimeSliceWindow.Duration > 0, path, "budgetingMethod %s needs a timeSliceWindow, such as 1m", method)
	slo.Indicator.Slice.Window = o.TimeSliceWindow.Duration
	slo.Places[model.AtSlice] = d.Place(path + ".timeSliceWindow")
	if method == ratioTimeslices {
		r.need(d, o.TimeSliceTarget == nil, path+".timeSliceTarget",
			"timeSliceTarget is for budgetingMethod: Timeslices; with RatioTimeslices each slice counts with its ratio")
		return
	}
	if o.TimeSliceTarget == nil {
		r.add(d.Errorf(path, "budgetingMethod Timeslices needs a timeSliceTarget, such as 0.95"))
		return
	}
	target := float64(*o.TimeSliceTarget)
	r.need(d, target > 0 && target <= 1, path+".timeSliceTarget", "timeSliceTarget is %v: use a share above 0, at most 1", target)
	slo.Indicator.Slice.Target = target
}

var operators = map[string]string{"lt": "<", "lte": "<=", "gt": ">", "gte": ">="}

// comparison is op and value, which only a threshold metric has. OpenSLO's own examples have op: gt beside a ratio, where
// it says what is so anyway: the more good ones, the better.
func (r *reader) comparison(found at[object[sloSpec]], path string, o objective, slo *model.SLO) {
	d := found.Document
	if o.Op != "" {
		r.oneOf(d, path+".op", "op", o.Op, "lt", "lte", "gt", "gte")
	}
	if slo.Indicator.Threshold == nil {
		r.need(d, o.Op == "" || strings.HasPrefix(o.Op, "gt"), path+".op",
			"op is %q, but a ratio of good ones is better the higher it is: remove op (it is for thresholdMetric)", o.Op)
		r.need(d, o.Value == nil, path+".value", "value is for thresholdMetric, and a ratioMetric has no samples to compare: remove it")
		return
	}
	r.need(d, len(found.object.Spec.Objectives) == 1, "$.spec.objectives", "with a thresholdMetric OpenSLO allows one objective: write an SLO for each")
	r.need(d, o.Op != "", path, "a thresholdMetric needs op: lt, lte, gt or gte, which holds while things are good")
	if o.Value == nil {
		r.add(d.Errorf(path, "a thresholdMetric needs a value to be compared with"))
		return
	}
	threshold := *slo.Indicator.Threshold
	threshold.Op, threshold.Value = operators[o.Op], float64(*o.Value)
	slo.Indicator.Threshold = &threshold
}

var notInNames = regexp.MustCompile(`[^a-z0-9]+`)

// nameOf is an SLO's name: of several objectives each has its own, by its display name or its number.
func nameOf(name string, o objective, i, of int) string {
	if of == 1 {
		return name
	}
	if own := strings.Trim(notInNames.ReplaceAllString(strings.ToLower(o.DisplayName), "-"), "-"); own != "" {
		return name + "-" + own
	}
	return fmt.Sprintf("%s-%d", name, i+1)
}
