package mesh

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/chaos-mesh/chaos-mesh/api/v1alpha1"
)

// check holds a resource to what keeps its reach small, and then to Chaos Mesh's own rules. Chaos Mesh takes an empty selector
// for "all pods" and a missing duration for "for ever": neither leaves this program.
func check(resource Resource, namespace string) error {
	var problems []error
	if resource.GetNamespace() != namespace {
		problems = append(problems, fmt.Errorf("it would be made in namespace %q, not in %q", resource.GetNamespace(), namespace))
	}
	selectors := resource.GetSelectorSpecs()
	if len(selectors) == 0 {
		problems = append(problems, errors.New("it has an action that selects nothing"))
	}
	for _, key := range slices.Sorted(maps.Keys(selectors)) {
		problems = append(problems, checkSelector(selectors[key], namespace))
	}
	problems = append(problems, known(resource), checkDuration(resource))
	if _, err := resource.Validate(); err != nil {
		problems = append(problems, fmt.Errorf("Chaos Mesh would refuse it: %w", err)) //nolint:staticcheck // a name begins with a capital
	}
	return errors.Join(problems...)
}

func checkSelector(selector any, namespace string) error {
	pods := podSelector(selector)
	if pods == nil {
		return fmt.Errorf("it selects by a %T, whose reach nobody has thought about", selector)
	}
	switch {
	case !slices.Equal(pods.Selector.Namespaces, []string{namespace}):
		return fmt.Errorf("it selects pods of the namespaces %q: only %q is in reach", pods.Selector.Namespaces, namespace)
	case len(pods.Selector.Pods) > 0 || len(pods.Selector.Nodes) > 0:
		return errors.New("it selects pods by name or node, which may be in any namespace")
	case pods.Selector.LabelSelectors[nameLabel] == "":
		return errors.New("its selector is empty: without the label " + nameLabel + " it would reach every pod of the namespace")
	}
	return nil
}

// podSelector finds the selector of pods in what Chaos Mesh gives as selectors; nil when it is another sort.
func podSelector(selector any) *v1alpha1.PodSelector {
	switch s := selector.(type) {
	case *v1alpha1.PodSelector:
		return s
	case *v1alpha1.ContainerSelector:
		return &s.PodSelector
	}
	return nil
}

// checkDuration wants a positive duration. Chaos Mesh itself takes none, zero and less.
func checkDuration(resource Resource) error {
	var text *string
	switch r := resource.(type) {
	case *v1alpha1.NetworkChaos:
		text = r.Spec.Duration
		if d := r.Spec.Delay; r.Spec.Action == v1alpha1.DelayAction && (d == nil || !positive(d.Latency)) {
			return errors.New("its delay has no positive latency")
		}
	case *v1alpha1.PodChaos:
		text = r.Spec.Duration
	}
	if text == nil || !positive(*text) {
		return errors.New("it has no positive duration, so nothing would end it when nobody takes it away")
	}
	return nil
}

func positive(text string) bool {
	d, err := time.ParseDuration(text)
	return err == nil && d > 0
}

// known holds the words that a resource uses to those that this package uses; Chaos Mesh's schema has them all, its Go code
// checks none.
func known(resource Resource) error {
	switch r := resource.(type) {
	case *v1alpha1.NetworkChaos:
		return errors.Join(
			among("action", r.Spec.Action, v1alpha1.DelayAction, v1alpha1.PartitionAction),
			among("direction", r.Spec.Direction, v1alpha1.To, v1alpha1.Both),
			among("mode", r.Spec.Mode, v1alpha1.AllMode),
		)
	case *v1alpha1.PodChaos:
		return errors.Join(among("action", r.Spec.Action, v1alpha1.ContainerKillAction), among("mode", r.Spec.Mode, v1alpha1.OneMode))
	}
	return fmt.Errorf("it is a %T, which is none of ours", resource)
}

func among[T ~string](what string, word T, ours ...T) error {
	if slices.Contains(ours, word) {
		return nil
	}
	return fmt.Errorf("it has the %s %q; ours are: %q", what, word, ours)
}
