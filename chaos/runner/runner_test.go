package runner_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/faultline-lab/faultline/chaos/experiment"
	"github.com/faultline-lab/faultline/chaos/internal/smallshop"
	"github.com/faultline-lab/faultline/chaos/runner"
	"github.com/faultline-lab/faultline/observability/endpoints"
)

// events collects what a run tells.
type events struct {
	mu    sync.Mutex
	lines []string
}

func (e *events) add(event runner.Event) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.lines = append(e.lines, string(event.Kind)+": "+event.Text)
}

func (e *events) has(text string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return strings.Contains(strings.Join(e.lines, "\n"), text)
}

func options(t *testing.T, shop *smallshop.Shop) (runner.Options, *events) {
	t.Helper()
	e, err := experiment.Parse("small-leak.yaml", []byte(shop.Experiment()))
	if err != nil {
		t.Fatal(err)
	}
	heard := &events{}
	return runner.Options{Experiment: e, StackFile: shop.StackFile, OnEvent: heard.add, Keeper: keeperProgram(t)}, heard
}

// surge is another experiment for the same shop.
func surge(t *testing.T, shop *smallshop.Shop) (runner.Options, *events) {
	t.Helper()
	return another(t, shop, "traffic-surge", "{factor: 2.5}")
}

// another is an experiment of another fault for the same shop.
func another(t *testing.T, shop *smallshop.Shop, kind, parameters string) (runner.Options, *events) {
	t.Helper()
	opts, heard := options(t, shop)
	text := strings.NewReplacer("name: small-leak", "name: small-"+kind, "connection-leak", kind).Replace(shop.Experiment())
	from, to := strings.Index(text, "  parameters:"), strings.Index(text, "scope:")
	e, err := experiment.Parse("small.yaml", []byte(text[:from]+"  parameters: "+parameters+"\n"+text[to:]))
	if err != nil {
		t.Fatal(err)
	}
	opts.Experiment = e
	return opts, heard
}

func recordFolder(shop *smallshop.Shop) string {
	return filepath.Join(filepath.Dir(shop.StackFile), runner.RecordFolder)
}

func noRecord(t *testing.T, shop *smallshop.Shop) {
	t.Helper()
	left, err := os.ReadDir(recordFolder(shop))
	if err != nil && !errors.Is(err, os.ErrNotExist) || len(left) > 0 {
		t.Errorf("files are left: %v %v", left, err)
	}
}

// resume takes up the only experiment on record.
func resume(t *testing.T, shop *smallshop.Shop) *runner.Runner {
	t.Helper()
	active, err := runner.Active(shop.StackFile)
	if err != nil || len(active) != 1 {
		t.Fatalf("active: %v, %v; want one", active, err)
	}
	resumed, err := runner.Resume(shop.StackFile, active[0].ID)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(resumed.Close)
	return resumed
}

func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if condition() {
			return
		}
	}
	t.Fatalf("waited 30 s in vain until %s", what)
}

func TestARunWithoutAHealerFindsTheFaultAtTheEndAndTakesItAway(t *testing.T) {
	shop := smallshop.Open(t)
	opts, heard := options(t, shop)
	result, err := runner.Run(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	if result.InjectedAt.Nanosecond() != 0 {
		t.Errorf("injected at %s, not at a whole second", result.InjectedAt)
	}
	if result.End != runner.WindowOver || result.Held() || result.Presence == nil || !result.Presence.Present {
		t.Errorf("result %+v", result)
	}
	if result.Client.FirstBad == nil || result.Client.FirstBad.Before(result.InjectedAt) || result.Client.Recovered != nil {
		t.Errorf("client %+v", result.Client)
	}
	if result.Lost != nil || len(result.After) != 0 || !heard.has("steady: steady state: 1 conditions hold, 2 good client seconds") {
		t.Errorf("the steady state: lost at %v, %v after; told %q", result.Lost, result.After, heard.lines)
	}
	if !heard.has("first bad second") || !heard.has("the hypothesis did not hold: the client has seen 0 good seconds") {
		t.Errorf("told %q", heard.lines)
	}
	if shop.Leaks() != 0 || len(shop.Restarts()) != 2 {
		t.Errorf("%d connections held, restarts %v", shop.Leaks(), shop.Restarts())
	}
	noRecord(t, shop)
}

func TestARunWithAHealerHoldsAndTheWayBackTouchesNothing(t *testing.T) {
	shop := smallshop.Open(t)
	opts, heard := options(t, shop)
	opts.Duration = 8 * time.Second
	healed := make(chan bool, 1)
	go func() {
		for !heard.has("are held after") && t.Context().Err() == nil {
			time.Sleep(10 * time.Millisecond)
		}
		healed <- shop.Heal(0) && shop.Heal(1)
	}()
	result, err := runner.Run(t.Context(), opts)
	if err != nil || !<-healed {
		t.Fatal("not healed, or ", err)
	}
	if !result.Held() || result.Client.Recovered == nil || result.Presence.Present {
		t.Errorf("result %+v, told %q", result, heard.lines)
	}
	if len(shop.Restarts()) != 2 {
		t.Errorf("restarts %v: the healer's two and no more were wanted", shop.Restarts())
	}
	noRecord(t, shop)
}

func TestASteadyStateThatIsLostIsToldAndOneThatDoesNotComeBackIsAnError(t *testing.T) {
	shop := smallshop.Open(t)
	opts, heard := options(t, shop)
	opts.Experiment.Hypothesis.Client.Within.Duration = 2 * time.Second
	go func() {
		for !heard.has("are held after") && t.Context().Err() == nil {
			time.Sleep(10 * time.Millisecond)
		}
		shop.Lock()
		defer shop.Unlock()
		shop.Metrics["steady"] = []float64{0}
	}()
	result, err := runner.Run(t.Context(), opts)
	if !errors.Is(err, runner.ErrNotSteady) || !strings.Contains(err.Error(), "the steady state is not back") {
		t.Errorf("got %v", err)
	}
	if result.Lost == nil || result.Lost.Before(result.InjectedAt) || len(result.After) == 0 || !heard.has("not steady: the shop is steady") {
		t.Errorf("result %+v, told %q", result, heard.lines)
	}
	if shop.Leaks() != 0 {
		t.Error("the fault is still there")
	}
	noRecord(t, shop)
}

func TestPhasesComeFromTheSeedAndSpreadOverTheSecond(t *testing.T) {
	var quarters [4]int
	for seed := range int64(40) {
		p := runner.Phase(seed)
		if p != runner.Phase(seed) || p < 0 || p >= time.Second {
			t.Fatalf("Phase(%d) = %s", seed, p)
		}
		quarters[int(p/(250*time.Millisecond))]++
	}
	for i, n := range quarters {
		if n == 0 {
			t.Errorf("no phase in quarter %d of the second: %v", i, quarters)
		}
	}
}

func TestASystemThatIsNotSteadyIsLeftAlone(t *testing.T) {
	shop := smallshop.Open(t)
	shop.Lock()
	shop.Metrics["steady"] = nil
	shop.Unlock()
	opts, _ := options(t, shop)
	opts.Experiment.Hypothesis.Client.Within.Duration = 0
	opts.Experiment.Hypothesis.Client.GoodSeconds = 1000
	_, err := runner.Run(t.Context(), opts)
	if !errors.Is(err, runner.ErrNotSteady) || !strings.Contains(err.Error(), "no such series") ||
		!strings.Contains(err.Error(), "1000 are wanted") {
		t.Errorf("got %v", err)
	}
	if shop.Leaks() != 0 {
		t.Error("something was injected")
	}
	noRecord(t, shop)
}

func TestAnAbortConditionEndsTheRunAndTakesTheFaultAway(t *testing.T) {
	shop := smallshop.Open(t)
	opts, _ := options(t, shop)
	opts.Duration = time.Minute
	shop.Lock()
	shop.Metrics["cord"] = []float64{1}
	shop.Unlock()
	result, err := runner.Run(t.Context(), opts)
	if err != nil || result.End != runner.Aborted || !strings.Contains(result.Reason, "somebody pulled the cord") || result.Held() {
		t.Errorf("result %+v, %v", result, err)
	}
	if shop.Leaks() != 0 {
		t.Error("the fault is still there")
	}
	noRecord(t, shop)
}

func TestAnInterruptedRunTakesTheFaultAwayFirst(t *testing.T) {
	shop := smallshop.Open(t)
	opts, _ := options(t, shop)
	opts.Duration = time.Minute
	ctx, interrupt := context.WithCancel(t.Context())
	go func() {
		for shop.Leaks() == 0 && ctx.Err() == nil {
			time.Sleep(5 * time.Millisecond)
		}
		interrupt() // in the middle of the injection
	}()
	_, err := runner.Run(ctx, opts)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if shop.Leaks() != 0 {
		t.Error("the fault is still there")
	}
	noRecord(t, shop)
}

func TestASecondRunBesideAnActiveOneIsRefusedAndStopEndsTheFirst(t *testing.T) {
	shop := smallshop.Open(t)
	opts, heard := options(t, shop)
	opts.Duration = time.Minute
	ended := make(chan runner.Result, 1)
	go func() {
		result, err := runner.Run(t.Context(), opts)
		if err != nil {
			t.Error(err)
		}
		ended <- result
	}()
	eventually(t, "the first run has injected", func() bool { return heard.has("are held after") })

	second, _ := options(t, shop)
	if _, err := runner.Run(t.Context(), second); !errors.Is(err, runner.ErrActive) || !strings.Contains(err.Error(), "small-leak") {
		t.Errorf("the second run: %v", err)
	}
	eventually(t, "the status says that the fault is there", func() bool {
		all, err := runner.ReadStatus(t.Context(), shop.StackFile)
		if err != nil || len(all) != 1 || all[0].Expired || !all[0].Record.Injected {
			t.Fatalf("status %+v, %v", all, err)
		}
		return all[0].Presence != nil && all[0].Presence.Present
	})
	if err := resume(t, shop).Restore(t.Context()); err != nil {
		t.Fatal(err)
	}
	if result := <-ended; result.End != runner.Stopped || shop.Leaks() != 0 {
		t.Errorf("result %+v, %d connections held", result, shop.Leaks())
	}
	noRecord(t, shop)
}

func TestAKeptFaultIsOnRecordUntilItIsTakenAway(t *testing.T) {
	shop := smallshop.Open(t)
	opts, _ := options(t, shop)
	opts.Keep, opts.Duration = true, time.Second
	result, err := runner.Run(t.Context(), opts)
	if err != nil || !result.Kept {
		t.Fatalf("result %+v, %v", result, err)
	}
	all, err := runner.ReadStatus(t.Context(), shop.StackFile)
	if err != nil || len(all) != 1 || !all[0].Expired || !all[0].Record.Kept || len(all[0].Record.Affected) != 2 {
		t.Errorf("status %+v, %v", all, err)
	}
	if err := resume(t, shop).Restore(t.Context()); err != nil || shop.Leaks() != 0 {
		t.Errorf("%v, %d connections held", err, shop.Leaks())
	}
	noRecord(t, shop)
}

func TestTheRecordOfAnEarlierStackIsNoneOfThisOne(t *testing.T) {
	shop := smallshop.Open(t)
	opts, _ := options(t, shop)
	opts.Keep, opts.Duration = true, time.Second
	if _, err := runner.Run(t.Context(), opts); err != nil {
		t.Fatal(err)
	}
	shop.Stack.StartedAt = shop.Stack.StartedAt.Add(time.Minute)
	if err := endpoints.Write(shop.StackFile, shop.Stack); err != nil {
		t.Fatal(err)
	}
	if all, err := runner.ReadStatus(t.Context(), shop.StackFile); err != nil || len(all) != 0 {
		t.Errorf("status: %v, %v", all, err)
	}
	noRecord(t, shop)
}

func TestARecordThatCannotBeReadIsAnErrorThatSaysWhatToDo(t *testing.T) {
	shop := smallshop.Open(t)
	broken := filepath.Join(recordFolder(shop), "a-run.json")
	if err := errors.Join(os.MkdirAll(recordFolder(shop), 0o700), os.WriteFile(broken, []byte("{"), 0o600)); err != nil {
		t.Fatal(err)
	}
	if _, err := runner.Active(shop.StackFile); err == nil || !strings.Contains(err.Error(), "chaos stop --all --forget") {
		t.Errorf("got %v", err)
	}
	if err := runner.Forget(shop.StackFile); err != nil {
		t.Error(err)
	}
	noRecord(t, shop)
}

func TestNewNeedsARunningStack(t *testing.T) {
	e, err := experiment.Parse("x.yaml", []byte((&smallshop.Shop{}).Experiment()))
	if err != nil {
		t.Fatal(err)
	}
	_, err = runner.New(runner.Options{Experiment: e, StackFile: filepath.Join(t.TempDir(), "stack.json")})
	if !errors.Is(err, endpoints.ErrNotRunning) {
		t.Errorf("got %v", err)
	}
	if _, err := runner.New(runner.Options{}); err == nil {
		t.Error("no experiment is no error")
	}
}
