package fault_test

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/faultline-lab/faultline/chaos/experiment"
	"github.com/faultline-lab/faultline/chaos/fault"
	"github.com/faultline-lab/faultline/observability/endpoints"
)

// patient is the part of a system that one fault touches, real where it can be.
type patient struct {
	stack      endpoints.Stack
	workload   string
	parameters string // of the fault, as YAML in one line
	// sick looks at the system itself, not through the driver.
	sick        func(*testing.T) bool
	connections int // of its pools; 0 means 8
	// passes says that nothing has to be taken away: the fault ends by itself.
	passes bool
}

// experimentFor wraps a fault in the rest of a file.
func experimentFor(t *testing.T, kind, workload, parameters string) experiment.Experiment {
	t.Helper()
	text := fmt.Sprintf(`name: x
title: X
hypothesis:
  text: it holds
  steady_state: [{query: up, op: "==", threshold: 1}]
  client: {good_seconds: 1, within: 1s}
fault:
  kind: %s
  parameters: %s
scope: {workload: %s}
duration: 45s
`, kind, parameters, workload)
	e, err := experiment.Parse("x.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// open makes a driver as one process would.
func (p patient) open(t *testing.T, kind, id string) fault.Driver {
	t.Helper()
	driver, err := fault.Open(experimentFor(t, kind, p.workload, p.parameters), fault.Environment{
		Stack: p.stack, Metrics: known{float64(cmp.Or(p.connections, 8))}, ID: id, Seed: 1, TTL: time.Minute,
	})
	if err != nil {
		t.Fatal(err)
	}
	return driver
}

// patients has a patient for each fault; connection-leak, whose patient is a whole shop, has tests of its own.
var patients = map[string]func(*testing.T) patient{
	"bad-release":        releasePatient,
	"batch":              batchPatient,
	"failing-downstream": failingPatient,
	"lock-contention":    lockPatient,
	"network":            networkPatient,
	"process-kill":       killPatient,
	"server-cap":         capPatient,
	"slow-downstream":    downstreamPatient,
	"slow-query":         queryPatient,
	"traffic-surge":      surgePatient,
}

func TestEveryFaultHasAPatient(t *testing.T) {
	for _, kind := range fault.Kinds() {
		if patients[kind] == nil && kind != "connection-leak" {
			t.Errorf("nobody tests %s", kind)
		}
	}
}

func present(t *testing.T, driver fault.Driver, state fault.State, want bool) {
	t.Helper()
	presence, err := driver.StillPresent(t.Context(), state)
	if err != nil {
		t.Fatal(err)
	}
	if presence.Present != want || want != (len(presence.Subjects) > 0) || presence.Subjects == nil || presence.Detail == "" {
		t.Errorf("presence %+v, want it present: %v", presence, want)
	}
}

func prepare(t *testing.T, driver fault.Driver) fault.State {
	t.Helper()
	prepared, err := driver.Prepare(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return prepared
}

func restore(t *testing.T, driver fault.Driver, state fault.State) {
	t.Helper()
	if err := driver.Restore(t.Context(), state); err != nil {
		t.Error(err)
	}
}

func well(t *testing.T, p patient) {
	t.Helper()
	if p.passes { // by itself, soon
		eventually(t, "the patient is well", func() bool { return !p.sick(t) })
	}
	if p.sick(t) {
		t.Error("the patient is sick")
	}
}

// TestEveryDriver holds all drivers to the same behaviour, with each cut off at each point where its process can die.
func TestEveryDriver(t *testing.T) {
	for kind, admit := range patients {
		t.Run(kind, func(t *testing.T) {
			t.Run("breaks, says that it is broken, and mends", func(t *testing.T) {
				p := admit(t)
				driver := p.open(t, kind, uuid.NewString())
				injection := inject(t, driver)
				if injection.Detail == "" || len(injection.Affected) == 0 || !slices.IsSorted(injection.Affected) {
					t.Errorf("injection %+v", injection)
				}
				if !p.passes {
					if !p.sick(t) {
						t.Error("the patient is well")
					}
					present(t, driver, injection.State, true)
				}
				restore(t, driver, injection.State)
				present(t, driver, injection.State, false)
				well(t, p)
				restore(t, driver, injection.State)
				well(t, p)
			})
			t.Run("is stopped before it began", func(t *testing.T) {
				p := admit(t)
				driver := p.open(t, kind, uuid.NewString())
				prepared := prepare(t, driver)
				present(t, driver, prepared, false)
				restore(t, driver, prepared)
				well(t, p)
			})
			t.Run("is stopped from another process that knows only what was on record before", func(t *testing.T) {
				p := admit(t)
				id := uuid.NewString()
				first := p.open(t, kind, id)
				t.Cleanup(func() { letGo(first) })
				prepared := prepare(t, first)
				if _, err := first.Inject(t.Context(), prepared); err != nil {
					t.Fatal(err)
				}
				letGo(first) // its process has died, or has seen that it is being stopped
				second := p.open(t, kind, id)
				restore(t, second, prepared)
				present(t, second, prepared, false)
				well(t, p)
			})
			t.Run("is cut off in the middle", func(t *testing.T) {
				p := admit(t)
				id := uuid.NewString()
				first := p.open(t, kind, id)
				t.Cleanup(func() { letGo(first) })
				prepared := prepare(t, first)
				ctx, cut := context.WithTimeout(t.Context(), 5*time.Millisecond)
				defer cut()
				_, _ = first.Inject(ctx, prepared) // how far it comes is chance, and must not matter
				letGo(first)
				second := p.open(t, kind, id)
				restore(t, second, prepared)
				present(t, second, prepared, false)
				well(t, p)
			})
		})
	}
}

func letGo(driver fault.Driver) {
	if carrier, ok := driver.(fault.Carrier); ok {
		carrier.LetGo()
	}
}

// What of a fault a cluster cannot do is refused before anything is touched.
func TestOnKubernetesWhatNeedsAMeshIsRefusedWithoutOne(t *testing.T) {
	stack := endpoints.Stack{Target: endpoints.Kind, Kubernetes: &endpoints.Kubernetes{Kubeconfig: "/nowhere", Namespace: "faultline"}}
	for kind, parameters := range map[string]string{"network": "{toxic: partition}", "process-kill": "{}"} {
		e := experimentFor(t, kind, "orders", parameters)
		_, err := fault.Open(e, fault.Environment{Stack: stack, Metrics: known{}, ID: "x", TTL: time.Minute})
		if err == nil || !strings.Contains(err.Error(), "needs Chaos Mesh") {
			t.Errorf("%s: %v", kind, err)
		}
		asked := ""
		_, err = fault.Open(e, fault.Environment{
			Stack: stack, Metrics: known{}, ID: "x", TTL: time.Minute,
			Mesh: func(e experiment.Experiment, env fault.Environment) (fault.Driver, error) {
				asked = e.Fault.Kind + " " + env.ID
				return nil, nil
			},
		})
		if err != nil || asked != kind+" x" {
			t.Errorf("%s with a mesh: asked %q, %v", kind, asked, err)
		}
	}
}
