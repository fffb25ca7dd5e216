package payments_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/faultline-lab/faultline/apps/internal/metrictest"
	"github.com/faultline-lab/faultline/apps/payments"
)

// slow is a provider of 80 ms behind its HTTP API.
type slow struct {
	http.Handler
	metrictest.Page
}

func newSlow(t *testing.T) slow {
	t.Helper()
	page := metrictest.New(t)
	extra, err := payments.NewExtraLatency(page.MeterProvider())
	if err != nil {
		t.Fatal(err)
	}
	p, err := payments.NewProvider(payments.ProviderConfig{
		Latency:    extra.OnTopOf(func() time.Duration { return 80 * time.Millisecond }),
		LimitCents: 1000, MaxKeys: 10, MeterProvider: page.MeterProvider(),
	})
	if err != nil {
		t.Fatal(err)
	}
	return slow{payments.Handler(p, extra, payments.NewFailing(), slog.New(slog.DiscardHandler), time.Second), page}
}

func (s slow) ask(method, path, key, body string) (status int, text string) {
	request := httptest.NewRequestWithContext(context.Background(), method, path, strings.NewReader(body))
	request.Header.Set("Idempotency-Key", key)
	answer := httptest.NewRecorder()
	s.ServeHTTP(answer, request)
	return answer.Code, strings.TrimSpace(answer.Body.String())
}

// pay says how long a payment took.
func (s slow) pay(t *testing.T, key string) time.Duration {
	t.Helper()
	begun := time.Now()
	if status, text := s.ask(http.MethodPost, "/authorizations", key, `{"order_id":"o-1","amount_cents":500,"customer":"c-1"}`); status != http.StatusCreated {
		t.Fatalf("%d %s", status, text)
	}
	return time.Since(begun)
}

func TestExtraLatencyLastsAsLongAsItWasAskedForAndEndsByItself(t *testing.T) {
	const gauge = "payments_extra_latency_seconds"
	s := newSlow(t)
	synctest.Test(t, func(t *testing.T) {
		if took := s.pay(t, "before"); took != 80*time.Millisecond {
			t.Errorf("usually %s", took)
		}
		status, text := s.ask(http.MethodPut, "/v1/latency", "", `{"extra_ms":300,"for":"60s"}`)
		if want := `{"extra_ms":300,"until":"` + time.Now().Add(time.Minute).UTC().Format(time.RFC3339Nano) + `"}`; status != http.StatusOK || text != want {
			t.Errorf("%d %s, want %s", status, text, want)
		}
		if took := s.pay(t, "slow"); took != 380*time.Millisecond {
			t.Errorf("with 300 ms on top it took %s", took)
		}
		s.Expect(t, map[string]float64{gauge: 0.3})
		time.Sleep(time.Minute)
		if took := s.pay(t, "after"); took != 80*time.Millisecond {
			t.Errorf("nobody ended it, and after its time a payment took %s", took)
		}
		s.Expect(t, map[string]float64{gauge: 0})
		if status, text := s.ask(http.MethodGet, "/v1/latency", "", ""); status != http.StatusOK || text != `{"extra_ms":0}` {
			t.Errorf("%d %s", status, text)
		}
	})
}

func TestExtraLatencyIsEndedByZero(t *testing.T) {
	s := newSlow(t)
	synctest.Test(t, func(t *testing.T) {
		s.ask(http.MethodPut, "/v1/latency", "", `{"extra_ms":300,"for":"60s"}`)
		if status, text := s.ask(http.MethodPut, "/v1/latency", "", `{"extra_ms":0}`); status != http.StatusOK || text != `{"extra_ms":0}` {
			t.Errorf("%d %s", status, text)
		}
		if took := s.pay(t, "k"); took != 80*time.Millisecond {
			t.Errorf("took %s", took)
		}
	})
}

func TestExtraLatencyThatCannotBeHad(t *testing.T) {
	s := newSlow(t)
	for body, want := range map[string]int{
		`{"extra_ms":300}`:                  http.StatusBadRequest, // for ever is not to be had
		`{"extra_ms":300,"for":"16m"}`:      http.StatusBadRequest,
		`{"extra_ms":300,"for":"-1s"}`:      http.StatusBadRequest,
		`{"for":"60s"}`:                     http.StatusBadRequest,
		`hello`:                             http.StatusBadRequest,
		`{"extra_ms":-1,"for":"60s"}`:       http.StatusUnprocessableEntity,
		`{"extra_ms":9999999,"for":"60s"}`:  http.StatusUnprocessableEntity,
		`{"extra_ms":"300ms","for":"60s"}`:  http.StatusBadRequest,
		`{"extra_ms":300.5,"for":"1000ms"}`: http.StatusBadRequest,
	} {
		if status, text := s.ask(http.MethodPut, "/v1/latency", "", body); status != want || !strings.Contains(text, `"message"`) {
			t.Errorf("%s: %d %s, want %d", body, status, text, want)
		}
	}
	if _, text := s.ask(http.MethodGet, "/v1/latency", "", ""); text != `{"extra_ms":0}` {
		t.Errorf("a refused change left %s", text)
	}
}
