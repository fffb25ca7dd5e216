package mesh

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/chaos-mesh/chaos-mesh/api/v1alpha1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/faultline-lab/faultline/chaos/experiment"
)

// Resource is a Chaos Mesh resource: a NetworkChaos or a PodChaos.
type Resource interface {
	client.Object
	v1alpha1.InnerObjectWithSelector
	Default()
	Validate() ([]string, error)
}

// Place is where a resource is made, and for how long.
type Place struct {
	// Namespace is that of the workload. The resource is made there, and selects pods of no other.
	Namespace string
	// Name is the resource's. Empty means the experiment's.
	Name string
	// Lifetime is the time after which Chaos Mesh takes the fault away by itself, counted from the making of the resource.
	// 0 means the experiment's duration.
	Lifetime time.Duration
}

// The labels of our pods and of the resources (docs/contracts.md).
const (
	nameLabel       = "app.kubernetes.io/name"
	partOfLabel     = "app.kubernetes.io/part-of"
	managedByLabel  = "app.kubernetes.io/managed-by"
	experimentLabel = "faultline.dev/experiment"
	manager         = "faultline-chaos"
)

// carried is every kind of fault that Chaos Mesh can carry.
var carried = map[string]func(experiment.Experiment) (Resource, error){
	"network":      network,
	"process-kill": processKill,
}

// others says of the other kinds why Chaos Mesh cannot carry them; docs/chaos-mesh.md tells more.
var others = map[string]string{
	"connection-leak":    "it is a bug in the code of orders, which ordinary orders wake",
	"bad-release":        "it is another version of orders, which is rolled out",
	"lock-contention":    "it is a session that holds rows in the database",
	"slow-query":         "it is long reports through the pool of orders",
	"server-cap":         "it is foreign sessions in the database",
	"failing-downstream": "payments fails its own answers, and not its probes: a fault of its network would hit both",
	"slow-downstream":    "payments delays its own answers, and nothing else of it: a NetworkChaos would delay its probes as well",
	"traffic-surge":      "it is more customers",
	"batch":              "it is work that orders is given",
}

// Kinds names the faults that Chaos Mesh can carry, sorted.
func Kinds() []string { return slices.Sorted(maps.Keys(carried)) }

// Carries says whether Chaos Mesh can carry the fault of an experiment.
func Carries(e experiment.Experiment) bool { return carried[e.Fault.Kind] != nil }

// Translate makes the resource that carries an experiment's fault. It calls nobody. What is wrong with the experiment is an
// error with its place in the file, as file:line:column; Chaos Mesh's own validation has its say too.
func Translate(e experiment.Experiment, place Place) (Resource, error) {
	translate, ok := carried[e.Fault.Kind]
	if !ok {
		return nil, notCarried(e)
	}
	if place.Name == "" {
		place.Name = e.Name
	}
	if err := place.check(); err != nil {
		return nil, err
	}
	if problems := validation.IsDNS1123Label(e.Scope.Workload); len(problems) > 0 {
		return nil, e.ErrorAt("$.scope.workload", "scope.workload: %q cannot be the name of a workload: %s",
			e.Scope.Workload, strings.Join(problems, "; "))
	}
	resource, err := translate(e)
	if err != nil {
		return nil, err
	}
	place.put(resource, e)
	resource.Default()
	if err := check(resource, place.Namespace); err != nil {
		return nil, e.ErrorAt("$.fault", "%v", err)
	}
	return resource, nil
}

func notCarried(e experiment.Experiment) error {
	why, known := others[e.Fault.Kind]
	if !known {
		why = "no such fault is known"
	}
	return e.ErrorAt("$.fault.kind", "Chaos Mesh cannot carry %q: %s; it can carry: %s", e.Fault.Kind, why, strings.Join(Kinds(), ", "))
}

func (p Place) check() error {
	for what, name := range map[string]string{"namespace": p.Namespace, "name of the resource": p.Name} {
		if problems := validation.IsDNS1123Label(name); len(problems) > 0 {
			return fmt.Errorf("the %s is %q: %s", what, name, strings.Join(problems, "; "))
		}
	}
	if p.Lifetime < 0 {
		return fmt.Errorf("a lifetime of %s: it must not be negative", p.Lifetime)
	}
	return nil
}

// put names the resource, and bounds its selectors to the namespace and its life to the lifetime.
func (p Place) put(resource Resource, e experiment.Experiment) {
	resource.SetNamespace(p.Namespace)
	resource.SetName(p.Name)
	resource.SetLabels(map[string]string{managedByLabel: manager, experimentLabel: e.Name})
	lifetime := p.Lifetime
	if lifetime == 0 {
		lifetime = e.Duration.Duration
	}
	switch r := resource.(type) {
	case *v1alpha1.NetworkChaos:
		r.Spec.Selector.Namespaces = []string{p.Namespace}
		r.Spec.Duration = new(lifetime.String())
	case *v1alpha1.PodChaos:
		r.Spec.Selector.Namespaces = []string{p.Namespace}
		r.Spec.Duration = new(lifetime.String()) // says how long it is meant to lie there: a kill is over at once
	}
}

func typeMeta(kind string) metav1.TypeMeta {
	return metav1.TypeMeta{APIVersion: v1alpha1.GroupVersion.String(), Kind: kind}
}
