package mesh

import (
	"fmt"
	"time"

	"k8s.io/client-go/transport"

	"github.com/faultline-lab/faultline/chaos/experiment"
	"github.com/faultline-lab/faultline/chaos/fault"
	"github.com/faultline-lab/faultline/chaos/kube"
	"github.com/faultline-lab/faultline/chaos/target"
	"github.com/faultline-lab/faultline/observability/endpoints"
)

// Run is one run of an experiment on a cluster.
type Run struct {
	Cluster endpoints.Kubernetes
	// Transport wraps the calls of the Kubernetes API; nil wraps nothing.
	Transport target.Wrap
	// ID is that of the run. Its first eight characters are in the resource's name.
	ID string
	// TTL is how long the fault may live: Chaos Mesh itself ends it then, whoever has died.
	TTL time.Duration
}

// Open makes the driver of an experiment's fault. It calls nobody.
func Open(e experiment.Experiment, run Run) (fault.Driver, error) {
	access, err := kube.Access(run.Cluster, transport.WrapperFunc(run.Transport))
	if err != nil {
		return nil, err
	}
	api, err := Dial(access)
	if err != nil {
		return nil, fmt.Errorf("the stack's kubeconfig: %w", err)
	}
	client, err := New(Config{API: api, Namespace: run.Cluster.Namespace})
	if err != nil {
		return nil, err
	}
	driver, err := NewDriver(DriverConfig{
		Experiment: e, Client: client, ID: run.ID[:min(8, len(run.ID))], Lifetime: run.TTL,
	})
	if err != nil {
		return nil, err
	}
	return driver, nil
}
