package payments_test

import (
	"context"
	"testing"
	"time"

	"github.com/faultline-lab/faultline/apps/internal/metrictest"
	"github.com/faultline-lab/faultline/apps/internal/postgrestest"
	"github.com/faultline-lab/faultline/apps/payments"
)

func TestAuthorisationsAreCountedByWhatBecameOfThem(t *testing.T) {
	const ok, again, no = `payments_authorizations_total{result="authorized"}`, `payments_authorizations_total{result="repeated"}`, `payments_authorizations_total{result="declined"}`
	page := metrictest.New(t)
	p, err := payments.NewProvider(payments.ProviderConfig{
		Latency: func() time.Duration { return 10 * time.Millisecond }, LimitCents: 1000, MaxKeys: 10, MeterProvider: page.MeterProvider(),
	})
	if err != nil {
		t.Fatal(err)
	}
	page.Expect(t, map[string]float64{ok: 0, again: 0, no: 0})
	ask := func(ctx context.Context, key string, cents int64) { _, _ = p.Authorize(ctx, key, payment(cents)) }
	ask(t.Context(), "a", 500)
	ask(t.Context(), "a", 500)
	ask(t.Context(), "b", 5000)
	page.Expect(t, map[string]float64{ok: 1, again: 1, no: 1})

	gone, leave := context.WithCancel(t.Context())
	leave()
	ask(gone, "c", 500)
	postgrestest.Eventually(t, "a payment whose caller has gone is made all the same, and counted", func() bool { return page.Value(t, ok) == 2 })
}
