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
	here, there := placeOf(checkout(t).Root), placeOf(checkout(t).Root)
	gone := placeOf(filepath.Join(t.TempDir(), "gone"))
	// Folders of another machine, or of another container: one that cannot be seen, and one that is called as ours is.
	unseen, namesake := place{gone.root, "far"}, place{here.root, "far"}
	wanted := boundPorts(ports.Default())
	node := machine{ID: "abc", Name: "x-control-plane", Running: true, Ports: wanted, Mounts: []string{"/var", here.mark()}}
	silent := errors.New("connection refused")
	of := func(whose place) *Marker { return &Marker{Checkout: whose.root, Machine: whose.machine} }
	made := record{Cluster: "x", Container: "abc"}
	half := record{Cluster: "x", Mark: here.mark(), Ports: wanted}
	for name, c := range map[string]struct {
		found found
		want  standing
		says  []string // of the refusal
	}{
		"one that says it is ours":                        {found: found{marker: of(here)}, want: ours},
		"one of a checkout that is gone may be used":      {found: found{marker: of(gone)}, want: abandoned},
		"one of another checkout is not touched":          {found: found{marker: of(there)}, says: []string{there.root, "make down", clusterVariable}},
		"nor one of a checkout that cannot be seen":       {found: found{marker: of(unseen)}, says: []string{gone.root + " on far", "docker rm -f -v x-control-plane"}},
		"nor one of a checkout that is called as ours":    {found: found{marker: of(namesake)}, says: []string{"on far", "docker rm -f -v x-control-plane"}},
		"one that we made under the machine's old name":   {found: found{marker: of(namesake), known: made}, want: ours},
		"one that we made, and whose folder was moved":    {found: found{marker: of(gone), known: made}, want: ours},
		"one that we made, and another one took over":     {found: found{marker: of(there), known: made}, says: []string{there.root}},
		"one that says nothing is not touched":            {found: found{}, says: []string{"none of ours", clusterVariable, "docker rm"}},
		"nor when we made one of another name":            {found: found{known: record{Cluster: "y", Mark: here.mark(), Ports: wanted}}, says: []string{"none of ours"}},
		"nor when ours had another node":                  {found: found{silent: silent, known: record{Cluster: "x", Container: "def"}}, says: []string{"cannot be told", "connection refused"}},
		"nor when a half-made one had other ports":        {found: found{known: record{Cluster: "x", Mark: here.mark(), Ports: bound{"30080/tcp": "1"}}}, says: []string{"none of ours"}},
		"nor when a half-made one had another mark":       {found: found{known: record{Cluster: "x", Mark: there.mark(), Ports: wanted}}, says: []string{"none of ours"}},
		"nor when a half-made one is known by ports only": {found: found{known: record{Cluster: "x", Ports: wanted}}, says: []string{"none of ours"}},
		"nor when it lost its marker":                     {found: found{known: record{Cluster: "x", Container: "abc", Mark: here.mark(), Ports: wanted}}, says: []string{"none of ours"}},
		"one that we were making":                         {found: found{silent: silent, known: half}, want: halfMade},
		"one that we had made and could not yet mark":     {found: found{known: half}, want: halfMade},
		"one that we made and that is silent is known":    {found: found{silent: silent, known: made}, want: broken},
		"one that is silent and unknown":                  {found: found{silent: silent}, says: []string{"cannot be told", "docker start x-control-plane"}},
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

func TestAMarkIsOfOneCheckoutOnOneMachine(t *testing.T) {
	a := place{"/a", "m"}
	if a.mark() != (place{"/a", "m"}).mark() {
		t.Error("it changes")
	}
	for _, other := range []place{{"/b", "m"}, {"/a", "n"}} {
		if a.mark() == other.mark() {
			t.Errorf("%s has the same", other)
		}
	}
	if placeOf("/a").machine == "" {
		t.Error("this machine has no name")
	}
}

func TestAMarkerIsReadAsItWasWritten(t *testing.T) {
	client := fake.NewClientset()
	if marker, err := readMarker(t.Context(), client); marker != nil || err != nil {
		t.Fatalf("without one: %+v, %v", marker, err)
	}
	wrote := Marker{
		Checkout: "/a", Machine: "m", NodeImage: "node:1", Airgapped: true, Ports: hostPorts(ports.Default()),
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
	if read.at() != (place{"/a", "m"}) || read.NodeImage != "node:1" || !read.Airgapped || !read.MadeAt.Equal(wrote.MadeAt) ||
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
	const away = "stack kind down"
	marker := Marker{NodeImage: "node:1", Ports: hostPorts(ports.Default())}
	if err := marker.fits("x", "node:1", hostPorts(ports.Default()), away); err != nil {
		t.Errorf("the same is refused: %v", err)
	}
	moved := ports.Default()
	moved[ports.Loki] = 3200
	err := marker.fits("x", "node:1", hostPorts(moved), away)
	if err == nil || !strings.Contains(err.Error(), "loki at port 3100, and 3200") || !strings.Contains(err.Error(), "`stack kind down`") {
		t.Errorf("another port: %v", err)
	}
	err = marker.fits("x", "node:2", hostPorts(ports.Default()), away)
	if err == nil || !strings.Contains(err.Error(), "node:2") || !strings.Contains(err.Error(), "`stack kind down`") {
		t.Errorf("another node image: %v", err)
	}
}
