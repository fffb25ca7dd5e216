package playbook

import (
	"slices"
	"strings"

	"github.com/faultline-lab/faultline/autoheal/guard"
	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/autoheal/remedy"
)

// Known is what a playbook may speak of, and what it may not combine.
type Known struct {
	Causes   []incident.Cause
	Remedies []Remedy
	// Harmful says why a remedy makes a cause worse; "" when it does not.
	Harmful func(cause incident.Cause, remedy string) string
	// Limits are those that the healer has without the playbook, which may only tighten them.
	Limits guard.Limits
}

// Remedy is what must be known of a remedy to check a rung.
type Remedy interface {
	Name() string
	Traits() remedy.Traits
	// Check says what is wrong with the parameters, and which of them is.
	Check(params remedy.Params) (field string, err error)
}

// Remedies makes the list that Known takes from one of remedies or of their descriptions.
func Remedies[R Remedy](all []R) []Remedy {
	var remedies []Remedy
	for _, r := range all {
		remedies = append(remedies, r)
	}
	return remedies
}

func (k Known) remedy(name string) (Remedy, bool) {
	i := slices.IndexFunc(k.Remedies, func(r Remedy) bool { return r.Name() == name })
	if i < 0 {
		return nil, false
	}
	return k.Remedies[i], true
}

func (k Known) names() string {
	var names []string
	for _, r := range k.Remedies {
		names = append(names, r.Name())
	}
	return list(names)
}

func list[T ~string](names []T) string {
	texts := make([]string, len(names))
	for i, n := range names {
		texts[i] = string(n)
	}
	slices.Sort(texts)
	return strings.Join(texts, ", ")
}
