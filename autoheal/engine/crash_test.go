package engine_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/faultline-lab/faultline/autoheal/engine"
	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/autoheal/store"
)

var errDead = errors.New("this healer is dead")

// reaper kills a healer at its n-th boundary: before and after each write to the store, before and after each effect on
// the world. From then on nothing that the healer does reaches anything.
type reaper struct {
	engine.Store
	mu    sync.Mutex
	at    int // the boundary at which it strikes; 0: never
	seen  int
	where string // the boundary at which it struck
	kill  context.CancelFunc
}

// boundary says whether the healer still lives.
func (r *reaper) boundary(format string, args ...any) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.seen++
	if r.at > 0 && r.seen == r.at {
		r.where = fmt.Sprintf(format, args...)
		r.kill()
	}
	return r.where == ""
}

func (r *reaper) around(what string, write func() error) error {
	if !r.boundary("before %s", what) {
		return errDead
	}
	if err := write(); err != nil {
		return err
	}
	if !r.boundary("after %s", what) {
		return errDead
	}
	return nil
}

func (r *reaper) Save(_ context.Context, c store.Change) error {
	what := fmt.Sprintf("saving %s", c.Incident.State)
	for _, a := range c.Incident.Actions {
		what += fmt.Sprintf(", %s %s", a.Target, pickText(a.Result == "", "under way", a.Result))
	}
	// A write that has begun is not undone by the healer's death.
	return r.around(what, func() error { return r.Store.Save(context.Background(), c) })
}

func (r *reaper) Acquire(_ context.Context, l incident.Lease, now time.Time) (got bool, err error) {
	err = r.around("taking the lease", func() (err error) {
		got, err = r.Store.Acquire(context.Background(), l, now)
		return err
	})
	return got, err
}

func (r *reaper) Release(_ context.Context, target, holder string) error {
	return r.around("giving the lease back", func() error { return r.Store.Release(context.Background(), target, holder) })
}

func pickText(yes bool, a, b string) string {
	if yes {
		return a
	}
	return b
}

// TestACrashAnywhere kills the healer at every boundary of a heal of two replicas, starts a new one on the same file,
// and expects the same end: recovered, each replica restarted once.
func TestACrashAnywhere(t *testing.T) {
	boundaries := map[string]bool{}
	died := true
	for n := 1; died; n++ {
		synctest.Test(t, func(t *testing.T) {
			var where string
			where, died = healWithOneCrash(t, n, nil)
			boundaries[where] = true
		})
		if n > 500 {
			t.Fatal("a heal has more than 500 boundaries: it does not end")
		}
	}
	for _, stage := range []string{
		"before saving received", "after saving received", "after saving diagnosed", "after saving decided",
		"after saving acting, orders-1 under way", "before restarting orders-1", "after restarting orders-1",
		"before saving acting, orders-1 done", "after saving acting, orders-1 done",
		"after saving acting, orders-1 done, orders-2 under way", "after restarting orders-2",
		"after saving acting, orders-1 done, orders-2 done", "before giving the lease back",
		"after saving verifying, orders-1 done, orders-2 done", "after saving stabilising, orders-1 done, orders-2 done",
		"before saving closed, orders-1 done, orders-2 done", "after saving closed, orders-1 done, orders-2 done",
	} {
		if !boundaries[stage] {
			t.Errorf("no healer died %s", stage)
		}
	}
	t.Logf("%d different boundaries", len(boundaries)-1)
}

// healWithOneCrash plays a heal whose first healer dies at boundary n. It says where, and whether it did.
func healWithOneCrash(t *testing.T, n int, setup func(*clinic)) (string, bool) {
	time.Sleep(100 * time.Second)
	c := newClinic(t, newWorld("orders-1", "orders-2"))
	defer c.close()
	if setup != nil {
		setup(c)
	}
	ctx, kill := context.WithCancel(context.Background())
	defer kill()
	death := &reaper{Store: c.store, at: n, kill: kill}
	c.wrap = func(engine.Store) engine.Store { return death }
	c.world.before = func(id string) { death.boundary("before restarting %s", id) }
	c.world.after = func(id string) { death.boundary("after restarting %s", id) }
	c.start(ctx)
	time.Sleep(10 * time.Second)
	leakThenAlert(c, 2*time.Second, "orders-1", "orders-2")
	for range 60 {
		time.Sleep(time.Second)
		synctest.Wait()
		if ctx.Err() != nil {
			break
		}
	}
	c.stop()
	died := ctx.Err() != nil
	c.wrap, c.world.before, c.world.after = nil, nil, nil
	c.start(context.Background())
	in := only(t, c.settle())
	if in.Outcome != incident.Recovered {
		t.Errorf("died %s: outcome %s: %s", death.where, in.Outcome, in.Reason)
	}
	if got, want := c.world.restarted(), (map[string]int{"orders-1": 1, "orders-2": 1}); !maps.Equal(got, want) {
		t.Errorf("died %s: restarted %v; want %v", death.where, got, want)
	}
	for _, a := range in.Actions {
		if a.FinishedAt == nil || a.Result == incident.ResultFailed {
			t.Errorf("died %s: action %+v", death.where, a)
		}
	}
	ordered(t, in)
	return death.where, died
}
