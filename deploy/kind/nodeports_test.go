package kind

import (
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	manifests "github.com/faultline-lab/faultline/deploy/kubernetes"
	"github.com/faultline-lab/faultline/deploy/local/ports"
)

func TestTheClusterHasThePortsOfTheContractOnLoopbackOnly(t *testing.T) {
	set, err := ports.FromEnv([]string{"FAULTLINE_PORT_OFFSET=1000"})
	if err != nil {
		t.Fatal(err)
	}
	cluster := clusterConfig("x", Node{Image: "node:1"}, set, "/etc/mark")
	if len(cluster.Nodes) != 1 || cluster.Nodes[0].Image != "node:1" || cluster.Name != "x" {
		t.Fatalf("%+v", cluster)
	}
	got := map[int32]int32{}
	for _, mapping := range cluster.Nodes[0].ExtraPortMappings {
		if mapping.ListenAddress != "127.0.0.1" {
			t.Errorf("port %d listens on %q", mapping.HostPort, mapping.ListenAddress)
		}
		got[mapping.HostPort] = mapping.ContainerPort
	}
	want := map[int32]int32{
		9080: 30080, 9090: 30090, 9131: 30131, 6433: 30433, 10093: 30093, 4100: 30100, 17686: 30686, 10090: 30190,
		5318: 30418, 4000: 30300,
	}
	for host, node := range want {
		if got[host] != node {
			t.Errorf("%d leads to %d, want %d", host, got[host], node)
		}
	}
	if len(got) != len(want) {
		t.Errorf("mapped %v", got)
	}
}

func TestOnlyAnAirgappedNodeBringsItsOwnPodNetwork(t *testing.T) {
	for airgapped, want := range map[bool]string{false: "", true: "podSubnet: 10.244.0.0/16"} {
		text, err := yaml.Marshal(clusterConfig("x", Node{Image: "node:1", Airgapped: airgapped}, ports.Default(), "/etc/mark").Networking)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text), "disableDefaultCNI: true") != airgapped || !strings.Contains(string(text), want) {
			t.Errorf("airgapped %v:\n%s", airgapped, text)
		}
	}
}

func TestEveryMappedPortIsANodePortOfOverlayDev(t *testing.T) {
	objects, err := manifests.Render(manifests.Options{Overlay: overlay})
	if err != nil {
		t.Fatal(err)
	}
	services := map[string][]int{}
	for _, object := range objects {
		if object.GetKind() != "Service" {
			continue
		}
		listed, _, err := unstructured.NestedSlice(object.Object, "spec", "ports")
		if err != nil {
			t.Fatal(err)
		}
		for _, port := range listed {
			if number, ok := port.(map[string]any)["nodePort"].(int64); ok {
				services[object.GetName()] = append(services[object.GetName()], int(number))
			}
		}
	}
	for name, port := range nodePorts() {
		owner := string(name)
		if name == ports.OTLPHTTP {
			owner = "jaeger"
		}
		found := false
		for service, numbers := range services {
			found = found || slices.Contains(numbers, port) && strings.HasPrefix(service, owner)
		}
		if !found {
			t.Errorf("no Service of %s has node port %d: %v", owner, port, services)
		}
	}
}

func TestTheImagesThatAreNotOursAreFoundInTheManifests(t *testing.T) {
	objects, err := manifests.Render(manifests.Options{Overlay: overlay, WithoutGrafana: true})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, ref := range foreign(objects) {
		name, _, _ := strings.Cut(ref, ":")
		names = append(names, name)
	}
	want := []string{
		"docker.io/grafana/loki", "docker.io/jaegertracing/jaeger", "docker.io/library/postgres",
		"docker.io/prom/alertmanager", "docker.io/prom/prometheus",
	}
	if !slices.Equal(names, want) {
		t.Errorf("found %v, want %v", names, want)
	}
}

func TestTheNodeBearsTheMarkAndSeesNothingOfTheHost(t *testing.T) {
	mounts := clusterConfig("x", Node{Image: "node:1"}, ports.Default(), "/etc/mark").Nodes[0].ExtraMounts
	if len(mounts) != 1 || mounts[0].ContainerPath != "/etc/mark" || mounts[0].HostPath != "/dev/null" || !mounts[0].Readonly {
		t.Errorf("mounts %+v", mounts)
	}
}
