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
	// breaks is the invariant that must be found broken; try is a seed that is known to find it, tried first to save time.
	breaks invariant
	try    uint64

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
			name: "a store that acknowledges some deliveries before they are written", breaks: nothingLost,
			deliveries: func(w *world, real *store.Store) deliveries { return &forgetful{real, w.dice.draw("forgets")} },
		},
		{
			name: "a restart that does not look which start it is meant for", breaks: atMostOnce,
			remedy: func(c control, real remedy.Remedy) remedy.Remedy {
				if real.Name() != remedy.RestartReplicasName {
					return real
				}
				return blind{real, c}
			},
		},
		{
			name: "a record that is written behind, in one go with the next one", breaks: atMostOnce,
			store: func(_ *world, real engine.Store) engine.Store { return &behind{Store: real} },
		},
		{
			name: "evidence that is kept for a minute", breaks: onlyKnown,
			senses: func(_ *world, real engine.Senses) engine.Senses { return &cached{Senses: real} },
		},
		{
			name: "a source that is silent counts as its last answer", breaks: onlyKnown, try: 15,
			senses: func(_ *world, real engine.Senses) engine.Senses { return &hopeful{Senses: real} },
		},
		{
			name: "a kill switch that is read once, at the start", breaks: onlyKnown,
			engine: func(cfg *engine.Config) {
				first := cfg.Switch()
				cfg.Switch = func() guard.Switch { return first }
			},
		},
		{
			name: "an incident in its proof is not resumed", breaks: itEnds,
			store: func(_ *world, real engine.Store) engine.Store { return unresumed{real} },
		},
		{
			name: "an undo that says it was done and was not", breaks: nothingLeft, try: 30,
			remedy: func(_ control, real remedy.Remedy) remedy.Remedy {
				if undoer, ok := real.(remedy.Undoer); ok && real.Name() == remedy.RollBackName {
					return lazy{undoer}
				}
				return real
			},
		},
		{
			name: "a lease that everybody gets", breaks: withinLimits,
			store: func(_ *world, real engine.Store) engine.Store { return generous{real} },
		},
		{
			name: "a history that goes back a minute only", breaks: withinLimits,
			store: func(_ *world, real engine.Store) engine.Store { return shortMemory{real} },
		},
		{
			name: "a clean-up that takes old lines out of the audit", breaks: auditGrows,
			store: func(w *world, real engine.Store) engine.Store { return tidy{real, w} },
		},
	}
}

// TestASeededBugIsFound shows that the simulation can tell: with each of these mistakes, it finds the invariant broken within some seeds.
func TestASeededBugIsFound(t *testing.T) {
	const within = 60
	for _, b := range bugs() {
		t.Run(b.name, func(t *testing.T) {
			if b.try > 0 && finds(t, b, b.try) {
				return
			}
			for seed := *from; seed < *from+within; seed++ {
				if finds(t, b, seed) {
					return
				}
			}
			t.Errorf("%d seeds have not found it: %q", within, b.breaks)
		})
	}
}

func finds(t *testing.T, b bug, seed uint64) bool {
	t.Helper()
	for _, v := range run(t, seed, b).violations {
		if v.invariant == b.breaks {
			t.Logf("found by seed %d: %q: %s", seed, v.invariant, v.what)
			return true
		}
	}
	return false
}
