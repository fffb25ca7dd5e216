package mesh_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chaos-mesh/chaos-mesh/api/v1alpha1"

	"github.com/faultline-lab/faultline/chaos/experiment"
	"github.com/faultline-lab/faultline/chaos/experiments"
	"github.com/faultline-lab/faultline/chaos/mesh"
)

// source is the text of an experiment of testdata, with replacements: old, new, old, new.
func source(t *testing.T, name string, replace ...string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "experiments", name+".yaml"))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(replace); i += 2 {
		if !bytes.Contains(text, []byte(replace[i])) {
			t.Fatalf("%s has no %q", name, replace[i])
		}
	}
	return []byte(strings.NewReplacer(replace...).Replace(string(text)))
}

func load(t *testing.T, name string, replace ...string) experiment.Experiment {
	t.Helper()
	e, err := experiment.Parse(name+".yaml", source(t, name, replace...))
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestAnExperimentBecomesOneResource(t *testing.T) {
	for _, name := range []string{"network-latency", "network-partition", "process-kill"} {
		t.Run(name, func(t *testing.T) {
			resource, err := mesh.Translate(load(t, name), mesh.Place{Namespace: "faultline"})
			if err != nil {
				t.Fatal(err)
			}
			got, err := mesh.YAML(resource)
			if err != nil {
				t.Fatal(err)
			}
			golden := filepath.Join("testdata", "rendered", name+".yaml")
			if *update {
				if err := os.WriteFile(golden, got, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil || !bytes.Equal(got, want) {
				t.Errorf("%v\ngot:\n%s\nwant:\n%s", err, got, want)
			}
		})
	}
}

func TestTheDelayIsPutOnTheDatabaseForBothWaysAtOnce(t *testing.T) {
	e := load(t, "network-latency", "jitter: 0s", "jitter: 5ms")
	resource, err := mesh.Translate(e, mesh.Place{Namespace: "faultline", Name: "one", Lifetime: 90 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	chaos := resource.(*v1alpha1.NetworkChaos)
	if chaos.Spec.Delay.Latency != "120ms" || chaos.Spec.Delay.Jitter != "10ms" || *chaos.Spec.Duration != "1m30s" || chaos.Name != "one" {
		t.Errorf("got %+v for %s", chaos.Spec.Delay, *chaos.Spec.Duration)
	}
	// With a target it would hold the addresses of today's replicas, and a restarted one would be out of its reach.
	if chaos.Spec.Target != nil || chaos.Spec.Direction != v1alpha1.To || chaos.Spec.Selector.LabelSelectors["app.kubernetes.io/name"] != "postgres" {
		t.Errorf("not on the database's side: %+v", chaos.Spec)
	}
}

func TestABadExperimentIsRefusedWithItsPlace(t *testing.T) {
	for name, tt := range map[string]struct {
		experiment string
		replace    []string
		want       string // file:line:column and a part of what follows
	}{
		"an action that there is not": {
			"network-latency", []string{"toxic: latency", "toxic: flood"}, `network-latency.yaml:16:12: toxic: Chaos Mesh has nothing like "flood"; it has: latency, partition`,
		},
		"an action that only Toxiproxy has": {"network-latency", []string{"toxic: latency", "toxic: reset"}, `network-latency.yaml:16:12: toxic: Chaos Mesh has nothing like "reset"`},
		"no action at all":                  {"network-latency", []string{"    toxic: latency\n", ""}, `network-latency.yaml:16:5: toxic: Chaos Mesh has nothing like ""`},
		"a negative latency":                {"network-latency", []string{"latency: 60ms", "latency: -60ms"}, "network-latency.yaml:17:14: latency: what is added each way: at least 1ms"},
		"no latency":                        {"network-latency", []string{"    latency: 60ms\n", ""}, "network-latency.yaml:16:5: latency: what is added each way"},
		"more jitter than latency": {
			"network-latency", []string{"jitter: 0s", "jitter: 61ms"}, "network-latency.yaml:18:13: jitter: between 0s and the latency",
		},
		"a latency of a partition":        {"network-latency", []string{"toxic: latency", "toxic: partition"}, "network-latency.yaml:17:14: latency: a partition lets nothing through"},
		"a workload without a database":   {"network-latency", []string{"workload: orders", "workload: payments"}, "network-latency.yaml:20:13: scope.workload: payments has no way to a database; these have one: inventory, orders"},
		"an unknown parameter":            {"network-latency", []string{"jitter: 0s", "jiter: 0s"}, `network-latency.yaml:18:5: unknown key "jiter"`},
		"a parameter where there is none": {"process-kill", []string{"kind: process-kill", "kind: process-kill\n  parameters: {replicas: 2}"}, `process-kill.yaml:15:16: unknown key "replicas"`},
		"a fault of another sort":         {"process-kill", []string{"kind: process-kill", "kind: connection-leak"}, `process-kill.yaml:14:9: Chaos Mesh cannot carry "connection-leak": it is a bug in the code`},
		"a fault that there is not":       {"process-kill", []string{"kind: process-kill", "kind: earthquake"}, `process-kill.yaml:14:9: Chaos Mesh cannot carry "earthquake": no such fault is known; it can carry: network, process-kill`},
		"a workload with no name":         {"process-kill", []string{"workload: orders", "workload: Orders_1"}, `process-kill.yaml:16:13: scope.workload: "Orders_1" cannot be the name of a workload`},
		"an empty selector":               {"process-kill", []string{"workload: orders", `workload: ""`}, "process-kill.yaml:16:13: scope.workload: an empty scope means none, never all"},
		"no scope at all":                 {"process-kill", []string{"scope:\n  workload: orders\n", ""}, "scope.workload: an empty scope means none"},
		"no duration":                     {"network-latency", []string{"duration: 45s\n", ""}, "duration: how long the fault is watched"},
		"a duration of less than no":      {"network-latency", []string{"duration: 45s", "duration: -45s"}, "network-latency.yaml:21:11: duration"},
	} {
		t.Run(name, func(t *testing.T) {
			e, err := experiment.Parse(tt.experiment+".yaml", source(t, tt.experiment, tt.replace...))
			if err == nil {
				_, err = mesh.Translate(e, mesh.Place{Namespace: "faultline"})
			}
			if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.HasPrefix(err.Error(), tt.experiment+".yaml:") {
				t.Errorf("got %v\nwant %s", err, tt.want)
			}
		})
	}
}

func TestAPlaceThatIsNoneIsRefused(t *testing.T) {
	for name, tt := range map[string]struct {
		place mesh.Place
		want  string
	}{
		"no namespace":        {mesh.Place{}, `the namespace is ""`},
		"a bad namespace":     {mesh.Place{Namespace: "kube_system"}, `the namespace is "kube_system"`},
		"a bad name":          {mesh.Place{Namespace: "faultline", Name: "a/b"}, `the name of the resource is "a/b"`},
		"a negative lifetime": {mesh.Place{Namespace: "faultline", Lifetime: -time.Second}, "must not be negative"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := mesh.Translate(load(t, "process-kill"), tt.place); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v", err)
			}
		})
	}
}

// Each experiment that comes with the program can be rendered, or it is said why it cannot.
func TestEveryExperimentIsCarriedOrItIsSaidWhyNot(t *testing.T) {
	all, err := experiments.All()
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range all {
		_, err := mesh.Translate(e, mesh.Place{Namespace: "faultline"})
		if carries := mesh.Carries(e); carries != (err == nil) {
			t.Errorf("%s: carried %t, and %v", e.Name, carries, err)
		}
		if err != nil && strings.Contains(err.Error(), "no such fault is known") {
			t.Errorf("%s: nobody has said why Chaos Mesh cannot carry %s", e.Name, e.Fault.Kind)
		}
	}
}
