package efficacy

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/faultline-lab/faultline/chaos/experiment"
	"github.com/faultline-lab/faultline/chaos/experiments"
	"github.com/faultline-lab/faultline/chaos/runner"
	"github.com/faultline-lab/faultline/e2e/internal/looptest"
	"github.com/faultline-lab/faultline/e2e/signature"
	"github.com/faultline-lab/faultline/e2e/signature/collect"
	"github.com/faultline-lab/faultline/e2e/trial"
	"github.com/faultline-lab/faultline/observability/endpoints"
)

var update = flag.Bool("update", false, "write the table of this run into docs/efficacy.md")

const (
	pageFile  = "../../docs/efficacy.md"
	tableFile = "../../.faultline/efficacy.md"
	howTo     = "go test ./e2e/efficacy -update"

	// window is how long each fault is watched. The slowest ones (a pool that shrinks as its connections turn over) have longer.
	window     = 20 * time.Second
	slowWindow = 40 * time.Second
	// backWithin is how long the steady state may take to come back.
	backWithin = 45 * time.Second
	seed       = 1
)

// slow are the experiments that incubate.
var slow = map[string]bool{"server-cap": true, "bad-release": true}

// TestEveryFaultBitesAndNoControlDoes is the gate: every experiment on one real stack, without a healer.
func TestEveryFaultBitesAndNoControlDoes(t *testing.T) {
	root := looptest.Root(t)
	stack := looptest.Start(t, root, "4000").Stack
	all, err := experiments.All()
	if err != nil {
		t.Fatal(err)
	}
	passage := Run{At: time.Now(), Machine: fmt.Sprintf("%d cores, %s/%s", runtime.NumCPU(), runtime.GOOS, runtime.GOARCH)}
	for _, e := range all {
		t.Run(e.Name, func(t *testing.T) {
			row := pass(t, filepath.Join(root, endpoints.DefaultFile), e)
			passage.Rows = append(passage.Rows, row)
			for _, missed := range row.Missed() {
				t.Error(missed)
			}
		})
	}
	t.Logf("\n%s", passage.Table())
	t.Run("every piece of evidence can be had", func(t *testing.T) { evidence(t, stack) })
	files := []string{tableFile}
	if *update && !t.Failed() {
		files = append(files, pageFile)
	}
	for _, file := range files {
		if err := os.WriteFile(file, []byte(passage.Page()), 0o644); err != nil {
			t.Error(err)
		}
	}
}

// pass runs one experiment and waits for the steady state after it.
func pass(t *testing.T, stackFile string, e experiment.Experiment) Row {
	t.Helper()
	watch := window
	if slow[e.Name] {
		watch = slowWindow
	}
	var removal time.Time
	result, err := trial.Run(t.Context(), trial.Config{
		StackFile: stackFile, Experiment: e, Arm: "none", Seed: seed, Window: watch,
		OnEvent: func(event trial.Event) {
			if event.Kind == trial.Restoring {
				removal = event.At
			}
			switch {
			case event.Second == nil:
				t.Logf("%s %s: %s", event.At.Format("15:04:05.000"), event.Kind, event.Text)
			case !event.Second.OK:
				t.Logf("%s %d of %d checkouts good", event.At.Format("15:04:05"), event.Second.Good, event.Second.Counted)
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	row := NewRow(e, result)
	if err := steady(t, stackFile, e); err != nil {
		t.Log(err)
		return row
	}
	row.Back(time.Since(removal), left(t, stackFile))
	return row
}

// steady waits for the experiment's own steady state.
func steady(t *testing.T, stackFile string, e experiment.Experiment) error {
	t.Helper()
	e.Hypothesis.Client.Within.Duration = backWithin
	r, err := runner.New(runner.Options{Experiment: e, StackFile: stackFile})
	if err != nil {
		return err
	}
	defer r.Close()
	return r.Prepare(t.Context())
}

// left names the experiments that are on record.
func left(t *testing.T, stackFile string) []string {
	t.Helper()
	active, err := runner.Active(stackFile)
	if err != nil && !errors.Is(err, runner.ErrNothingActive) {
		t.Error(err)
	}
	var names []string
	for _, one := range active {
		names = append(names, one.Experiment)
	}
	return names
}

// evidence holds the recorder against the running stack: a recording that is made today must have what the matrix reads.
func evidence(t *testing.T, stack endpoints.Stack) {
	t.Helper()
	collector, err := collect.Open(t.Context(), stack)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = collector.Close(context.Background()) })
	look, err := collector.Look(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, predicate := range signature.Predicates() {
		if _, known := predicate.Value(look); !known {
			t.Errorf("%s cannot be told; it reads %v", predicate.Name, predicate.Reads)
		}
	}
}
