package simulate

import (
	"context"
	"time"

	"github.com/faultline-lab/faultline/autoheal/remedy"
)

// doing is what a healer is about when it asks the world for something.
type doing struct {
	phase string // apply, undo, renew
	name  string // of the remedy
	remedy.Application
}

type doingKey struct{}

func doingOf(ctx context.Context) (doing, bool) {
	d, ok := ctx.Value(doingKey{}).(doing)
	return d, ok
}

// watched tells the law when a remedy is at work. It has as many methods as what it watches.
type watched struct {
	remedy.Remedy
	life *life
}

type watchedUndoer struct {
	watched
	undoer remedy.Undoer
}

type watchedRenewer struct {
	watchedUndoer
	renewer remedy.Renewer
}

func watch(l *life, r remedy.Remedy) remedy.Remedy {
	plain := watched{r, l}
	undoer, ok := r.(remedy.Undoer)
	if !ok {
		return plain
	}
	with := watchedUndoer{plain, undoer}
	if renewer, ok := r.(remedy.Renewer); ok {
		return watchedRenewer{with, renewer}
	}
	return with
}

func (w watched) mark(ctx context.Context, phase string, a remedy.Application) context.Context {
	return context.WithValue(ctx, doingKey{}, doing{phase, w.Name(), a})
}

func (w watched) Apply(ctx context.Context, a remedy.Application) remedy.Effect {
	defer w.life.world.law.rests(w.life, a.Target.Workload)
	return w.Remedy.Apply(w.mark(ctx, "apply", a), a)
}

func (w watchedUndoer) Undo(ctx context.Context, a remedy.Application) remedy.Effect {
	return w.undoer.Undo(w.mark(ctx, "undo", a), a)
}

func (w watchedRenewer) Renew(ctx context.Context, a remedy.Application) (time.Time, error) {
	return w.renewer.Renew(w.mark(ctx, "renew", a), a)
}
