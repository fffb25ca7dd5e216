package simulate

import (
	"context"
	"database/sql"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/faultline-lab/faultline/autoheal/engine"
	"github.com/faultline-lab/faultline/autoheal/evidence"
	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/autoheal/remedy"
	"github.com/faultline-lab/faultline/autoheal/store"
)

// forgetful says that it has written what it has not.
type forgetful struct {
	deliveries
	dice *rand.Rand
}

func (f *forgetful) SaveDelivery(ctx context.Context, d store.Delivery) (store.Counts, error) {
	if chance(f.dice, 0.1) {
		return store.Counts{}, nil
	}
	return f.deliveries.SaveDelivery(ctx, d)
}

// blind restarts whatever runs under the name by now.
type blind struct {
	remedy.Remedy
	control control
}

func (b blind) Apply(ctx context.Context, a remedy.Application) remedy.Effect {
	seen, err := b.control.Workload(ctx, a.Target.Workload)
	if live, there := seen.Replica(a.Target.Name); err == nil && there {
		a.Target.Is = live.StartID
		a.Resumed = false
	}
	return b.Remedy.Apply(ctx, a)
}

// behind writes the start of an action only with whatever is written next.
type behind struct {
	engine.Store
	mu     sync.Mutex
	unsaid []incident.Entry
}

func (b *behind) Save(ctx context.Context, c store.Change) error {
	underWay := slices.ContainsFunc(c.Incident.Actions, func(a incident.Action) bool { return a.FinishedAt == nil })
	b.mu.Lock() // and never while the store is at work: who waits for a lock keeps virtual time from going on
	if underWay {
		b.unsaid = append(b.unsaid, c.Entries...)
		b.mu.Unlock()
		return nil
	}
	c.Entries = append(b.unsaid, c.Entries...)
	b.unsaid = nil
	b.mu.Unlock()
	c.Progress.Revision = 0 // it was counted up without having been written
	return b.Store.Save(ctx, c)
}

// cached answers with what it saw within the last minute.
type cached struct {
	engine.Senses
	mu   sync.Mutex
	last map[string]evidence.Gathering
}

func (c *cached) Gather(ctx context.Context, scope evidence.Scope) evidence.Gathering {
	c.mu.Lock()
	kept, ok := c.last[scope.Workloads[0]]
	c.mu.Unlock()
	if ok && time.Since(kept.At).Abs() < time.Minute {
		return kept
	}
	seen := c.Senses.Gather(ctx, scope)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.last == nil {
		c.last = map[string]evidence.Gathering{}
	}
	c.last[scope.Workloads[0]] = seen
	return seen
}

// hopeful fills what is unknown with what was last known.
type hopeful struct {
	engine.Senses
	mu   sync.Mutex
	last map[string]evidence.Gathering
}

func (h *hopeful) Gather(ctx context.Context, scope evidence.Scope) evidence.Gathering {
	seen := h.Senses.Gather(ctx, scope)
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.last == nil {
		h.last = map[string]evidence.Gathering{}
	}
	whole := seen.Workloads != nil && !slices.ContainsFunc(seen.Facts, func(f incident.Fact) bool { return f.Status == incident.Unknown })
	if before, ok := h.last[scope.Workloads[0]]; !whole && ok {
		return before
	}
	h.last[scope.Workloads[0]] = seen
	return seen
}

// unresumed does not list what stands at its proof.
type unresumed struct{ engine.Store }

func (u unresumed) Open(ctx context.Context) ([]incident.Incident, error) {
	open, err := u.Store.Open(ctx)
	return slices.DeleteFunc(open, func(in incident.Incident) bool {
		return in.State == incident.Verifying || in.State == incident.Stabilising
	}), err
}

// lazy does not take back what it says it has.
type lazy struct{ remedy.Undoer }

func (lazy) Undo(context.Context, remedy.Application) remedy.Effect {
	return remedy.Effect{Result: incident.ResultDone, Detail: "it is as it was"}
}

// generous gives the lease to everybody, and knows of none.
type generous struct{ engine.Store }

func (generous) Leases(context.Context, time.Time) ([]incident.Lease, error) {
	return []incident.Lease{}, nil
}

func (generous) Acquire(context.Context, incident.Lease, time.Time) (bool, error) { return true, nil }

// shortMemory forgets what was done more than a minute ago.
type shortMemory struct{ engine.Store }

func (s shortMemory) Effects(ctx context.Context, since time.Time) ([]incident.Effect, error) {
	all, err := s.Store.Effects(ctx, since)
	if len(all) == 0 || err != nil {
		return all, err
	}
	last := all[len(all)-1].StartedAt
	return slices.DeleteFunc(all, func(e incident.Effect) bool { return e.StartedAt.Before(last.Add(-time.Minute)) }), nil
}

// tidy deletes old lines of the audit, past the trigger that forbids it.
type tidy struct {
	engine.Store
	world *world
}

func (t tidy) Save(ctx context.Context, c store.Change) error {
	if !c.Incident.State.Open() {
		if err := t.clean(ctx, c.Incident.ID); err != nil {
			return err
		}
	}
	return t.Store.Save(ctx, c)
}

func (t tidy) clean(ctx context.Context, id string) error {
	db, err := sql.Open("sqlite", t.world.path)
	if err != nil {
		return err
	}
	defer db.Close()
	for _, statement := range []string{
		`DROP TRIGGER IF EXISTS audit_is_never_deleted`,
		`DELETE FROM audit WHERE seq = (SELECT min(seq) FROM audit WHERE incident_id = '` + id + `')`,
	} {
		if _, err := db.ExecContext(context.WithoutCancel(ctx), statement); err != nil {
			return err
		}
	}
	return nil
}
