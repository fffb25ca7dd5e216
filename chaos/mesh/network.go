package mesh

import (
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/chaos-mesh/chaos-mesh/api/v1alpha1"

	"github.com/faultline-lab/faultline/chaos/experiment"
)

// The toxics that Chaos Mesh has too; a reset is not among them.
const (
	latency   = "latency"
	partition = "partition"
)

// networkParameters are the fault's keys in the experiment file, the same as on the local target.
type networkParameters struct {
	Toxic   string              `yaml:"toxic"`   // latency or partition
	Latency experiment.Duration `yaml:"latency"` // added each way; for latency only
	Jitter  experiment.Duration `yaml:"jitter"`  // the delay varies by as much, up and down, each way; for latency only
}

// databases are the workloads that have a way to a database, which is what is disturbed.
var databases = []string{"inventory", "orders"}

// database selects the server at the far end of every such way: the fault is put there, because a replica that is restarted
// comes back as another pod, out of reach of a fault that was put on the old one (ADR 0024).
func database() v1alpha1.PodSelector {
	return v1alpha1.PodSelector{
		Mode: v1alpha1.AllMode,
		Selector: v1alpha1.PodSelectorSpec{GenericSelectorSpec: v1alpha1.GenericSelectorSpec{
			LabelSelectors: map[string]string{nameLabel: "postgres", partOfLabel: "faultline-stack"},
		}},
	}
}

func network(e experiment.Experiment) (Resource, error) {
	p, err := readNetwork(e)
	if err != nil {
		return nil, err
	}
	resource := &v1alpha1.NetworkChaos{
		TypeMeta: typeMeta(v1alpha1.KindNetworkChaos),
		Spec:     v1alpha1.NetworkChaosSpec{PodSelector: database()},
	}
	if p.Toxic == partition {
		resource.Spec.Action, resource.Spec.Direction = v1alpha1.PartitionAction, v1alpha1.Both
		return resource, nil
	}
	// The kernel delays what leaves, not what arrives. So what the server sends bears the delay of both ways, and a round
	// trip takes as much longer as with half of it at each end.
	resource.Spec.Action, resource.Spec.Direction = v1alpha1.DelayAction, v1alpha1.To
	resource.Spec.Delay = &v1alpha1.DelaySpec{
		Latency: (2 * p.Latency.Duration).String(), Jitter: (2 * p.Jitter.Duration).String(),
	}
	return resource, nil
}

func readNetwork(e experiment.Experiment) (networkParameters, error) {
	var p networkParameters
	if err := e.Fault.Parameters.Decode(&p); err != nil {
		return p, err
	}
	var problems []error
	unless := func(ok bool, key, format string, args ...any) {
		if !ok {
			problems = append(problems, e.ErrorAt("$.fault.parameters."+key, key+": "+format, args...))
		}
	}
	if !slices.Contains(databases, e.Scope.Workload) {
		problems = append(problems, e.ErrorAt("$.scope.workload", "scope.workload: %s has no way to a database; these have one: %s",
			e.Scope.Workload, strings.Join(databases, ", ")))
	}
	switch p.Toxic {
	case latency:
		enough := p.Latency.Duration >= time.Millisecond
		unless(enough, "latency", "what is added each way: at least 1ms, for example 60ms")
		unless(!enough || p.Jitter.Duration >= 0 && p.Jitter.Duration <= p.Latency.Duration, "jitter", "between 0s and the latency")
	case partition:
		unless(p.Latency.Duration == 0 && p.Jitter.Duration == 0, "latency", "a partition lets nothing through, early or late: leave it out")
	default:
		unless(false, "toxic", "Chaos Mesh has nothing like %q; it has: %s, %s", p.Toxic, latency, partition)
	}
	return p, errors.Join(problems...)
}
