package engine_test

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/faultline-lab/faultline/autoheal/correlate"
	"github.com/faultline-lab/faultline/autoheal/engine"
	"github.com/faultline-lab/faultline/autoheal/evidence"
	"github.com/faultline-lab/faultline/autoheal/guard"
	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/autoheal/playbook"
	"github.com/faultline-lab/faultline/autoheal/remedy"
	"github.com/faultline-lab/faultline/autoheal/store"
)

// clinic is a world with a healer in it.
type clinic struct {
	t     testing.TB
	world *world
	store *store.Store
	// wrap lets a test stand between the engine and the store.
	wrap   func(engine.Store) engine.Store
	limits guard.Limits
	kill   func() guard.Switch
	book   playbook.Playbook
	// adjust lets a test change what the engine is given; nil changes nothing.
	adjust func(*engine.Config)

	engine *engine.Engine
	stop   func()
}

// restartsOnly is the playbook of a healer that has one remedy.
const restartsOnly = `version: 2
causes:
  connection-leak:
    ladder:
      - remedy: restart-replicas
        timeout: 15s
        verify: {readings: 3, within: 15s}
`

func newClinic(t testing.TB, w *world) *clinic {
	t.Helper()
	s, err := store.Open(t.Context(), store.Config{Path: filepath.Join(t.TempDir(), "store.db")})
	if err != nil {
		t.Fatal(err)
	}
	book, err := playbook.Parse("restarts only", []byte(restartsOnly), playbook.Known{
		Causes: incident.Causes(), Harmful: guard.Harmful, Limits: guard.Defaults(guard.Act),
		Remedies: playbook.Remedies(remedy.Known()),
	})
	if err != nil {
		t.Fatal(err)
	}
	return &clinic{
		t: t, world: w, store: s, limits: guard.Defaults(guard.Act), book: book, stop: func() {},
		kill: func() guard.Switch { return guard.SwitchOff },
	}
}

// config assembles everything that is real around the world.
func (c *clinic) config() engine.Config {
	must := func(err error) {
		c.t.Helper()
		if err != nil {
			c.t.Fatal(err)
		}
	}
	metrics, err := evidence.NewPrometheus(evidence.PrometheusConfig{Sampler: c.world, Interval: c.world.scrape})
	must(err)
	sessions, err := evidence.NewPostgres(evidence.PostgresConfig{Server: c.world})
	must(err)
	senses, err := evidence.New(evidence.Config{Collectors: []evidence.Collector{metrics, sessions}, Lister: c.world})
	must(err)
	restart, err := remedy.NewRestartReplicas(c.world)
	must(err)
	dependencies, err := correlate.Load("")
	must(err)
	var kept engine.Store = c.store
	if c.wrap != nil {
		kept = c.wrap(kept)
	}
	return engine.Config{
		Store: kept, Senses: senses, Edge: edge{c.world}, Remedies: []remedy.Remedy{restart}, Playbook: c.book, Map: dependencies,
		Logger: slog.New(slog.DiscardHandler), Registerer: prometheus.NewRegistry(), Switch: c.kill, Limits: c.limits,
		ScrapeInterval: c.world.scrape,
	}
}

// start lets a healer live until stop, or until it dies.
func (c *clinic) start(ctx context.Context) {
	c.t.Helper()
	cfg := c.config()
	if c.adjust != nil {
		c.adjust(&cfg)
	}
	e, err := engine.New(cfg)
	if err != nil {
		c.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(ctx)
	var done sync.WaitGroup
	done.Go(func() { _ = e.Run(ctx) }) // it ends with its context, and has no other end
	c.engine = e
	c.stop = func() { cancel(); done.Wait() }
}

// alert delivers firing alerts about workloads, as the webhook would.
func (c *clinic) alert(name string, workloads ...string) store.Delivery {
	c.t.Helper()
	now := time.Now()
	d := store.Delivery{ReceivedAt: now}
	for _, w := range workloads {
		d.Alerts = append(d.Alerts, incident.Alert{
			Fingerprint: name + "/" + w, StartsAt: now, Status: "firing", ReceivedAt: now,
			Labels: map[string]string{"alertname": name, "workload": w},
		})
	}
	c.deliver(d)
	return d
}

func (c *clinic) deliver(d store.Delivery) {
	c.t.Helper()
	if _, err := c.store.SaveDelivery(context.Background(), d); err != nil {
		c.t.Fatal(err)
	}
	if c.engine != nil {
		c.engine.Wake()
	}
}

// settle lets virtual time pass until no incident is open, and returns them all, oldest first.
func (c *clinic) settle() []incident.Incident {
	c.t.Helper()
	for range 300 {
		time.Sleep(time.Second)
		synctest.Wait()
		waiting, err := c.store.Waiting(c.t.Context(), 1)
		if err != nil {
			c.t.Fatal(err)
		}
		open, err := c.store.Open(c.t.Context())
		if err != nil {
			c.t.Fatal(err)
		}
		if len(open)+len(waiting) == 0 {
			return c.all()
		}
	}
	c.t.Fatalf("after 300 s an incident is still open: %+v", c.all())
	return nil
}

func (c *clinic) all() []incident.Incident {
	c.t.Helper()
	all, err := c.store.List(context.Background(), time.Time{})
	if err != nil {
		c.t.Fatal(err)
	}
	for i, j := 0, len(all)-1; i < j; i, j = i+1, j-1 {
		all[i], all[j] = all[j], all[i]
	}
	return all
}

func (c *clinic) close() {
	c.stop()
	if err := c.store.Close(); err != nil {
		c.t.Error(err)
	}
}

// only returns the one incident there must be.
func only(t *testing.T, all []incident.Incident) incident.Incident {
	t.Helper()
	if len(all) != 1 {
		t.Fatalf("there are %d incidents; one was expected: %+v", len(all), all)
	}
	return all[0]
}

// restarted is how often each replica was restarted.
func (w *world) restarted() map[string]int {
	w.mu.Lock()
	defer w.mu.Unlock()
	counts := map[string]int{}
	for id, r := range w.replicas {
		for _, l := range r.lives {
			if n := w.restarts[l.startID]; n > 0 {
				counts[id] += n
			}
		}
	}
	return counts
}

// scenario runs a test in virtual time, with two replicas of orders and a healer.
func scenario(t *testing.T, setup func(*clinic), play func(t *testing.T, c *clinic)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(100 * time.Second) // the world has a past
		c := newClinic(t, newWorld("orders-1", "orders-2"))
		defer c.close()
		if setup != nil {
			setup(c)
		}
		c.start(context.Background())
		time.Sleep(10 * time.Second)
		play(t, c)
	})
}

var errGone = errors.New("connection refused")
