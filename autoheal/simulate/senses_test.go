package simulate

import (
	"context"
	"slices"
	"time"

	"github.com/faultline-lab/faultline/autoheal/diagnose"
	"github.com/faultline-lab/faultline/autoheal/evidence"
	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/autoheal/verify"
)

const scrape = time.Second

// senses is what one healer perceives of the world: not always all of it, not always at once, and not always the truth.
type senses struct{ life *life }

// Gather takes one look at the patient whose workloads are in the scope.
func (s senses) Gather(ctx context.Context, scope evidence.Scope) evidence.Gathering {
	w, p := s.life.world, s.life.world.patientOf(scope.Workloads[0])
	r := w.dice.draw(s.life.name + " gathers of " + p.name)
	begun := time.Now()
	slow := between(r, 5*time.Millisecond, 150*time.Millisecond)
	if chance(r, w.plan.flaky) {
		slow = between(r, 150*time.Millisecond, time.Second)
	}
	time.Sleep(slow)
	w.lock.Lock()
	defer w.lock.Unlock()
	seen := p.gathering(s.life.now(), scope.Round)
	switch {
	case w.is(noSenses, p):
		seen.withhold(evidence.Prometheus, evidence.Postgres, evidence.Workloads)
	case chance(r, w.plan.flaky):
		seen.distort(pickOne(r, 0, 1, 2, 3, 4), p)
	}
	for i := range seen.Facts {
		seen.Facts[i].Round = scope.Round
	}
	said := diagnose.Diagnose(seen.Facts, scope.Round, scrape)
	w.law.saw(traceOf(ctx), glance{life: s.life, begun: begun, at: time.Now(), said: said, unlisted: seen.Workloads == nil})
	return seen.Gathering
}

// withhold makes whole sources unknown.
func (g *picture) withhold(sources ...string) {
	g.Facts = slices.DeleteFunc(g.Facts, func(f incident.Fact) bool { return slices.Contains(sources, f.Source) })
	for _, source := range sources {
		g.Facts = append(g.Facts, incident.Fact{
			Name: "source", Source: source, Subject: source, Status: incident.Unknown, Unit: "1", At: g.At, Detail: source + " did not answer",
		})
		if source == evidence.Workloads {
			g.Workloads = nil
		}
	}
}

// distort spoils a picture in one of the ways in which they are spoiled.
func (g *picture) distort(how int, p *patient) {
	switch how {
	case 0:
		g.withhold(evidence.Prometheus)
	case 1:
		g.withhold(evidence.Postgres)
	case 2:
		g.withhold(evidence.Workloads)
	case 3: // one fact could not be had
		i := p.orders.started % len(g.Facts)
		g.Facts[i].Status, g.Facts[i].Value = incident.Unknown, 0
	case 4: // the pools are those of long ago
		for i, f := range g.Facts {
			if f.Source == evidence.Prometheus {
				g.Facts[i].At = f.At.Add(-10 * time.Second)
			}
		}
	}
}

// edgeOf is the edge of one patient, as one healer reads it.
type edgeOf struct{ life *life }

func (edgeOf) Source() string { return "the simulated edge" }

// Read reads the counters of the edge of the incident that asks.
func (e edgeOf) Read(ctx context.Context) (verify.Readout, error) {
	w := e.life.world
	p := w.patientOf(w.law.workloadOf(traceOf(ctx)))
	r := w.dice.draw(e.life.name + " reads the edge of " + p.name)
	time.Sleep(between(r, time.Millisecond, 40*time.Millisecond))
	w.lock.Lock()
	defer w.lock.Unlock()
	if w.is(noEdge, p) || chance(r, w.plan.flaky/2) {
		return nil, errNoAnswer
	}
	return verify.Readout{p.front(): p.count()}, nil
}
