package engine_test

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	edges "github.com/faultline-lab/faultline/autoheal/edge"
	"github.com/faultline-lab/faultline/autoheal/engine"
	"github.com/faultline-lab/faultline/autoheal/evidence"
	"github.com/faultline-lab/faultline/autoheal/guard"
	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/autoheal/playbook"
	"github.com/faultline-lab/faultline/autoheal/remedy"
	"github.com/faultline-lab/faultline/autoheal/workload"
)

// span is a time; the zero end is not over yet.
type span struct{ from, to time.Time }

func (s span) holds(t time.Time) bool { return !t.Before(s.from) && (s.to.IsZero() || t.Before(s.to)) }

// shelter is a remedy that bears a fault without ending it: while the edge is in mode accept, and that has not lapsed, every
// checkout is good.
type shelter struct {
	world   *world
	useless bool // it changes the mode, and customers suffer all the same
	renewed int
	undone  int
}

const shelterFor = 15 * time.Second

func (*shelter) Name() string                                { return "shelter" }
func (*shelter) Traits() remedy.Traits                       { return remedy.Traits{Lasting: true} }
func (*shelter) Check(remedy.Params) (field string, e error) { return "", nil }

func (s *shelter) Targets(seen remedy.Sight, _ remedy.Params) ([]incident.Target, string) {
	if seen.Edge == nil || seen.Edge.Mode != edges.Normal {
		return nil, "the edge is not in mode normal"
	}
	return []incident.Target{{
		Kind: incident.EdgeTarget, Workload: "orders", Name: "storefront", Is: edges.Normal, To: edges.Accept, State: "normal",
	}}, ""
}

func (s *shelter) Apply(context.Context, remedy.Application) remedy.Effect {
	s.world.mu.Lock()
	defer s.world.mu.Unlock()
	now := time.Now()
	if !s.world.sheltered(now) {
		s.world.shelters = append(s.world.shelters, span{from: now, to: now.Add(shelterFor)})
	}
	s.world.useless = s.useless
	return remedy.Effect{Result: incident.ResultDone, Detail: "sheltered", Until: new(now.Add(shelterFor))}
}

func (s *shelter) Renew(context.Context, remedy.Application) (time.Time, error) {
	s.world.mu.Lock()
	defer s.world.mu.Unlock()
	if !s.world.sheltered(time.Now()) {
		return time.Time{}, workload.ErrConflict
	}
	s.renewed++
	until := time.Now().Add(shelterFor)
	s.world.shelters[len(s.world.shelters)-1].to = until
	return until, nil
}

func (s *shelter) Undo(context.Context, remedy.Application) remedy.Effect {
	s.world.mu.Lock()
	defer s.world.mu.Unlock()
	s.undone++
	if s.world.sheltered(time.Now()) {
		s.world.shelters[len(s.world.shelters)-1].to = time.Now()
	}
	return remedy.Effect{Result: incident.ResultDone, Detail: "in mode normal again"}
}

// State is the edge's.
func (w *world) State(context.Context) (*edges.State, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	state := &edges.State{Mode: edges.Normal, Weights: edges.Weights{Stable: 100}}
	if w.sheltered(time.Now()) {
		state.Mode = edges.Accept
	}
	return state, nil
}

func (w *world) sheltered(t time.Time) bool {
	return slices.ContainsFunc(w.shelters, func(s span) bool { return s.holds(t) })
}

// sheltering gives the healer the one remedy, for leaks.
func sheltering(s *shelter) func(*clinic) {
	return func(c *clinic) {
		s.world = c.world
		book, err := playbook.Parse("shelter", []byte(`version: 2
causes:
  connection-leak:
    ladder:
      - { remedy: shelter, timeout: 5s, verify: { readings: 3, within: 10s }, hold: { ttl: 15s, at_most: 5m } }
`), playbook.Known{
			Causes: incident.Causes(), Remedies: playbook.Remedies([]remedy.Remedy{s}), Harmful: guard.Harmful, Limits: guard.Defaults(guard.Act),
		})
		if err != nil {
			c.t.Fatal(err)
		}
		c.book = book
		c.adjust = func(cfg *engine.Config) {
			cfg.Remedies = []remedy.Remedy{s}
			metrics, err1 := evidence.NewPrometheus(evidence.PrometheusConfig{Sampler: c.world, Interval: c.world.scrape})
			sessions, err2 := evidence.NewPostgres(evidence.PostgresConfig{Server: c.world})
			if err1 != nil || err2 != nil {
				c.t.Fatal(err1, err2)
			}
			senses, err := evidence.New(evidence.Config{Collectors: []evidence.Collector{metrics, sessions}, Lister: c.world, Edge: c.world})
			if err != nil {
				c.t.Fatal(err)
			}
			cfg.Senses = senses
		}
	}
}

// inState lets time pass until the incident is in a state.
func inState(t *testing.T, c *clinic, state incident.State) incident.Incident {
	t.Helper()
	for range 600 {
		time.Sleep(100 * time.Millisecond)
		synctest.Wait()
		for _, in := range c.all() {
			if in.State == state {
				return in
			}
		}
	}
	for _, in := range c.all() {
		entries, _ := c.store.Audit(context.Background(), in.ID)
		for _, e := range entries {
			t.Log(e.At.Format(time.TimeOnly), e.Kind, e.Text)
		}
	}
	t.Fatalf("no incident came to %s within a minute", state)
	return incident.Incident{}
}

func TestAChangeStandsWhileItsFaultLastsAndIsTakenBackAfterIt(t *testing.T) {
	s := &shelter{}
	scenario(t, sheltering(s), func(t *testing.T, c *clinic) {
		leakThenAlert(c, 2*time.Second, "orders-1", "orders-2")
		inState(t, c, incident.Holding)
		time.Sleep(2 * time.Minute) // eight times its time to live
		if in := inState(t, c, incident.Holding); !in.Actions[0].Changed() || s.renewed < 8 {
			t.Errorf("the change is %+v after two minutes and %d renewals", in.Actions[0].Undo, s.renewed)
		}
		c.world.cure("orders-1")
		c.world.cure("orders-2")
		in := only(t, c.settle())
		check(t, c, story{outcome: incident.Recovered, cause: incident.ConnectionLeak}, in)
		if len(in.Actions) != 1 || in.Actions[0].Undo.State != incident.Undone || !in.Actions[0].Undo.Passed || s.undone != 1 {
			t.Errorf("actions %+v, undone %d times", in.Actions, s.undone)
		}
	})
}

func TestAChangeThatIsTakenBackTooEarlyIsMadeAgainAndHeldLonger(t *testing.T) {
	s := &shelter{}
	scenario(t, sheltering(s), func(t *testing.T, c *clinic) {
		leakThenAlert(c, 2*time.Second, "orders-1", "orders-2")
		inState(t, c, incident.Holding)
		c.world.cure("orders-1")
		c.world.cure("orders-2")
		inState(t, c, incident.Stabilising)
		c.world.leak("orders-1", "orders-2")
		again := inState(t, c, incident.Holding)
		if len(again.Actions) != 2 {
			t.Fatalf("%d actions; want the same one twice: %+v", len(again.Actions), again.Actions)
		}
		c.world.cure("orders-1")
		c.world.cure("orders-2")
		begun := time.Now()
		in := only(t, c.settle())
		check(t, c, story{outcome: incident.Recovered, cause: incident.ConnectionLeak}, in)
		if held := in.Actions[1].Undo.StartedAt.Sub(begun); held < 5*time.Second {
			t.Errorf("taken back %s after the fault had passed; the second time it takes six looks", held)
		}
		if in.Actions[0].Key == in.Actions[1].Key {
			t.Errorf("both actions have the key %s", in.Actions[0].Key)
		}
	})
}

func TestAChangeThatDoesNotHelpIsTakenBackBeforeAPersonGetsTheIncident(t *testing.T) {
	s := &shelter{useless: true}
	scenario(t, sheltering(s), func(t *testing.T, c *clinic) {
		leakThenAlert(c, 2*time.Second, "orders-1", "orders-2")
		in := only(t, c.settle())
		check(t, c, story{outcome: incident.HandedOver, cause: incident.ConnectionLeak, reason: "the ladder for connection-leak has no further rung"}, in)
		if in.Actions[0].Undo.State != incident.Undone || in.Actions[0].Undo.Passed || s.undone != 1 {
			t.Errorf("the change is %+v, undone %d times", in.Actions[0].Undo, s.undone)
		}
	})
}

func TestAHealerThatDiesWhileAChangeStandsIsFollowedByOneThatTakesItBack(t *testing.T) {
	s := &shelter{}
	scenario(t, sheltering(s), func(t *testing.T, c *clinic) {
		leakThenAlert(c, 2*time.Second, "orders-1", "orders-2")
		inState(t, c, incident.Holding)
		c.stop()
		time.Sleep(5 * time.Second) // less than its time to live
		c.start(t.Context())
		c.world.cure("orders-1")
		c.world.cure("orders-2")
		in := only(t, c.settle())
		check(t, c, story{outcome: incident.Recovered, cause: incident.ConnectionLeak}, in)
		if len(in.Actions) != 1 || in.Actions[0].Undo.State != incident.Undone {
			t.Errorf("actions %+v", in.Actions)
		}
	})
}

func TestAChangeThatLapsedWhileNoHealerLivedIsMadeAgainIfItsFaultLasts(t *testing.T) {
	s := &shelter{}
	scenario(t, sheltering(s), func(t *testing.T, c *clinic) {
		leakThenAlert(c, 2*time.Second, "orders-1", "orders-2")
		inState(t, c, incident.Holding)
		c.stop()
		time.Sleep(2 * shelterFor)
		c.start(t.Context())
		again := inState(t, c, incident.Stabilising)
		if len(again.Actions) != 2 || again.Actions[0].Undo.State != incident.Undone {
			t.Fatalf("actions %+v", again.Actions)
		}
		c.world.cure("orders-1")
		c.world.cure("orders-2")
		check(t, c, story{outcome: incident.Recovered, cause: incident.ConnectionLeak}, only(t, c.settle()))
	})
}

func TestWhileTheKillSwitchIsOnNothingIsRenewedOrTakenBack(t *testing.T) {
	s := &shelter{}
	on := false
	scenario(t, func(c *clinic) {
		sheltering(s)(c)
		c.kill = func() guard.Switch {
			if on {
				return guard.SwitchOn
			}
			return guard.SwitchOff
		}
	}, func(t *testing.T, c *clinic) {
		leakThenAlert(c, 2*time.Second, "orders-1", "orders-2")
		inState(t, c, incident.Holding)
		on = true
		renewed := s.renewed
		c.world.cure("orders-1")
		c.world.cure("orders-2")
		in := only(t, c.settle())
		if s.renewed > renewed || s.undone > 0 {
			t.Errorf("renewed %d times and undone %d times with the switch on", s.renewed-renewed, s.undone)
		}
		if in.State != incident.Escalated || in.Actions[0].Undo.State != incident.Left {
			t.Errorf("%s, the change is %+v", in.State, in.Actions[0].Undo)
		}
	})
}

var (
	_ remedy.Renewer      = (*shelter)(nil)
	_ evidence.EdgeReader = (*world)(nil)
)
