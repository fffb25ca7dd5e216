package closedloop

import (
	"fmt"
	"testing"
	"time"

	"github.com/faultline-lab/faultline/e2e/record"
	"github.com/faultline-lab/faultline/observability/endpoints"
	"github.com/faultline-lab/faultline/observability/query"
	"github.com/faultline-lab/faultline/slo/burnrate"
	"github.com/faultline-lab/faultline/slo/model"
	"github.com/faultline-lab/faultline/slo/profile"
	"github.com/faultline-lab/faultline/slo/rulefile"
	"github.com/faultline-lab/faultline/slo/specs"
)

// burn is the page of checkout's error budget on a running stack.
type burn struct {
	prometheus *query.Prometheus
	slo        model.SLO
	profile    profile.Profile
	pair       profile.Pair
	promise    burnrate.SLO
	alerts     string // asks whether it fires
}

func newBurn(t *testing.T, stack endpoints.Stack) burn {
	t.Helper()
	prometheus, err := query.NewPrometheus(query.Config{URL: stack.Endpoints.Prometheus})
	if err != nil {
		t.Fatal(err)
	}
	slo, err := specs.Find("checkout")
	if err != nil {
		t.Fatal(err)
	}
	p, err := profile.Get(profile.Demo)
	if err != nil {
		t.Fatal(err)
	}
	promise, err := burnrate.New(slo.For(p.Name), p.Period(slo.Period))
	if err != nil {
		t.Fatal(err)
	}
	alerts := fmt.Sprintf(`ALERTS{alertname=%q,alertstate="firing",severity="page"}`, rulefile.AlertName(slo))
	return burn{prometheus, slo, p, p.Fastest(), promise, alerts}
}

// check holds a trial, before which the page was silent, against it: it fires while the fault lasts, no later than an outage
// allows, and ends after it. A heal that was so quick that too few checkouts failed leaves it silent, as it should.
func (b burn) check(t *testing.T, r record.Record) {
	b.awaitSilence(t)
	fired, found := b.firstPoint(t, *r.Stages.Injected)
	enough := 1.5 * b.promise.Ratio(b.pair.BurnRate) * b.slo.Alerting.ExpectedRate * b.pair.Long.Seconds()
	if !found && float64(r.Failed) < enough {
		t.Logf("%d checkouts failed: too few for a page, which needs %.0f for sure", r.Failed, enough)
		return
	}
	if !found {
		t.Fatalf("%s never fired, although %d checkouts failed", rulefile.AlertName(b.slo), r.Failed)
	}
	t.Logf("%s fired %s after the injection, and is silent again; %d checkouts failed",
		rulefile.AlertName(b.slo), fired.Sub(*r.Stages.Injected), r.Failed)
	outage, _ := b.promise.Detect(1, []burnrate.Pair{burnrate.Pair(b.pair)})
	// The leak takes half a second to empty the pools, and a caller gives up after 0.4 s more; scrapes and evaluations
	// come once a second, on a machine that may be busy.
	if latest := r.Stages.FirstBad.Add(outage + b.profile.Hold + 5*time.Second); fired.After(latest) {
		t.Errorf("it fired at %s; want it before %s", fired, latest)
	}
}

// awaitSilence waits until the alert has ended: as long as the short window holds bad checkouts, and some more.
func (b burn) awaitSilence(t *testing.T) {
	t.Helper()
	for until := time.Now().Add(b.pair.Short + 15*time.Second); ; time.Sleep(500 * time.Millisecond) {
		firing, err := b.prometheus.Instant(t.Context(), b.alerts, time.Now())
		if err == nil && len(firing) == 0 {
			return
		}
		if time.Now().After(until) {
			t.Fatalf("%s has not ended: %v, %v", b.alerts, firing, err)
		}
	}
}

func (b burn) firstPoint(t *testing.T, since time.Time) (time.Time, bool) {
	t.Helper()
	series, err := b.prometheus.Range(t.Context(), b.alerts, since, time.Now(), time.Second)
	if err != nil {
		t.Fatal(err)
	}
	var first time.Time
	for _, s := range series {
		if at := s.Points[0].At; first.IsZero() || at.Before(first) {
			first = at
		}
	}
	return first, !first.IsZero()
}
