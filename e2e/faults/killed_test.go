package faults

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/faultline-lab/faultline/chaos/experiment"
	"github.com/faultline-lab/faultline/chaos/experiments"
	"github.com/faultline-lab/faultline/chaos/runner"
	"github.com/faultline-lab/faultline/chaos/target"
	"github.com/faultline-lab/faultline/e2e/internal/looptest"
	"github.com/faultline-lab/faultline/observability/endpoints"
)

// carried are the faults that end with the process that injected them; the others need somebody to take them away.
var carried = []string{"lock-contention", "slow-query", "server-cap", "look-alike", "process-kill"}

// SIGKILL of chaos in the middle of each fault, then chaos stop --all: the steady state is back. Where the fault does not end
// with chaos, once more with its keeper killed too, so that nothing is left but the record.
func TestAfterSIGKILLOfChaosAStopBringsTheSteadyStateBack(t *testing.T) {
	root := looptest.Root(t)
	looptest.Start(t, root, "2000")
	world := &ward{root: root, file: filepath.Join(root, endpoints.DefaultFile)}
	world.withoutHealer(t)
	all, err := experiments.All()
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range all {
		t.Run(e.Name, func(t *testing.T) { world.killAndStop(t, e, false) })
		if !slices.Contains(carried, e.Name) {
			t.Run(e.Name+", its keeper too", func(t *testing.T) { world.killAndStop(t, e, true) })
		}
	}
}

// ward is the stack under test.
type ward struct{ root, file string }

// withoutHealer sees to it that nobody but chaos mends anything.
func (w *ward) withoutHealer(t *testing.T) {
	t.Helper()
	stack, err := endpoints.Read(w.file)
	if err != nil {
		t.Fatal(err)
	}
	control, err := target.Open(stack)
	if err != nil {
		t.Fatal(err)
	}
	if err := control.Scale(t.Context(), "autoheal", 0); err != nil {
		t.Fatal(err)
	}
}

func (w *ward) chaos(args ...string) *exec.Cmd {
	command := exec.Command(filepath.Join(w.root, ".faultline", "bin", "chaos"), append(args, "--stack-file="+w.file)...)
	command.Dir = w.root
	return command
}

func (w *ward) killAndStop(t *testing.T, e experiment.Experiment, keeperToo bool) {
	run := w.chaos("run", e.Name)
	told := "observing for"
	if e.Expect.Cause != "" {
		told = "first bad second" // so that the good seconds which are waited for can only be later ones
	}
	untilTold(t, run, told)
	if e.Expect.Alert != "" {
		looptest.Eventually(t, "the fault is there", func() error { return w.present(t, true) })
	}
	if keeperToo {
		for _, pid := range w.keepers(t) {
			if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := run.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = run.Wait()
	if keeperToo {
		if err := w.present(t, true); err != nil {
			t.Errorf("after the death of both: %v", err)
		}
	}
	if out, err := w.chaos("stop", "--all").CombinedOutput(); err != nil {
		t.Fatalf("chaos stop --all: %v\n%s", err, out)
	}
	looptest.Eventually(t, "no keeper is left", func() error {
		if left := w.keepers(t); len(left) > 0 {
			return fmt.Errorf("keepers %v", left)
		}
		return nil
	})
	if active, err := runner.Active(w.file); err != nil || len(active) > 0 {
		t.Errorf("on record: %v, %v", active, err)
	}
	w.steady(t, e)
}

// untilTold starts a run and returns when it has told that.
func untilTold(t *testing.T, run *exec.Cmd, text string) {
	t.Helper()
	out, err := run.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	run.Stderr = looptest.Log{T: t}
	if err := run.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = run.Process.Kill() })
	for lines := bufio.NewScanner(out); lines.Scan(); {
		t.Log(lines.Text())
		if strings.Contains(lines.Text(), text) {
			return
		}
	}
	t.Fatalf("the run ended before it told %q: %v", text, run.Wait())
}

// present asks the drivers; nil when all that is on record is as wanted.
func (w *ward) present(t *testing.T, want bool) error {
	all, err := runner.ReadStatus(t.Context(), w.file)
	if err != nil {
		return err
	}
	for _, status := range all {
		if status.Presence == nil || status.Presence.Present != want {
			return fmt.Errorf("%s: %+v %s", status.Record.Experiment, status.Presence, status.Unknown)
		}
	}
	if len(all) == 0 {
		return fmt.Errorf("nothing is on record")
	}
	return nil
}

// steady holds the stack against the experiment's own hypothesis.
func (w *ward) steady(t *testing.T, e experiment.Experiment) {
	t.Helper()
	e.Hypothesis.Client.Within.Duration = 40 * time.Second
	r, err := runner.New(runner.Options{Experiment: e, StackFile: w.file})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if err := r.Prepare(t.Context()); err != nil {
		t.Error(err)
	}
}

// keepers finds the processes that keep a run of this stack.
func (w *ward) keepers(t *testing.T) []int {
	t.Helper()
	entries, err := os.ReadDir("/proc")
	if err != nil {
		t.Skip("NOT TESTED: SIGKILL of a keeper. It is found in /proc, which this system does not have.")
	}
	var found []int
	for _, entry := range entries {
		line, err := os.ReadFile(filepath.Join("/proc", entry.Name(), "cmdline"))
		pid, numberErr := strconv.Atoi(entry.Name())
		if err == nil && numberErr == nil && bytes.Contains(line, []byte("\x00keep\x00")) && bytes.Contains(line, []byte(w.file)) {
			found = append(found, pid)
		}
	}
	return found
}
