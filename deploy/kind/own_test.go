package kind

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/faultline-lab/faultline/deploy/local/ports"
	"github.com/faultline-lab/faultline/observability/endpoints"
)

// markerOf is the marker of a cluster that was made from there.
func markerOf(from place) Marker {
	return Marker{
		Checkout: from.root, Machine: from.machine, NodeImage: "node:1", Ports: hostPorts(ports.Default()), MadeAt: time.Now(),
	}
}

func TestACheckoutThatForgotItsClusterFindsItByItsMark(t *testing.T) {
	at := checkout(t)
	here := placeOf(at.Root)
	there := fakeCluster(t, "lost", here.mark(), markerOf(here))
	if name, err := Own(t.Context(), at.Folders); name != "lost" || err != nil {
		t.Fatalf("found %q, %v", name, err)
	}
	if name, err := Own(t.Context(), checkout(t).Folders); name != "" || err != nil {
		t.Errorf("another checkout finds %q, %v", name, err)
	}
	if err := Down(t.Context(), Config{Root: at.Root}); err != nil {
		t.Fatal(err)
	}
	if there() {
		t.Error("it is not deleted")
	}
	if name, err := Own(t.Context(), at.Folders); name != "" || err != nil {
		t.Errorf("after that it finds %q, %v", name, err)
	}
}

func TestAClusterThatAnotherCheckoutTookOverIsNotOurOwn(t *testing.T) {
	at, other := checkout(t), checkout(t)
	fakeCluster(t, "lost", placeOf(at.Root).mark(), markerOf(placeOf(other.Root)))
	if name, err := Own(t.Context(), at.Folders); name != "" || err != nil {
		t.Errorf("found %q, %v", name, err)
	}
}

func TestWithoutAnEngineACheckoutHasTheClusterThatItRemembers(t *testing.T) {
	at := checkout(t)
	fakeDocker(t, "")
	if name, err := Own(t.Context(), at.Folders); name != "" || err != nil {
		t.Errorf("without any it has %q, %v", name, err)
	}
	stack := endpoints.Stack{Target: endpoints.Kind, Kubernetes: &endpoints.Kubernetes{Context: "kind-b"}}
	if err := endpoints.Write(at.Stack, stack); err != nil {
		t.Fatal(err)
	}
	if name, err := Own(t.Context(), at.Folders); name != "b" || err != nil {
		t.Errorf("by stack.json it has %q, %v", name, err)
	}
	if err := (record{Cluster: "a"}).write(at.record); err != nil {
		t.Fatal(err)
	}
	if name, err := Own(t.Context(), at.Folders); name != "a" || err != nil {
		t.Errorf("by its record it has %q, %v", name, err)
	}
}

// remember makes the checkout one that has a cluster of that name, and returns the files that say so.
func remember(t *testing.T, at files, cluster string) []string {
	t.Helper()
	if err := (record{Cluster: cluster, Container: "other"}).write(at.record); err != nil {
		t.Fatal(err)
	}
	stack := endpoints.Stack{Target: endpoints.Kind, Kubernetes: &endpoints.Kubernetes{Context: contextName(cluster)}}
	if err := endpoints.Write(at.Stack, stack); err != nil {
		t.Fatal(err)
	}
	touch(t, at.kubeconfig)
	touch(t, at.WebhookToken)
	return []string{at.record, at.Stack, at.kubeconfig, at.WebhookToken}
}

func TestTakingAnotherClusterDownForgetsNothingOfOurOwn(t *testing.T) {
	for name, c := range map[string]struct{ given, environment string }{
		"named by the flag": {given: "other"}, "named by the environment": {environment: "other"},
	} {
		for whether, there := range map[string]bool{"where there is one": true, "where there is none": false} {
			t.Run(name+" "+whether, func(t *testing.T) {
				at := checkout(t)
				left := remember(t, at, "mine")
				cluster := "third"
				if there {
					cluster = "other"
				}
				alive := fakeCluster(t, cluster, placeOf(at.Root).mark(), markerOf(placeOf(at.Root)))
				t.Setenv(clusterVariable, c.environment)
				var said bytes.Buffer
				if err := Down(t.Context(), Config{Root: at.Root, Cluster: c.given, Progress: &said}); err != nil {
					t.Fatal(err)
				}
				if alive() == there {
					t.Errorf("cluster %s is there: %v", cluster, alive())
				}
				for _, file := range left {
					if !exists(file) {
						t.Errorf("%s is gone", file)
					}
				}
				if known, err := Known(at.Folders); !known || err != nil || !strings.Contains(said.String(), "own cluster is mine") {
					t.Errorf("known %v, %v; it says %q", known, err, said.String())
				}
			})
		}
	}
}

func TestDownDeletesNoClusterThatThisCheckoutNeitherMadeNorTookOver(t *testing.T) {
	at := checkout(t)
	gone := filepath.Join(t.TempDir(), "gone")
	machine := placeOf(at.Root).machine
	for name, c := range map[string]struct {
		whose place
		says  []string
	}{
		"its checkout is gone":           {place{gone, machine}, []string{gone, "`docker rm -f -v x-control-plane`", "stack kind up"}},
		"its checkout cannot be seen":    {place{gone, "far"}, []string{gone + " on far", "`docker rm -f -v x-control-plane`"}},
		"it is called as ours elsewhere": {place{at.Root, "far"}, []string{"on far", "`docker rm -f -v x-control-plane`"}},
	} {
		t.Run(name, func(t *testing.T) {
			there := fakeCluster(t, "x", c.whose.mark(), markerOf(c.whose))
			err := Down(t.Context(), Config{Root: at.Root, Cluster: "x"})
			if err == nil {
				t.Fatal("it is content")
			}
			for _, part := range c.says {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("it does not say %q: %v", part, err)
				}
			}
			if !there() {
				t.Error("it is deleted")
			}
			if _, err := os.Stat(at.record); err == nil {
				t.Error("it is taken for ours")
			}
		})
	}
}
