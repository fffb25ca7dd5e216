package runner_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/faultline-lab/faultline/chaos/internal/smallshop"
	"github.com/faultline-lab/faultline/chaos/runner"
)

// process is a runner in a process of its own.
type process struct {
	*exec.Cmd
	lines chan string
}

func startRun(t *testing.T, shop *smallshop.Shop, duration string) *process {
	t.Helper()
	text := strings.Replace(shop.Experiment(), "duration: 3s", "duration: "+duration, 1)
	file := filepath.Join(t.TempDir(), "small-leak.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	p := &process{exec.Command(keeperProgram(t), "run", shop.StackFile, file), make(chan string, 100)}
	out, err := p.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.Stderr = os.Stderr
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(p.lines)
		for scanner := bufio.NewScanner(out); scanner.Scan(); {
			p.lines <- scanner.Text()
		}
	}()
	t.Cleanup(func() { _ = p.Process.Kill(); _, _ = p.Process.Wait() })
	return p
}

// until reads what the run tells up to a line with that text.
func (p *process) until(t *testing.T, text string) {
	t.Helper()
	for {
		select {
		case line, open := <-p.lines:
			if !open {
				t.Fatalf("the run ended before it told %q", text)
			}
			if strings.Contains(line, text) {
				return
			}
		case <-time.After(30 * time.Second):
			t.Fatalf("the run does not tell %q", text)
		}
	}
}

// kill is a death without a last word.
func (p *process) kill(t *testing.T) {
	t.Helper()
	if err := p.Process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	_, _ = p.Process.Wait()
}

// keepers finds the processes that keep a run of this shop.
func keepers(t *testing.T, shop *smallshop.Shop) []int {
	t.Helper()
	entries, err := os.ReadDir("/proc")
	if err != nil {
		t.Skip("NOT TESTED: which processes are left. It needs /proc.")
	}
	var found []int
	for _, entry := range entries {
		line, err := os.ReadFile(filepath.Join("/proc", entry.Name(), "cmdline"))
		pid, numberErr := strconv.Atoi(entry.Name())
		if err == nil && numberErr == nil && bytes.Contains(line, []byte("\x00keep\x00")) && bytes.Contains(line, []byte(shop.StackFile)) {
			found = append(found, pid)
		}
	}
	return found
}

func noKeeper(t *testing.T, shop *smallshop.Shop) {
	t.Helper()
	eventually(t, "no keeper is left", func() bool { return len(keepers(t, shop)) == 0 })
}

func TestSIGKILLOfTheRunnerLeavesNothingBehindForItsKeeperTakesTheFaultAway(t *testing.T) {
	for name, at := range map[string]string{
		"while the fault is being injected": "injecting connection-leak",
		"when it is there":                  "are held after",
	} {
		t.Run(name, func(t *testing.T) {
			shop := smallshop.Open(t)
			run := startRun(t, shop, "1m")
			run.until(t, at)
			run.kill(t)
			noKeeper(t, shop) // it has ended, so it has done what it could
			if shop.Leaks() != 0 {
				t.Errorf("%d connections are held", shop.Leaks())
			}
			noRecord(t, shop)
		})
	}
}

func TestSIGKILLOfRunnerAndKeeperLeavesARecordFromWhichTheFaultIsTakenAway(t *testing.T) {
	shop := smallshop.Open(t)
	run := startRun(t, shop, "1m")
	run.until(t, "are held after")
	for _, pid := range keepers(t, shop) {
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
	}
	run.kill(t)
	if shop.Leaks() == 0 {
		t.Fatal("the fault is gone, so nothing is tested")
	}
	if err := resume(t, shop).Restore(t.Context()); err != nil || shop.Leaks() != 0 {
		t.Errorf("%v, %d connections held", err, shop.Leaks())
	}
	noRecord(t, shop)
	noKeeper(t, shop)
}

func TestInterruptOfTheRunnerLeavesNeitherFaultNorRecordNorKeeper(t *testing.T) {
	shop := smallshop.Open(t)
	opts, heard := options(t, shop)
	opts.Duration = time.Minute
	ctx, interrupt := context.WithCancel(t.Context())
	go func() {
		for !heard.has("are held after") && ctx.Err() == nil {
			time.Sleep(5 * time.Millisecond)
		}
		interrupt()
	}()
	result, err := runner.Run(ctx, opts)
	if err != nil || result.End != runner.Interrupted || shop.Leaks() != 0 {
		t.Errorf("result %+v, %v, %d connections held", result, err, shop.Leaks())
	}
	noRecord(t, shop)
	if left := keepers(t, shop); len(left) > 0 {
		t.Errorf("keepers %v are left", left)
	}
}

func TestAKeeperTakesTheFaultAwayWhenItsTimeIsOver(t *testing.T) {
	shop := smallshop.Open(t)
	opts, _ := options(t, shop)
	opts.Keep, opts.Duration = true, time.Second
	if _, err := runner.Run(t.Context(), opts); err != nil {
		t.Fatal(err)
	}
	if shop.Leaks() == 0 || len(keepers(t, shop)) != 1 {
		t.Fatalf("%d connections held, keepers %v: a kept fault stays, and its keeper with it", shop.Leaks(), keepers(t, shop))
	}
	active, err := runner.Active(shop.StackFile)
	if err != nil || len(active) != 1 {
		t.Fatal(active, err)
	}
	if ttl := active[0].GoneBy.Sub(active[0].InjectedAt); ttl < time.Minute || ttl > 15*time.Minute {
		t.Errorf("it may live for %s", ttl)
	}
	// Time flies: the keeper reads the record again and again.
	if err := runner.Age(shop.StackFile, active[0].ID, time.Hour); err != nil {
		t.Fatal(err)
	}
	noKeeper(t, shop)
	if shop.Leaks() != 0 {
		t.Errorf("%d connections are held", shop.Leaks())
	}
	noRecord(t, shop)
}

func TestWithoutAKeeperNothingIsInjected(t *testing.T) {
	shop := smallshop.Open(t)
	for name, program := range map[string]string{
		"one that is not there":  filepath.Join(t.TempDir(), "nothing"),
		"one that does not keep": "/bin/echo",
	} {
		t.Run(name, func(t *testing.T) {
			opts, _ := options(t, shop)
			opts.Keeper = program
			if _, err := runner.Run(t.Context(), opts); err == nil || !strings.Contains(err.Error(), "keep") {
				t.Errorf("got %v", err)
			}
			if shop.Leaks() != 0 {
				t.Error("something was injected")
			}
			noRecord(t, shop)
		})
	}
}

func TestSeveralFaultsMayOverlapButNotTwoOfTheSame(t *testing.T) {
	shop := smallshop.Open(t)
	opts, heard := options(t, shop)
	opts.Duration = time.Minute
	ended := make(chan error, 1)
	go func() {
		_, err := runner.Run(t.Context(), opts)
		ended <- err
	}()
	eventually(t, "the first run has injected", func() bool { return heard.has("are held after") })

	same, _ := options(t, shop)
	same.Beside = true
	if _, err := runner.Run(t.Context(), same); !errors.Is(err, runner.ErrActive) {
		t.Errorf("the same once more: %v", err)
	}
	other, otherHeard := surge(t, shop)
	if _, err := runner.Run(t.Context(), other); !errors.Is(err, runner.ErrActive) || !strings.Contains(err.Error(), "--beside") {
		t.Errorf("another one that does not ask for it: %v", err)
	}
	eventually(t, "the customers notice", func() bool { return heard.has("first bad second") })
	other.Beside, other.Duration = true, time.Minute
	besideEnded := make(chan error, 1)
	go func() {
		_, err := runner.Run(t.Context(), other)
		besideEnded <- err
	}()
	eventually(t, "the second run has injected", func() bool { return otherHeard.has("100 checkouts/s come instead of 40") })
	if !otherHeard.has("not steady before the injection") {
		t.Errorf("told %q", otherHeard.lines)
	}
	active, err := runner.Active(shop.StackFile)
	if err != nil || len(active) != 2 {
		t.Fatalf("active: %v, %v", active, err)
	}
	for _, record := range active {
		resumed, err := runner.Resume(shop.StackFile, record.ID)
		if err != nil {
			t.Fatal(err)
		}
		if err := resumed.Restore(t.Context()); err != nil {
			t.Error(err)
		}
		resumed.Close()
	}
	if err := errors.Join(<-ended, <-besideEnded); err != nil {
		t.Error(err)
	}
	if shop.Leaks() != 0 || shop.Rate() != 40 {
		t.Errorf("%d connections held, %d checkouts/s", shop.Leaks(), shop.Rate())
	}
	noRecord(t, shop)
	noKeeper(t, shop)
}
