package simulate

import (
	"context"
	"strings"
	"time"

	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/autoheal/remedy"
)

// doing is what a healer is about when it asks the world for something.
type doing struct {
	phase string // apply, undo, renew
	used  remedy.Remedy
	remedy.Application
}

type doingKey struct{}

func doingOf(ctx context.Context) (doing, bool) {
	d, ok := ctx.Value(doingKey{}).(doing)
	return d, ok
}

// remediesOf are the real remedies on the controls of one healer, one set for each patient; which is meant, the target says.
func remediesOf(l *life) ([]remedy.Remedy, error) {
	var all []remedy.Remedy
	byName := map[string]map[string]remedy.Remedy{}
	for _, p := range l.world.patients {
		own, err := remedy.All(control{l, p}.controls())
		if err != nil {
			return nil, err
		}
		for _, one := range own {
			if l.world.bug.remedy != nil {
				one = l.world.bug.remedy(control{l, p}, one)
			}
			if byName[one.Name()] == nil {
				byName[one.Name()] = map[string]remedy.Remedy{}
				all = append(all, watch(l, one, byName[one.Name()]))
			}
			byName[one.Name()][p.name] = one
		}
	}
	return all, nil
}

// watched tells the law when a remedy is at work. It has as many methods as what it watches.
type watched struct {
	remedy.Remedy
	life *life
	by   map[string]remedy.Remedy // by patient
}

type watchedUndoer struct{ watched }

type watchedRenewer struct{ watchedUndoer }

func watch(l *life, r remedy.Remedy, by map[string]remedy.Remedy) remedy.Remedy {
	plain := watched{r, l, by}
	switch r.(type) {
	case remedy.Renewer:
		return watchedRenewer{watchedUndoer{plain}}
	case remedy.Undoer:
		return watchedUndoer{plain}
	}
	return plain
}

// of is the remedy of the patient whose workload it is.
func (w watched) of(workload string) remedy.Remedy {
	name, _, _ := strings.Cut(workload, ".")
	if own, ok := w.by[name]; ok {
		return own
	}
	return w.Remedy
}

func (w watched) mark(ctx context.Context, phase string, a remedy.Application) context.Context {
	return context.WithValue(ctx, doingKey{}, doing{phase, w.Remedy, a})
}

func (w watched) Targets(seen remedy.Sight, params remedy.Params) ([]incident.Target, string) {
	if len(seen.Workloads) == 0 {
		return nil, "the workloads could not be listed"
	}
	return w.of(seen.Workloads[0].Name).Targets(seen, params)
}

func (w watched) Apply(ctx context.Context, a remedy.Application) remedy.Effect {
	defer w.life.world.law.rests(w.life, a.Target.Workload)
	return w.of(a.Target.Workload).Apply(w.mark(ctx, "apply", a), a)
}

func (w watchedUndoer) Undo(ctx context.Context, a remedy.Application) remedy.Effect {
	w.life.world.undos.add(w.Name())
	return w.of(a.Target.Workload).(remedy.Undoer).Undo(w.mark(ctx, "undo", a), a)
}

func (w watchedRenewer) Renew(ctx context.Context, a remedy.Application) (time.Time, error) {
	until, err := w.of(a.Target.Workload).(remedy.Renewer).Renew(w.mark(ctx, "renew", a), a)
	w.life.world.story.add("%s renews %s of %s: %v", w.life.name, w.Name(), a.Target.Name, err)
	return until, err
}
