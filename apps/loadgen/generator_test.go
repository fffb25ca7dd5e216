package loadgen

import (
	"context"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.opentelemetry.io/otel/trace"
)

// shop answers after a time that the test decides, in virtual time.
type shop struct {
	mu       sync.Mutex
	checkout func(sent time.Time) (time.Duration, int)
	sent     []time.Time
	browsed  int
}

func (s *shop) Checkout(ctx context.Context, _ Checkout) (int, trace.SpanContext) {
	now := time.Now()
	s.mu.Lock()
	s.sent = append(s.sent, now)
	s.mu.Unlock()
	took, status := s.checkout(now)
	// Like a real client, it gives up at its deadline.
	if took > ClientDeadline {
		took, status = ClientDeadline, 0
	}
	if !sleepUntil(ctx, now.Add(took)) {
		return 0, trace.SpanContext{}
	}
	return status, spanOf(7)
}

func (s *shop) Browse(context.Context, string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.browsed++
	return 200
}

type observer struct {
	mu     sync.Mutex
	ended  int
	unsent int
	latest time.Duration
}

func (o *observer) CheckoutEnded(a Answer, lateness time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.ended++
	if a.Unsent {
		o.unsent++
	}
	o.latest = max(o.latest, lateness)
}
func (*observer) BrowseEnded(int)            {}
func (*observer) ClockStepped(time.Duration) {}

// world is a generator whose seconds are kept.
type world struct {
	*Generator
	shop     *shop
	observer *observer
	history  *History
}

func newWorld(t *testing.T, checkout func(time.Time) (time.Duration, int)) *world {
	t.Helper()
	w := &world{shop: &shop{checkout: checkout}, observer: &observer{}, history: NewHistory()}
	var err error
	w.Generator, err = NewGenerator(GeneratorConfig{
		Shop: w.shop, Observer: w.observer, Finished: w.history.Add,
		Rate: 40, Browse: 5, Customers: 10, Products: 10, MaxInFlight: 1000,
	})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// run lets that much virtual time pass and returns the seconds that were finished.
func (w *world) run(d time.Duration) []Second {
	ctx, cancel := context.WithTimeout(context.Background(), d)
	defer cancel()
	w.Generator.Run(ctx)
	synctest.Wait()
	seconds, _ := w.history.From(time.Time{})
	return seconds
}

// quick is a shop that is well.
func quick(time.Time) (time.Duration, int) { return 100 * time.Millisecond, 201 }

func TestAShopThatIsWellGetsAConstantRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		w := newWorld(t, quick)
		seconds := w.run(10*time.Second + 500*time.Millisecond)
		if len(seconds) != 9 { // it starts at the next whole second, and the tenth was cut short
			t.Fatalf("%d seconds", len(seconds))
		}
		for n, s := range seconds {
			want := Second{Second: begun.Add(time.Duration(n+1) * time.Second).UTC().Round(0), Sent: 40, Good: 40, OK: true, P50Millis: 100, P99Millis: 100}
			if !s.Second.Equal(want.Second) || s.Sent != 40 || s.Good != 40 || !s.OK || s.P50Millis != 100 || s.P99Millis != 100 {
				t.Errorf("second %d: %+v", n, s)
			}
		}
		if w.shop.browsed < 45 || w.shop.browsed > 48 {
			t.Errorf("%d product pages in 9.5 s, want 5 a second", w.shop.browsed)
		}
	})
}

func TestAStalledShopDoesNotSlowTheArrivals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		from := time.Now().Add(3 * time.Second)
		to := from.Add(2 * time.Second)
		w := newWorld(t, func(sent time.Time) (time.Duration, int) {
			if !sent.Before(from) && sent.Before(to) {
				return time.Hour, 201
			}
			return quick(sent)
		})
		seconds := w.run(9 * time.Second)
		if len(w.shop.sent) < 8*40-1 {
			t.Errorf("%d requests were sent in 8 s, want 40 a second", len(w.shop.sent))
		}
		for n, s := range seconds {
			stalled := n == 2 || n == 3
			switch {
			case stalled && (s.Failed != 40 || s.OK || s.P50Millis != 1000 || len(s.FailedTraceIDs) != 5):
				t.Errorf("stalled second: %+v", s)
			case !stalled && (s.Good != 40 || !s.OK):
				t.Errorf("second %d: %+v", n, s)
			}
		}
	})
}

func TestALateProcessSendsEverythingLateAndLatencyShowsIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, quick)
		missed := time.Now()
		time.Sleep(3 * time.Second) // held up, by a stop signal or a busy machine
		var flights sync.WaitGroup
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		w.second(ctx, missed, &flights)
		flights.Wait()
		seconds, _ := w.history.From(time.Time{})
		if len(w.shop.sent) != 40 || len(seconds) != 1 {
			t.Fatalf("%d requests in %d seconds, want all 40 of the second that was missed", len(w.shop.sent), len(seconds))
		}
		if s := seconds[0]; s.Slow != 40 || s.OK || s.P50Millis < 2500 || s.P99Millis > 3100 {
			t.Errorf("got %+v, want every checkout slow by the time it was late", s)
		}
		if w.observer.latest < 2900*time.Millisecond {
			t.Errorf("lateness %s", w.observer.latest)
		}
	})
}

func TestWhatFindsTooManyInFlightFailsAndIsNotSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, func(time.Time) (time.Duration, int) { return time.Hour, 201 })
		w.config.MaxInFlight = 10
		for range 990 {
			<-w.free
		}
		seconds := w.run(4 * time.Second)
		// 10 fly for 1.0 s each, so 10 of the 40 of each second are sent.
		if s := seconds[0]; s.Sent != 40 || s.Failed != 40 || s.OK || w.observer.unsent < 50 {
			t.Errorf("got %+v, %d unsent", s, w.observer.unsent)
		}
		if w.InFlight() != 0 {
			t.Errorf("%d are in flight after the end", w.InFlight())
		}
	})
}

func TestANewRateHoldsFromTheNextWholeSecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, quick)
		time.AfterFunc(2500*time.Millisecond, func() {
			if err := w.SetRate(0, 0); err != nil {
				t.Error(err)
			}
		})
		time.AfterFunc(4500*time.Millisecond, func() {
			if err := w.SetRate(100, 0); err != nil {
				t.Error(err)
			}
		})
		var sent []int
		var oks []bool
		for _, s := range w.run(7 * time.Second) {
			sent, oks = append(sent, s.Sent), append(oks, s.OK)
		}
		want := []int{40, 40, 0, 0, 100, 100}
		for n := range min(len(sent), len(want)) {
			if sent[n] != want[n] || oks[n] != (want[n] > 0) {
				t.Errorf("sent %v with ok %v, want %v; a second in which nothing was sent is not ok", sent, oks, want)
				break
			}
		}
		if len(sent) < 5 {
			t.Errorf("%d seconds: a second in which nothing is sent is a second too", len(sent))
		}
		for _, rate := range []int{-1, MaxRate + 1} {
			if w.SetRate(rate, 0) == nil || w.Rate() != 100 {
				t.Errorf("rate %d was taken", rate)
			}
		}
	})
}

func TestARateThatWasSetForATimeReturnsByItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, quick)
		time.AfterFunc(2500*time.Millisecond, func() {
			if err := w.SetRate(100, 3*time.Second); err != nil {
				t.Error(err)
			}
		})
		var sent []int
		for _, s := range w.run(8*time.Second + 500*time.Millisecond) {
			sent = append(sent, s.Sent)
		}
		if want := []int{40, 40, 100, 100, 100, 40, 40}; !slices.Equal(sent, want) {
			t.Errorf("sent %v, want %v", sent, want)
		}
	})
}

func TestAGeneratorSaysWhatItIsMissing(t *testing.T) {
	whole := GeneratorConfig{Shop: &shop{}, Observer: &observer{}, Finished: func(Second) {}, Customers: 1, Products: 1, MaxInFlight: 1}
	for name, spoil := range map[string]func(*GeneratorConfig){
		"no shop":                func(c *GeneratorConfig) { c.Shop = nil },
		"no observer":            func(c *GeneratorConfig) { c.Observer = nil },
		"nobody for the seconds": func(c *GeneratorConfig) { c.Finished = nil },
		"a negative rate":        func(c *GeneratorConfig) { c.Rate = -1 },
		"too much browsing":      func(c *GeneratorConfig) { c.Browse = MaxRate + 1 },
		"no customers":           func(c *GeneratorConfig) { c.Customers = 0 },
		"nothing in flight":      func(c *GeneratorConfig) { c.MaxInFlight = 0 },
	} {
		t.Run(name, func(t *testing.T) {
			config := whole
			spoil(&config)
			if _, err := NewGenerator(config); err == nil {
				t.Error("want an error")
			}
		})
	}
	if _, err := NewGenerator(whole); err != nil {
		t.Error(err)
	}
}
