package closedloop

import (
	"fmt"
	"testing"
	"time"

	"github.com/faultline-lab/faultline/e2e/record"
	"github.com/faultline-lab/faultline/observability/endpoints"
	"github.com/faultline-lab/faultline/observability/query"
	"github.com/faultline-lab/faultline/slo/burnrate"
	"github.com/faultline-lab/faultline/slo/profile"
	"github.com/faultline-lab/faultline/slo/rulefile"
	"github.com/faultline-lab/faultline/slo/specs"
)

// checkBurn holds a trial against the page of checkout's error budget: it fires while the fault lasts, no later than an
// outage allows, and ends after it. A heal that was so quick that too few checkouts failed leaves it silent, as it should.
func checkBurn(t *testing.T, stack endpoints.Stack, r record.Record) {
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
	pair := p.Fastest()
	alerts := fmt.Sprintf(`ALERTS{alertname=%q,alertstate="firing",severity="page"}`, rulefile.AlertName(slo))
	awaitSilence(t, prometheus, alerts, pair.Short)

	fired, found := firstPoint(t, prometheus, alerts, r.Stages.Injected.Add(-5*time.Second))
	if enough := 1.5 * promise.Ratio(pair.BurnRate) * slo.Alerting.ExpectedRate * pair.Long.Seconds(); !found && float64(r.Failed) < enough {
		t.Logf("%d checkouts failed: too few for a page, which needs %.0f for sure", r.Failed, enough)
		return
	}
	if !found {
		t.Fatalf("%s never fired, although %d checkouts failed", rulefile.AlertName(slo), r.Failed)
	}
	t.Logf("%s fired %s after the injection, and is silent again; %d checkouts failed", rulefile.AlertName(slo), fired.Sub(*r.Stages.Injected), r.Failed)
	outage, _ := promise.Detect(1, []burnrate.Pair{burnrate.Pair(pair)})
	// The leak takes half a second to empty the pools, and a caller gives up after 0.4 s more; scrapes and evaluations
	// come once a second, on a machine that may be busy.
	if latest := r.Stages.FirstBad.Add(outage + 5*time.Second); fired.After(latest) || fired.Before(*r.Stages.Injected) {
		t.Errorf("it fired at %s; want it between the injection, %s, and %s", fired, *r.Stages.Injected, latest)
	}
}

// awaitSilence waits until the alert has ended: as long as the short window holds bad checkouts, and some more.
func awaitSilence(t *testing.T, prometheus *query.Prometheus, alerts string, short time.Duration) {
	t.Helper()
	for until := time.Now().Add(short + 15*time.Second); ; time.Sleep(500 * time.Millisecond) {
		firing, err := prometheus.Instant(t.Context(), alerts, time.Now())
		if err == nil && len(firing) == 0 {
			return
		}
		if time.Now().After(until) {
			t.Fatalf("%s has not ended: %v, %v", alerts, firing, err)
		}
	}
}

func firstPoint(t *testing.T, prometheus *query.Prometheus, alerts string, since time.Time) (time.Time, bool) {
	t.Helper()
	series, err := prometheus.Range(t.Context(), alerts, since, time.Now(), time.Second)
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
