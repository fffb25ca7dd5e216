package process

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// world is a starter whose children live in virtual time.
type world struct {
	mu        sync.Mutex
	started   []time.Time
	children  []*worldChild
	life      time.Duration // how long a child lives by itself; 0 = for ever
	deaf      bool          // children do not obey the stop signal
	startErr  error
	readyTime time.Duration // how long a child takes to get ready
}

type worldChild struct {
	pid   int
	once  sync.Once
	ended chan string
	deaf  bool
}

func (c *worldChild) PID() int     { return c.pid }
func (c *worldChild) Wait() string { return <-c.ended }
func (c *worldChild) Signal(sig syscall.Signal) error {
	if !c.deaf {
		c.end("it obeyed " + sig.String())
	}
	return nil
}
func (c *worldChild) Kill() error    { c.end("it was killed"); return nil }
func (c *worldChild) end(how string) { c.once.Do(func() { c.ended <- how }) }

func (w *world) Start(Spec) (Child, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.started = append(w.started, time.Now())
	if w.startErr != nil {
		return nil, w.startErr
	}
	child := &worldChild{pid: len(w.started), ended: make(chan string, 1), deaf: w.deaf}
	w.children = append(w.children, child)
	if w.life > 0 {
		time.AfterFunc(w.life, func() { child.end("it ended by itself") })
	}
	return child, nil
}

func (w *world) probe(context.Context) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if time.Since(w.started[len(w.started)-1]) < w.readyTime {
		return errors.New("not yet")
	}
	return nil
}

func (w *world) process(t *testing.T) *Process {
	t.Helper()
	var ids atomic.Int64
	p, err := New(Config{
		Spec:    Spec{Name: "p", Path: "/p", LogFile: "p.log", Probe: w.probe, StopTimeout: 3 * time.Second},
		Starter: w, NewID: func() string { return fmt.Sprint("start-", ids.Add(1)) },
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func stopAndClose(t *testing.T, p *Process) {
	t.Helper()
	if err := p.Stop(context.Background()); err != nil {
		t.Error(err)
	}
	p.Close()
}

func TestACrashedProcessIsStartedAgainAfterPausesThatGrow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{life: time.Millisecond, readyTime: time.Hour}
		p := w.process(t)
		defer stopAndClose(t, p)
		if err := p.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		w.mu.Lock()
		defer w.mu.Unlock()
		if len(w.started) < 8 || len(w.started) > 40 {
			t.Fatalf("%d starts in a minute", len(w.started))
		}
		if first := w.started[1].Sub(w.started[0]); first > 200*time.Millisecond {
			t.Errorf("the first pause is %s: a process that crashes once must be back at once", first)
		}
		last := w.started[len(w.started)-1].Sub(w.started[len(w.started)-2])
		if last < 2*time.Second || last > 8*time.Second {
			t.Errorf("the last pause is %s, want about 5 s", last)
		}
	})
}

func TestAProcessThatRanLongIsStartedAtOnceWhenItCrashes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{life: 30 * time.Second}
		p := w.process(t)
		defer stopAndClose(t, p)
		if err := p.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		w.mu.Lock()
		defer w.mu.Unlock()
		for i := 1; i < len(w.started); i++ {
			if pause := w.started[i].Sub(w.started[i-1]) - w.life; pause > 200*time.Millisecond {
				t.Fatalf("pause %d is %s", i, pause)
			}
		}
	})
}

func TestAProcessThatDoesNotStopIsKilledAfterItsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{deaf: true}
		p := w.process(t)
		if err := errors.Join(p.Start(), p.AwaitReady(t.Context(), 1)); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		stopAndClose(t, p)
		if took := time.Since(began); took != 3*time.Second {
			t.Errorf("the stop took %s, want the stop timeout of 3 s", took)
		}
		if how := p.Status().LastEnd; how != "it was killed" {
			t.Errorf("it ended so: %s", how)
		}
	})
}

func TestAStopWhoseContextEndsKillsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{deaf: true}
		p := w.process(t)
		if err := errors.Join(p.Start(), p.AwaitReady(t.Context(), 1)); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began := time.Now()
		if err := p.Stop(ctx); err != nil {
			t.Fatal(err)
		}
		p.Close()
		if took := time.Since(began); took != time.Second {
			t.Errorf("the stop took %s, want 1 s", took)
		}
	})
}

func TestARestartWithAnOldStartIDHasNoEffect(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{}
		p := w.process(t)
		defer stopAndClose(t, p)
		if err := errors.Join(p.Start(), p.AwaitReady(t.Context(), 1)); err != nil {
			t.Fatal(err)
		}
		old := p.Status().StartID
		if err := p.Restart(old); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if err := p.AwaitReady(t.Context(), 1); err != nil {
			t.Fatal(err)
		}
		if err := p.Restart(old); !errors.Is(err, ErrStale) {
			t.Errorf("the second restart with the same start id: %v, want ErrStale", err)
		}
		synctest.Wait()
		if status := p.Status(); len(w.children) != 2 || status.Restarts != 1 || status.StartID == old {
			t.Errorf("%d children, status %+v", len(w.children), status)
		}
	})
}

func TestReadinessFollowsTheProbe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{readyTime: 700 * time.Millisecond}
		p := w.process(t)
		defer stopAndClose(t, p)
		if err := errors.Join(p.Start(), p.AwaitReady(t.Context(), 1)); err != nil {
			t.Fatal(err)
		}
		status := p.Status()
		if took := status.ReadyAt.Sub(status.StartedAt); took != 700*time.Millisecond {
			t.Errorf("ready after %s, want 700 ms", took)
		}
	})
}

func TestWaitingForAProcessThatNeverLivesEndsWithTheReason(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{startErr: errors.New("no such file")}
		p := w.process(t)
		defer stopAndClose(t, p)
		if err := p.Start(); err != nil {
			t.Fatal(err)
		}
		err := p.AwaitReady(t.Context(), 3)
		want := "p ended 3 times before it was ready: it could not be started: no such file"
		if err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	})
}
