package senses

import (
	"testing"
	"time"

	"github.com/faultline-lab/faultline/e2e/internal/looptest"
	"github.com/faultline-lab/faultline/observability/endpoints"
	"github.com/faultline-lab/faultline/observability/grafana"
	"github.com/faultline-lab/faultline/observability/query"
)

// portOffset keeps this stack out of the way of one on the default ports; see package closedloop.
const portOffset = "12000"

// live is the one stack that all of these tests ask.
type live struct {
	stack      endpoints.Stack
	prometheus *query.Prometheus
	loki       *query.Loki
	jaeger     *query.Jaeger
	links      grafana.Trail
	began      time.Time // nothing older is looked for
}

// TestTheSensesOfTheRunningStack puts load on the real stack, lets it leak and heal, makes it queue, and asks after each what
// can be seen. The outages come last: Jaeger keeps its traces in memory.
func TestTheSensesOfTheRunningStack(t *testing.T) {
	root := looptest.Root(t)
	s := senses(t, looptest.Start(t, root, portOffset).Stack)

	t.Run("a good order is one trace through all services, SQL and the delivery of its outbox message", s.checkGoodOrder)
	f := s.leak(t, root)
	t.Run("a checkout that failed in the leak leads from the pool to its trace, its logs and back", func(t *testing.T) {
		s.checkFailedCheckouts(t, f)
	})
	t.Run("the healer's incident is a trace, down to the supervisor that restarts", func(t *testing.T) { s.checkIncident(t, f) })
	t.Run("a slow order leads from its wait for the pool to its trace, its logs and back", s.checkSlowOrder)
	t.Run("the stack emits what the contract lists, all of it and nothing else", func(t *testing.T) { s.checkContract(t, f) })
	t.Run("the contract's check sees what breaks it", s.checkContractFails)
	t.Run("no panel of any dashboard is empty", s.checkPanels)
	s.checkOutages(t)
}

func senses(t *testing.T, stack endpoints.Stack) *live {
	t.Helper()
	s := &live{stack: stack, links: grafana.Links(), began: time.Now()}
	var err error
	if s.prometheus, err = query.NewPrometheus(query.Config{URL: stack.Endpoints.Prometheus}); err != nil {
		t.Fatal(err)
	}
	if s.loki, err = query.NewLoki(query.Config{URL: stack.Endpoints.Loki}); err != nil {
		t.Fatal(err)
	}
	if s.jaeger, err = query.NewJaeger(query.Config{URL: stack.Endpoints.Jaeger}); err != nil {
		t.Fatal(err)
	}
	return s
}
