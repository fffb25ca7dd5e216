package kind

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/fake"

	"github.com/faultline-lab/faultline/deploy/local/ports"
)

func TestWhoseAClusterIs(t *testing.T) {
	here, there := checkout(t).Root, checkout(t).Root
	gone := filepath.Join(t.TempDir(), "gone")
	wanted := boundPorts(ports.Default())
	node := machine{ID: "abc", Name: "x-control-plane", Running: true, Ports: wanted}
	silent := errors.New("connection refused")
	for name, c := range map[string]struct {
		found found
		want  standing
		says  []string // of the refusal
	}{
		"one that says it is ours":                     {found: found{marker: &Marker{Checkout: here}}, want: ours},
		"one of a checkout that is gone":               {found: found{marker: &Marker{Checkout: gone}}, want: ours},
		"one of another checkout is not touched":       {found: found{marker: &Marker{Checkout: there}}, says: []string{there, "make down", clusterVariable}},
		"one that says nothing is not touched":         {found: found{}, says: []string{"none of ours", clusterVariable, "docker rm"}},
		"nor when we made one of another name":         {found: found{known: record{Cluster: "y", Ports: wanted}}, says: []string{"none of ours"}},
		"nor when ours had another node":               {found: found{silent: silent, known: record{Cluster: "x", Container: "def"}}, says: []string{"cannot be told", "connection refused"}},
		"nor when a half-made one had other ports":     {found: found{known: record{Cluster: "x", Ports: bound{"30080/tcp": "1"}}}, says: []string{"none of ours"}},
		"nor when it lost its marker":                  {found: found{known: record{Cluster: "x", Container: "abc", Ports: wanted}}, says: []string{"none of ours"}},
		"one that we were making":                      {found: found{silent: silent, known: record{Cluster: "x", Ports: wanted}}, want: halfMade},
		"one that we had made and could not yet mark":  {found: found{known: record{Cluster: "x", Ports: wanted}}, want: halfMade},
		"one that we made and that is silent is known": {found: found{silent: silent, known: record{Cluster: "x", Container: "abc"}}, want: broken},
		"one that is silent and unknown":               {found: found{silent: silent}, says: []string{"cannot be told", "docker start x-control-plane"}},
	} {
		t.Run(name, func(t *testing.T) {
			c.found.cluster, c.found.node = "x", node
			got, err := c.found.judge(here)
			if (err != nil) != (len(c.says) > 0) {
				t.Fatalf("error %v", err)
			}
			for _, part := range c.says {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("it does not say %q: %v", part, err)
				}
			}
			if err == nil && got != c.want {
				t.Errorf("standing %d, want %d", got, c.want)
			}
		})
	}
}

func TestAMarkerIsReadAsItWasWritten(t *testing.T) {
	client := fake.NewClientset()
	if marker, err := readMarker(t.Context(), client); marker != nil || err != nil {
		t.Fatalf("without one: %+v, %v", marker, err)
	}
	wrote := Marker{
		Checkout: "/a", NodeImage: "node:1", Airgapped: true, Ports: hostPorts(ports.Default()),
		MadeAt: time.Date(2026, 3, 1, 12, 0, 0, 5, time.UTC),
	}
	for range 2 { // the second replaces the first
		if err := writeMarker(t.Context(), client, wrote); err != nil {
			t.Fatal(err)
		}
	}
	read, err := readMarker(t.Context(), client)
	if err != nil {
		t.Fatal(err)
	}
	if read.Checkout != "/a" || read.NodeImage != "node:1" || !read.Airgapped || !read.MadeAt.Equal(wrote.MadeAt) ||
		len(read.Ports) != len(nodePorts()) || read.Ports[ports.Loki] != 3100 {
		t.Errorf("read %+v", read)
	}
}

func TestSomebodyElsesConfigMapOfThatNameIsNoMarker(t *testing.T) {
	client := fake.NewClientset(&corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Name: markerName, Namespace: markerNamespace}, Data: map[string]string{"a": "b"},
	})
	if marker, err := readMarker(t.Context(), client); marker != nil || err == nil {
		t.Errorf("%+v, %v", marker, err)
	}
}

func TestAClusterIsUsedAgainOnlyAsItWouldBeMade(t *testing.T) {
	node := Node{Image: "node:1"}
	marker := Marker{NodeImage: "node:1", Ports: hostPorts(ports.Default())}
	if err := marker.fits("x", node, hostPorts(ports.Default())); err != nil {
		t.Errorf("the same is refused: %v", err)
	}
	moved := ports.Default()
	moved[ports.Loki] = 3200
	err := marker.fits("x", node, hostPorts(moved))
	if err == nil || !strings.Contains(err.Error(), "loki at port 3100, and 3200") || !strings.Contains(err.Error(), "stack kind down") {
		t.Errorf("another port: %v", err)
	}
	err = marker.fits("x", Node{Image: "node:2"}, hostPorts(ports.Default()))
	if err == nil || !strings.Contains(err.Error(), "node:2") || !strings.Contains(err.Error(), "stack kind down") {
		t.Errorf("another node image: %v", err)
	}
}
