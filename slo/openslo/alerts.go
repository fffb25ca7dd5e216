package openslo

import (
	"fmt"

	"github.com/faultline-lab/faultline/observability/strictyaml"
)

// Objects of alerting are held to the specification although nothing is made of them: an SLO that refers to one is refused,
// because the window profile is what decides when somebody is told.

func (r *reader) alertPolicy(found at[object[alertPolicySpec]]) {
	spec := found.object.Spec
	r.description(found.Document, "$.spec.description", spec.Description)
	r.need(found.Document, len(spec.Conditions) == 1, "$.spec.conditions", "conditions: exactly one, there are %d", len(spec.Conditions))
	r.need(found.Document, len(spec.NotificationTargets) > 0, "$.spec.notificationTargets", "notificationTargets: at least one")
	for i, c := range spec.Conditions {
		path := fmt.Sprintf("$.spec.conditions[%d]", i)
		if r.inline(found.Document, path, "conditionRef", c.ConditionRef, "AlertCondition", c.Kind) {
			r.metadata(found.Document, path+".metadata", c.Metadata)
			r.alertCondition(found.Document, path+".spec", c.Spec)
		}
	}
	for i, t := range spec.NotificationTargets {
		path := fmt.Sprintf("$.spec.notificationTargets[%d]", i)
		if r.inline(found.Document, path, "targetRef", t.TargetRef, "AlertNotificationTarget", t.Kind) {
			r.metadata(found.Document, path+".metadata", t.Metadata)
			r.need(found.Document, t.Spec.Target != "", path+".spec.target", "target is missing: whom to notify")
		}
	}
}

// inline says whether an object stands in place; it does, or it is referred to, and not both.
func (r *reader) inline(d strictyaml.Document, path, refKey, ref, kind, is string) bool {
	switch inline := d.Has(path + ".spec"); {
	case ref != "" && inline:
		r.add(d.Errorf(path, "%s and spec: use one of them", refKey))
	case ref == "" && !inline:
		r.add(d.Errorf(path, "neither %s nor an inline %s: use one of them", refKey, kind))
	case inline && is != kind:
		r.add(d.Errorf(path+".kind", "kind is %q; it must be %s", is, kind))
	default:
		return inline
	}
	return false
}

func (r *reader) alertCondition(d strictyaml.Document, path string, spec alertConditionSpec) {
	r.description(d, path+".description", spec.Description)
	r.need(d, spec.Severity != "", path+".severity", "severity is missing, for example page")
	c := spec.Condition
	r.oneOf(d, path+".condition.kind", "condition.kind", c.Kind, "burnrate")
	r.need(d, c.Threshold != nil, path+".condition.threshold", "condition.threshold is missing: the burn rate")
	r.need(d, c.LookbackWindow.Duration > 0, path+".condition.lookbackWindow", "condition.lookbackWindow is missing, for example 1h")
	if c.Op != "" {
		r.oneOf(d, path+".condition.op", "condition.op", c.Op, "lt", "lte", "gt", "gte")
	}
}
