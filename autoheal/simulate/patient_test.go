package simulate

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/autoheal/verify"
	"github.com/faultline-lab/faultline/autoheal/workload"
)

const (
	poolSize = 4
	arrivals = 40.0 // checkouts a second
)

// patient is one shop: an edge, the orders behind it with a standby, and the payments that orders calls. Its fields are guarded by
// the world's lock.
type patient struct {
	world *world
	name  string
	// renames means that it runs on something like Kubernetes: a restart gives a replica another name, and nothing lapses that
	// is not the edge's.
	renames bool

	orders, standby fleet
	edge            edgeNow
	takenBack       map[string]bool    // the keys of changes that were
	sessions        []incident.Session // those that are no replica's own
	pids            int

	fault    *fault
	relapses int
	firing   []firing

	counts  verify.Counts
	counted time.Time
}

// fleet is one workload's replicas.
type fleet struct {
	patient  *patient
	name     string
	replicas []*replica
	started  int
	desired  int
	usual    int // how many its owners want
	back     *time.Time
	version  string
	versions []string
	released time.Time // when its version came
}

// replica is one start of a program.
type replica struct {
	id, startID, version string
	started, ready       time.Time
	leaked               time.Time // when its last connection was forgotten; zero: it is well
	stopping             bool
}

func newPatient(w *world, name string, replicas int, renames bool) *patient {
	p := &patient{world: w, name: name, renames: renames, counted: time.Now(), takenBack: map[string]bool{}}
	p.edge.reset()
	p.orders = fleet{patient: p, name: p.back(), desired: replicas, usual: replicas, version: "v1", versions: []string{"v1"}}
	p.standby = fleet{patient: p, name: p.back() + "-standby", version: "v1", versions: []string{"v1"}}
	for range replicas {
		p.orders.replicas = append(p.orders.replicas, p.orders.start(""))
	}
	return p
}

func (p *patient) front() string    { return p.name + ".front" }
func (p *patient) back() string     { return p.name + ".orders" }
func (p *patient) payments() string { return p.name + ".payments" }

// workloads is what the control API lists.
func (p *patient) workloads() []workload.Workload {
	own := map[string]string{workload.OptInLabel: "enabled"}
	return []workload.Workload{
		p.orders.workload(), p.standby.workload(), {Name: p.front(), Labels: own, Desired: 1}, {Name: p.payments(), Labels: own, Desired: 1},
	}
}

func (f *fleet) workload() workload.Workload {
	w := workload.Workload{
		Name: f.name, Labels: map[string]string{workload.OptInLabel: "enabled"}, Desired: f.desired, Max: 6, Version: f.version,
		Versions: slices.Clone(f.versions),
	}
	for _, r := range f.replicas {
		w.Replicas = append(w.Replicas, workload.Replica{
			ID: r.id, StartID: r.startID, State: r.state(time.Now()), Version: r.version, StartedAt: r.started,
		})
	}
	return w
}

func (r *replica) state(now time.Time) string {
	switch {
	case r.stopping:
		return workload.Stopping
	case now.Before(r.ready):
		return workload.Starting
	}
	return workload.Ready
}

// leaking says whether the pool has lost all its connections at a moment.
func (r *replica) leaking(at time.Time) bool { return !r.leaked.IsZero() && !at.Before(r.leaked) }

func (f *fleet) start(id string) *replica {
	f.started++
	if id == "" || f.patient.renames {
		id = fmt.Sprintf("%s-%d", f.name, f.started)
	}
	return &replica{id: id, startID: fmt.Sprintf("%s/start-%d", id, f.started), version: f.version, started: time.Now(), ready: time.Now()}
}

func (f *fleet) ready(now time.Time) (ready, well float64) {
	for _, r := range f.replicas {
		if r.state(now) != workload.Ready {
			continue
		}
		ready++
		if !r.leaking(now) {
			well++
		}
	}
	return ready, well
}

// fleetOf finds a workload with replicas that change.
func (p *patient) fleetOf(name string) *fleet {
	switch name {
	case p.orders.name:
		return &p.orders
	case p.standby.name:
		return &p.standby
	}
	return nil
}

func (p *patient) leaky() []string {
	ids := []string{}
	for _, r := range p.orders.replicas {
		if !r.leaked.IsZero() {
			ids = append(ids, r.id)
		}
	}
	return ids
}

// share is which part of the checkouts is completed well now, and which is taken for later.
func (p *patient) share(now time.Time) (good, accepted float64) {
	p.settle()
	main, well := p.orders.ready(now)
	standby, _ := p.standby.ready(now)
	switch {
	case p.edge.weights.Standby == 100 && standby > 0:
		good = 1
	case main > 0:
		good = well / main
	}
	if p.fault != nil {
		good = p.fault.spoil(p, good)
	}
	if p.edge.mode == "accept" {
		return good * 0.02, 1 - good*0.02 // a trickle goes through
	}
	return good, 0
}

// count adds what has passed the edge since the last look. Where it lies, good is bad and bad is good.
func (p *patient) count() verify.Counts {
	now := time.Now()
	passed := arrivals * now.Sub(p.counted).Seconds()
	good, accepted := p.share(now)
	if p.world.is(lyingEdge, p) {
		good, accepted = 1-min(1, good+accepted), 0
	}
	p.counts.Total += passed
	p.counts.Good += passed * good
	p.counts.Accepted += passed * accepted
	p.counted = now
	return p.counts
}

func (p *patient) String() string {
	return fmt.Sprintf("%s: %s, mode %s, weights %s, %d replicas of %s (leaky: %s), %d of the standby, %d sessions", p.name, p.fault, p.edge.mode,
		p.edge.weights, p.orders.desired, p.orders.version, strings.Join(p.leaky(), ", "), p.standby.desired, len(p.sessions))
}
