package engine_test

import (
	"context"
	"slices"
	"testing"
	"time"
)

// BenchmarkWebhookToAction measures, in real time and with the store on a real disk, from an alert that is being saved to
// the request for a restart: correlation, one gathering, diagnosis, guards, the second look and all that is recorded.
func BenchmarkWebhookToAction(b *testing.B) {
	var took []time.Duration
	for b.Loop() {
		b.StopTimer()
		w := newWorld("orders-1", "orders-2")
		w.begun = time.Now().Add(-10 * time.Second)
		for _, id := range w.order {
			w.replicas[id].lives[0].leaked = time.Now().Add(-3 * time.Second)
		}
		acted := make(chan time.Time, 1)
		w.before = func(string) {
			select {
			case acted <- time.Now():
			default: // only the first restart counts
			}
		}
		c := newClinic(b, w)
		c.start(context.Background())
		b.StartTimer()
		begun := time.Now()
		c.alert("ConnectionPoolExhausted", "orders")
		select {
		case at := <-acted:
			took = append(took, at.Sub(begun))
		case <-time.After(30 * time.Second):
			b.Fatal("nothing was done within 30 s")
		}
		b.StopTimer()
		c.close()
		b.StartTimer()
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms")
	b.ReportMetric(float64(took[len(took)*95/100].Microseconds())/1000, "p95-ms")
}
