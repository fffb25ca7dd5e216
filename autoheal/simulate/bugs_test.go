package simulate

import (
	"testing"

	"github.com/faultline-lab/faultline/autoheal/engine"
	"github.com/faultline-lab/faultline/autoheal/guard"
	"github.com/faultline-lab/faultline/autoheal/remedy"
	"github.com/faultline-lab/faultline/autoheal/store"
)

// bug is a mistake that a healer could have. Each field stands between the engine and something that is well.
type bug struct {
	name string
	// breaks are the invariants of which one must be found broken.
	breaks []invariant

	deliveries func(w *world, real *store.Store) deliveries
	store      func(w *world, real engine.Store) engine.Store
	senses     func(w *world, real engine.Senses) engine.Senses
	remedy     func(c control, real remedy.Remedy) remedy.Remedy
	engine     func(cfg *engine.Config)
}

// bugs is the table of contents: at least one for each invariant.
func bugs() []bug {
	return []bug{
		{
			name: "a store that acknowledges some deliveries before they are written", breaks: []invariant{nothingLost},
			deliveries: func(w *world, real *store.Store) deliveries { return &forgetful{real, w.dice.draw("forgets")} },
		},
		{
			name: "a restart that does not look which start it is meant for", breaks: []invariant{atMostOnce},
			remedy: func(c control, real remedy.Remedy) remedy.Remedy {
				if real.Name() != remedy.RestartReplicasName {
					return real
				}
				return blind{real, c}
			},
		},
		{
			name: "a record that is written behind, in one go with the next one", breaks: []invariant{atMostOnce},
			store: func(_ *world, real engine.Store) engine.Store { return &behind{Store: real} },
		},
		{
			name: "evidence that is kept for a minute", breaks: []invariant{onlyKnown},
			senses: func(_ *world, real engine.Senses) engine.Senses { return &cached{Senses: real} },
		},
		{
			name: "a source that is silent counts as its last answer", breaks: []invariant{onlyKnown},
			senses: func(_ *world, real engine.Senses) engine.Senses { return &hopeful{Senses: real} },
		},
		{
			name: "a kill switch that is read once, at the start", breaks: []invariant{onlyKnown},
			engine: func(cfg *engine.Config) {
				first := cfg.Switch()
				cfg.Switch = func() guard.Switch { return first }
			},
		},
		{
			name: "an incident in its proof is not resumed", breaks: []invariant{itEnds},
			store: func(_ *world, real engine.Store) engine.Store { return unresumed{real} },
		},
		{
			name: "an undo that says it was done and was not", breaks: []invariant{nothingLeft},
			remedy: func(_ control, real remedy.Remedy) remedy.Remedy {
				if undoer, ok := real.(remedy.Undoer); ok && real.Name() == remedy.RollBackName {
					return lazy{undoer}
				}
				return real
			},
		},
		{
			name: "a lease that everybody gets", breaks: []invariant{withinLimits},
			store: func(_ *world, real engine.Store) engine.Store { return generous{real} },
		},
		{
			name: "a history that goes back a minute only", breaks: []invariant{withinLimits},
			store: func(_ *world, real engine.Store) engine.Store { return shortMemory{real} },
		},
		{
			name: "a clean-up that takes old lines out of the audit", breaks: []invariant{auditGrows},
			store: func(w *world, real engine.Store) engine.Store { return tidy{real, w} },
		},
	}
}

// TestASeededBugIsFound shows that the simulation can tell: with each of these mistakes, it finds the invariant broken within some seeds.
func TestASeededBugIsFound(t *testing.T) {
	const within = 60
	for _, b := range bugs() {
		t.Run(b.name, func(t *testing.T) {
			for seed := *from; seed < *from+within; seed++ {
				o := run(t, seed, b)
				for _, v := range o.violations {
					for _, wanted := range b.breaks {
						if v.invariant == wanted {
							t.Logf("found by seed %d: %q: %s", seed, v.invariant, v.what)
							return
						}
					}
				}
			}
			t.Errorf("%d seeds have not found it: %q", within, b.breaks)
		})
	}
}
