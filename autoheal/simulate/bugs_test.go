package simulate

import (
	"github.com/faultline-lab/faultline/autoheal/engine"
	"github.com/faultline-lab/faultline/autoheal/remedy"
	"github.com/faultline-lab/faultline/autoheal/store"
)

// bug is a mistake that a healer could have. Each field stands between the engine and something that is well.
type bug struct {
	name  string
	finds invariant

	deliveries func(w *world, real *store.Store) deliveries
	store      func(w *world, real engine.Store) engine.Store
	senses     func(w *world, real engine.Senses) engine.Senses
	remedy     func(l *life, real remedy.Remedy) remedy.Remedy
	engine     func(cfg *engine.Config)
}
