package simulate

import (
	"context"
	"encoding/binary"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// beBorn starts a healer. A plan with kills gives it a boundary at which it dies.
func (w *world) beBorn() {
	l := &life{world: w, name: fmt.Sprintf("healer %d", len(w.lives)+1)}
	r := w.dice.draw("lives")
	w.lock.Lock()
	switch {
	case len(w.alive) > 0: // the clocks of two machines differ by little
		l.clock = w.clock + between(r, -time.Second, time.Second)
	case chance(r, 0.2): // somebody has set the clock meanwhile; within a life, a program's own clock never jumps
		w.clock += between(r, -5*time.Minute, 2*time.Hour)
		fallthrough
	default:
		l.clock = w.clock
	}
	if !w.resting && w.plan.kills > 0 {
		w.plan.kills--
		l.dies = 1 + r.IntN(w.plan.mortality)
	}
	w.lock.Unlock()
	var err error
	if l.engine, err = w.engineFor(l); err != nil {
		w.law.broken(itEnds, "no healer can be made: %v", err)
		return
	}
	var ctx context.Context
	ctx, l.cancel = context.WithCancel(context.Background())
	w.story.add("%s is born, its clock %s off", l.name, l.clock)
	w.lock.Lock()
	w.lives, w.alive = append(w.lives, l), append(w.alive, l)
	w.lock.Unlock()
	l.done.Go(func() { _ = l.engine.Run(ctx) }) // it ends with its context, and has no other end
}

// died has another healer take over after a while, unless one is there.
func (w *world) died(l *life) {
	r := w.dice.draw("deaths")
	w.agenda.in(between(r, 100*time.Millisecond, 40*time.Second), func() {
		w.lock.Lock()
		w.alive = slices.DeleteFunc(w.alive, func(one *life) bool { return one == l })
		left := len(w.alive)
		w.lock.Unlock()
		if left == 0 {
			w.beBorn()
		}
	})
}

// someone is the healer that a delivery reaches.
func (w *world) someone() *life {
	w.lock.Lock()
	defer w.lock.Unlock()
	var living []*life
	for _, l := range w.alive {
		if l.alive() {
			living = append(living, l)
		}
	}
	if len(living) == 0 {
		return nil
	}
	return living[w.dice.draw("who receives").IntN(len(living))]
}

// leaveOne stops all healers but one, which dies no more.
func (w *world) leaveOne() {
	found := false
	for _, l := range w.alive {
		switch {
		case !l.alive():
		case found:
			l.stop("is stopped")
		default:
			found = true
			l.mu.Lock()
			l.dies = 0
			l.mu.Unlock()
		}
	}
}

// traces gives incidents traces by number.
type traces struct{ last atomic.Uint64 }

func (t *traces) tracer() trace.Tracer {
	return sdktrace.NewTracerProvider(sdktrace.WithIDGenerator(t), sdktrace.WithSampler(sdktrace.AlwaysSample())).Tracer("simulation")
}

// NewIDs names a trace.
func (t *traces) NewIDs(ctx context.Context) (id trace.TraceID, span trace.SpanID) {
	binary.BigEndian.PutUint64(id[8:], t.last.Add(1))
	return id, t.NewSpanID(ctx, id)
}

// NewSpanID need not tell spans apart: nobody looks at them.
func (*traces) NewSpanID(context.Context, trace.TraceID) trace.SpanID { return trace.SpanID{1} }
