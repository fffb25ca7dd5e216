package engine_test

import (
	"context"
	"fmt"
	"maps"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/faultline-lab/faultline/autoheal/engine"
	"github.com/faultline-lab/faultline/autoheal/evidence"
	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/autoheal/remedy"
	"github.com/faultline-lab/faultline/autoheal/workload"
)

// pods is the world as Kubernetes shows it: each life of a replica has a name of its own, and what has ended is gone
// from the list.
type pods struct{ *world }

// name is what a life of a replica is called; it begins with the replica's own name.
func (p pods) name(id string, at time.Time) string {
	for n, l := range p.replicas[id].lives {
		if !at.Before(l.start) && (l.end.IsZero() || at.Before(l.end)) {
			return fmt.Sprintf("%s-pod%d", id, n)
		}
	}
	return ""
}

// id is the replica of which a pod is a life.
func id(pod string) string {
	name, _, _ := strings.Cut(pod, "-pod")
	return name
}

func (p pods) Workloads(ctx context.Context) ([]workload.Workload, error) {
	all, err := p.world.Workloads(ctx)
	for i := range all {
		alive := []workload.Replica{}
		for _, r := range all[i].Replicas {
			if name := p.name(r.ID, time.Now()); name != "" {
				r.ID = name
				alive = append(alive, r)
			}
		}
		all[i].Replicas = alive
	}
	return all, err
}

func (p pods) Workload(ctx context.Context, name string) (workload.Workload, error) {
	all, err := p.Workloads(ctx)
	for _, one := range all {
		if one.Name == name {
			return one, err
		}
	}
	return workload.Workload{}, err
}

func (p pods) Restart(ctx context.Context, name, pod, startID string) error {
	if p.name(id(pod), time.Now()) != pod {
		return workload.ErrNotFound
	}
	return p.world.Restart(ctx, name, id(pod), startID)
}

func (p pods) Samples(ctx context.Context, selector string) ([]evidence.Series, error) {
	all, err := p.world.Samples(ctx, selector)
	if err != nil || strings.Contains(selector, "http_server_request") {
		return all, err
	}
	var renamed []evidence.Series
	for _, s := range all {
		byName := map[string][]evidence.Sample{}
		var order []string
		for _, sample := range s.Samples {
			name := p.name(s.Labels["instance"], sample.At)
			if byName[name] == nil {
				order = append(order, name)
			}
			byName[name] = append(byName[name], sample)
		}
		for _, name := range order {
			labels := maps.Clone(s.Labels)
			labels["instance"] = name
			renamed = append(renamed, evidence.Series{Labels: labels, Samples: byName[name]})
		}
	}
	return renamed, nil
}

func (p pods) Activity(ctx context.Context) (evidence.Activity, error) {
	activity, err := p.world.Activity(ctx)
	for i, s := range activity.Sessions {
		activity.Sessions[i].ApplicationName = "orders/" + p.name(strings.TrimPrefix(s.ApplicationName, "orders/"), time.Now())
	}
	return activity, err
}

// onKubernetes puts the healer before pods.
func onKubernetes(c *clinic) {
	c.adjust = func(cfg *engine.Config) {
		c.t.Helper()
		cluster := pods{c.world}
		metrics, err := evidence.NewPrometheus(evidence.PrometheusConfig{Sampler: cluster})
		if err != nil {
			c.t.Fatal(err)
		}
		sessions, err := evidence.NewPostgres(evidence.PostgresConfig{Server: cluster})
		if err != nil {
			c.t.Fatal(err)
		}
		cfg.Senses, err = evidence.New(evidence.Config{Collectors: []evidence.Collector{metrics, sessions}, Lister: cluster})
		if err != nil {
			c.t.Fatal(err)
		}
		restart, err := remedy.NewRestartReplicas(cluster)
		if err != nil {
			c.t.Fatal(err)
		}
		cfg.Remedies = []remedy.Remedy{restart}
	}
}

// What an incident comes to must not depend on whether a restart keeps the name.
func TestAnIncidentWhereARestartGivesAnotherName(t *testing.T) {
	for _, s := range []story{
		{
			name:    "heals both replicas when both leak",
			play:    func(c *clinic) { leakThenAlert(c, 2*time.Second, "orders-1", "orders-2") },
			outcome: incident.Recovered, cause: incident.ConnectionLeak,
			restarted: map[string]int{"orders-1": 1, "orders-2": 1},
		},
		{
			name: "heals a replica that falls ill within the stabilisation hold, with the same rung",
			play: func(c *clinic) {
				leakThenAlert(c, 2*time.Second, "orders-1")
				time.Sleep(8 * time.Second)
				c.world.leak("orders-2")
			},
			outcome: incident.Recovered, cause: incident.ConnectionLeak,
			restarted: map[string]int{"orders-1": 1, "orders-2": 1},
		},
		{
			name: "takes a relapse of the replacement to the next rung, and to a person when the ladder has none",
			setup: func(c *clinic) {
				c.world.onReady = func(_ string, l *life) { l.leaked = l.ready.Add(6 * time.Second) }
			},
			play:    func(c *clinic) { leakThenAlert(c, 2*time.Second, "orders-1") },
			outcome: incident.HandedOver, cause: incident.ConnectionLeak, restarted: map[string]int{"orders-1": 1},
			reason: "ladder for connection-leak is exhausted",
		},
		{
			name: "does nothing when somebody else restarted the replica first",
			play: func(c *clinic) {
				c.world.conflict["orders-1"] = true
				leakThenAlert(c, 2*time.Second, "orders-1")
			},
			outcome: incident.SelfRecovered, cause: incident.ConnectionLeak,
		},
	} {
		t.Run(s.name, func(t *testing.T) {
			scenario(t, func(c *clinic) {
				onKubernetes(c)
				if s.setup != nil {
					s.setup(c)
				}
			}, func(t *testing.T, c *clinic) {
				s.play(c)
				in := only(t, c.settle())
				check(t, c, s, in)
				for _, a := range in.Actions {
					if a.Result == incident.ResultDone && (len(a.ReplacedBy) != 1 || id(a.ReplacedBy[0]) != id(a.Target) || a.ReplacedBy[0] == a.Target) {
						t.Errorf("%s was replaced by %v", a.Target, a.ReplacedBy)
					}
				}
			})
		})
	}
}

func TestTheCooldownHoldsForWhatTookAReplicasPlace(t *testing.T) {
	scenario(t, onKubernetes, func(t *testing.T, c *clinic) {
		leakThenAlert(c, 2*time.Second, "orders-1")
		c.settle()
		time.Sleep(30 * time.Second)
		leakThenAlert(c, 2*time.Second, "orders-1")
		all := c.settle()
		if len(all) != 2 {
			t.Fatalf("there are %d incidents; want 2", len(all))
		}
		if second := all[1]; second.Outcome != incident.HandedOver || !strings.Contains(second.Reason, "cooldown") {
			t.Errorf("outcome %s: %s; want handed over because of the cooldown", second.Outcome, second.Reason)
		}
		if got, want := c.world.restarted(), (map[string]int{"orders-1": 1}); !maps.Equal(got, want) {
			t.Errorf("restarted %v; want %v", got, want)
		}
	})
}

// TestACrashAnywhereWhereARestartGivesAnotherName is TestACrashAnywhere on Kubernetes: what the dead healer did must be
// told from names that are gone.
func TestACrashAnywhereWhereARestartGivesAnotherName(t *testing.T) {
	died := true
	boundaries := 0
	for n := 1; died; n++ {
		synctest.Test(t, func(t *testing.T) { _, died = healWithOneCrash(t, n, onKubernetes) })
		if boundaries = n; n > 500 {
			t.Fatal("a heal has more than 500 boundaries: it does not end")
		}
	}
	if boundaries < 20 {
		t.Errorf("only %d boundaries: the heal did not happen", boundaries)
	}
}
