package kind

import (
	"maps"
	"os"
	"slices"
	"strconv"

	"sigs.k8s.io/kind/pkg/apis/config/v1alpha4"

	"github.com/faultline-lab/faultline/deploy/local/ports"
)

// podSubnet is what the pod network of an airgapped node image hands addresses out of.
const podSubnet = "10.244.0.0/16"

// nodePorts are the ports of the node that overlay dev gives to the Services people and programs of the host talk to
// (docs/contracts.md, "On Kubernetes").
func nodePorts() map[ports.Name]int {
	return map[ports.Name]int{
		ports.Storefront: 30080, ports.Autoheal: 30090, ports.Loadgen: 30131, ports.Postgres: 30433,
		ports.Prometheus: 30190, ports.Alertmanager: 30093, ports.Loki: 30100, ports.Jaeger: 30686,
		ports.OTLPHTTP: 30418, ports.Grafana: 30300,
	}
}

// hostPorts are the ports of the host that lead there.
func hostPorts(set ports.Set) ports.Set {
	mapped := ports.Set{}
	for name := range nodePorts() {
		mapped[name] = set[name]
	}
	return mapped
}

// clusterConfig describes the cluster: one node, whose ports are on loopback only, and which bears the mark.
func clusterConfig(name string, node Node, host ports.Set, mark string) *v1alpha4.Cluster {
	machine := v1alpha4.Node{
		Role: v1alpha4.ControlPlaneRole, Image: node.Image,
		ExtraMounts: []v1alpha4.Mount{{HostPath: os.DevNull, ContainerPath: mark, Readonly: true}},
	}
	at := nodePorts()
	for _, name := range slices.Sorted(maps.Keys(at)) {
		machine.ExtraPortMappings = append(machine.ExtraPortMappings, v1alpha4.PortMapping{
			ListenAddress: ports.Host, HostPort: int32(host[name]), ContainerPort: int32(at[name]), Protocol: v1alpha4.PortMappingProtocolTCP,
		})
	}
	cluster := &v1alpha4.Cluster{
		TypeMeta: v1alpha4.TypeMeta{Kind: "Cluster", APIVersion: "kind.x-k8s.io/v1alpha4"},
		Name:     name, Nodes: []v1alpha4.Node{machine},
	}
	if node.Airgapped {
		cluster.Networking = v1alpha4.Networking{DisableDefaultCNI: true, PodSubnet: podSubnet}
	}
	v1alpha4.SetDefaultsCluster(cluster)
	return cluster
}

// bound says which port of the host each node port of a container has, as the engine tells it.
type bound map[string]string

// boundPorts is what a container has that was made for these ports of the host.
func boundPorts(host ports.Set) bound {
	want := bound{}
	for name, port := range nodePorts() {
		want[strconv.Itoa(port)+"/tcp"] = strconv.Itoa(host[name])
	}
	return want
}

// has says whether all of want is among the ports; a node also has the port of its API server.
func (b bound) has(want bound) bool {
	for node, host := range want {
		if b[node] != host {
			return false
		}
	}
	return true
}
