package payments_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.opentelemetry.io/otel/metric/noop"

	"github.com/faultline-lab/faultline/apps/internal/apierror"
	"github.com/faultline-lab/faultline/apps/payments"
)

func provider(t *testing.T, maxKeys int) *payments.Provider {
	t.Helper()
	p, err := payments.NewProvider(payments.ProviderConfig{
		Latency: func() time.Duration { return 80 * time.Millisecond }, LimitCents: 1000, MaxKeys: maxKeys,
		MeterProvider: noop.NewMeterProvider(),
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func payment(cents int64) payments.Payment {
	return payments.Payment{OrderID: "o-1", AmountCents: cents, Customer: "c-17"}
}

func TestOneKeyIsOneAuthorisationHoweverOftenAndWheneverItIsAskedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := provider(t, 10)
		began := time.Now()
		ids := make(chan string, 3)
		var askers sync.WaitGroup
		for i := range 3 {
			askers.Go(func() {
				time.Sleep(time.Duration(i) * 30 * time.Millisecond)
				id, err := p.Authorize(context.Background(), "k", payment(500))
				if err != nil {
					t.Error(err)
				}
				ids <- id
			})
		}
		askers.Wait()
		if took := time.Since(began); took != 80*time.Millisecond {
			t.Errorf("took %s, want the one payment's 80ms", took)
		}
		if a, b, c := <-ids, <-ids, <-ids; a == "" || a != b || b != c {
			t.Errorf("got %q, %q and %q for one key", a, b, c)
		}
	})
}

func TestACallerThatGoesAwayDoesNotStopThePayment(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := provider(t, 10)
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
		defer cancel()
		if _, err := p.Authorize(ctx, "k", payment(500)); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("got %v, want the deadline", err)
		}
		time.Sleep(time.Second)
		began := time.Now()
		if _, err := p.Authorize(context.Background(), "k", payment(500)); err != nil || time.Since(began) != 0 {
			t.Errorf("%v after %s, want the answer that is there already", err, time.Since(began))
		}
	})
}

func TestRefusals(t *testing.T) {
	tests := []struct {
		name    string
		key     string
		payment payments.Payment
		code    apierror.Code
	}{
		{"an amount above the limit is declined", "a", payment(1001), apierror.Unprocessable},
		{"a key stands for one payment only", "taken", payment(7), apierror.Unprocessable},
		{"no key", "", payment(1), apierror.BadRequest},
		{"no order", "b", payments.Payment{AmountCents: 1, Customer: "c"}, apierror.BadRequest},
		{"a negative amount", "c", payment(-1), apierror.BadRequest},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := provider(t, 10)
				if _, err := p.Authorize(context.Background(), "taken", payment(1000)); err != nil {
					t.Fatal(err)
				}
				if _, err := p.Authorize(context.Background(), tt.key, tt.payment); !apierror.Is(err, tt.code) {
					t.Errorf("got %v, want %s", err, tt.code)
				}
			})
		})
	}
}

func TestTheOldestKeyIsForgottenFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := provider(t, 3)
		ids := map[string]string{}
		ask := func(key string) string {
			id, err := p.Authorize(context.Background(), key, payment(1))
			if err != nil {
				t.Fatal(err)
			}
			return id
		}
		for i := range 4 {
			key := fmt.Sprint(i)
			ids[key] = ask(key)
		}
		for _, key := range []string{"3", "2", "1"} {
			if ask(key) != ids[key] {
				t.Errorf("key %s was forgotten", key)
			}
		}
		if ask("0") == ids["0"] {
			t.Error("the oldest key was kept beyond the bound")
		}
	})
}

func TestLatencyIsTypicalMostlyAndNeverWild(t *testing.T) {
	var at []time.Duration
	for i := -400; i <= 400; i++ {
		at = append(at, payments.Latency(80*time.Millisecond, func() float64 { return float64(i) / 10 })())
	}
	if slices.Min(at) != 40*time.Millisecond || slices.Max(at) != 160*time.Millisecond {
		t.Errorf("between %s and %s, want 40ms to 160ms", slices.Min(at), slices.Max(at))
	}
	if middle := at[400]; middle != 80*time.Millisecond {
		t.Errorf("typically %s, want 80ms", middle)
	}
	// 2.326 is the 99th percentile of the normal distribution.
	p99 := payments.Latency(80*time.Millisecond, func() float64 { return 2.326 })()
	if math.Abs(p99.Seconds()-0.1058) > 0.0005 {
		t.Errorf("99 of 100 within %s, want about 106ms", p99)
	}
}
