package mesh

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/chaos-mesh/chaos-mesh/api/v1alpha1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/faultline-lab/faultline/chaos/experiment"
	"github.com/faultline-lab/faultline/chaos/fault"
)

// DriverConfig is what a Driver needs.
type DriverConfig struct {
	Experiment experiment.Experiment
	Client     *Client
	// ID tells this run's resource from those of others: lower case letters and digits.
	ID string
	// Lifetime is when Chaos Mesh ends the fault by itself: longer than the window in which it is watched.
	Lifetime time.Duration
}

// Driver injects by Chaos Mesh. It is a fault.Driver.
type Driver struct {
	client   *Client
	resource Resource
	workload string
}

// NewDriver translates the experiment, and calls nobody.
func NewDriver(config DriverConfig) (*Driver, error) {
	if config.Client == nil || config.ID == "" || config.Lifetime <= 0 {
		return nil, errors.New("mesh: DriverConfig.Client, ID and Lifetime are required")
	}
	resource, err := Translate(config.Experiment, Place{
		Namespace: config.Client.config.Namespace, Name: config.Experiment.Name + "-" + config.ID, Lifetime: config.Lifetime,
	})
	if err != nil {
		return nil, err
	}
	return &Driver{client: config.Client, resource: resource, workload: config.Experiment.Scope.Workload}, nil
}

// Prepare asks whether Chaos Mesh is there, whether there are pods to select, and whether the cluster would take the resource.
func (d *Driver) Prepare(ctx context.Context) (fault.State, error) {
	if err := d.client.Apply(ctx, d.fresh(), true); err != nil {
		return nil, err
	}
	pods, err := d.client.selected(ctx, d.resource)
	if err != nil {
		return nil, err
	}
	state := state{Kind: kind(d.resource), Name: d.resource.GetName(), Pods: map[string]podState{}}
	for _, pod := range pods {
		state.Pods[pod.Name] = podState{UID: pod.UID, Restarts: restarts(pod)}
		if pod.Spec.HostNetwork {
			return nil, fmt.Errorf("pod %s has the network of its node, which Chaos Mesh would disturb as a whole", pod.Name)
		}
	}
	if len(pods) == 0 {
		return nil, fmt.Errorf("%s would select nothing: namespace %s has no running pod with the labels %v", describe(d.resource),
			d.client.config.Namespace, podSelector(d.resource.GetSelectorSpecs()["."]).Selector.LabelSelectors)
	}
	return json.Marshal(state)
}

// Inject makes the resource and returns when Chaos Mesh says that the fault is on every target.
func (d *Driver) Inject(ctx context.Context, prepared fault.State) (fault.Injection, error) {
	injection := fault.Injection{State: prepared}
	state, err := decode(prepared)
	if err != nil {
		return injection, err
	}
	resource := d.fresh()
	begin := time.Now()
	if err := d.client.Apply(ctx, resource, false); err != nil {
		return injection, err
	}
	state.UID = resource.GetUID()
	err = d.client.awaitInjected(ctx, resource)
	for _, target := range targets(resource, false) {
		state.Targets = append(state.Targets, target.pod)
	}
	encoded, encodeErr := json.Marshal(state)
	injection.State = encoded
	if err := errors.Join(err, encodeErr); err != nil {
		return injection, err
	}
	injection.Affected = state.Targets
	if state.Kind == v1alpha1.KindNetworkChaos {
		if injection.Affected, err = d.client.replicas(ctx, d.workload); err != nil {
			return injection, err
		}
	}
	injection.Detail = fmt.Sprintf("%s is injected on %s after %.1f s", describe(resource), strings.Join(state.Targets, ", "), time.Since(begin).Seconds())
	return injection, nil
}

// Restore deletes the resource, and returns when Chaos Mesh has taken the fault away. It returns ErrStuck when it does not.
func (d *Driver) Restore(ctx context.Context, encoded fault.State) error {
	resource, state, err := d.stored(encoded)
	if err != nil {
		return err
	}
	err = d.client.remove(ctx, resource)
	if errors.Is(err, ErrNotInstalled) && state.UID == "" {
		return nil // it was never made
	}
	return err
}

// Clear gives up a resource that Restore could not remove, provided that no pod carries the fault any more.
func (d *Driver) Clear(ctx context.Context, encoded fault.State) error {
	resource, state, err := d.stored(encoded)
	if err != nil {
		return err
	}
	uids := map[string]types.UID{}
	for name, pod := range state.Pods {
		uids[name] = pod.UID
	}
	return d.client.clear(ctx, resource, uids)
}

// fresh is the resource as it was translated.
func (d *Driver) fresh() Resource { return d.resource.DeepCopyObject().(Resource) }

// stored is the resource that a state is about, to be read from the cluster.
func (d *Driver) stored(encoded fault.State) (Resource, state, error) {
	state, err := decode(encoded)
	if err != nil {
		return nil, state, err
	}
	resource := empty(state.Kind)
	if resource == nil {
		return nil, state, fmt.Errorf("the stored state of the fault is about a %q, which is no resource of Chaos Mesh's", state.Kind)
	}
	resource.SetNamespace(d.client.config.Namespace)
	resource.SetName(state.Name)
	resource.SetUID(state.UID)
	return resource, state, nil
}
