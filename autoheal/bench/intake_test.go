package bench

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/autoheal/store"
)

const (
	// manyAlerts is the payload that must be on disk and answered within answerWithin, by a process that never has more than
	// atMost bytes in RAM.
	manyAlerts   = 10_000
	answerWithin = 2 * time.Second
	atMost       = 100 << 20
)

// payload is Alertmanager's webhook with alerts as ours are: eight labels, three annotations.
func payload(from, n int, at time.Time) []byte {
	var b bytes.Buffer
	b.WriteString(`{"version":"4","groupKey":"{}:{workload=\"orders\"}","truncatedAlerts":0,"status":"firing","receiver":"autoheal","alerts":[`)
	for i := from; i < from+n; i++ {
		if i > from {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"status":"firing","startsAt":%q,"endsAt":"0001-01-01T00:00:00Z","generatorURL":"http://prometheus:9090/graph?g0.expr=x","fingerprint":"%016x",
"labels":{"alertname":"ConnectionPoolExhausted","workload":"orders","job":"orders","instance":"orders-%d","pool":"orders","severity":"page","version":"v1","replica":"prometheus-0"},
"annotations":{"summary":"The pool orders of orders-%d has no idle connection, and callers give up waiting.","runbook":"docs/faults/connection-leak.md","dashboard":"/d/faultline-pool"}}`,
			at.UTC().Format(time.RFC3339Nano), i, i, i)
	}
	b.WriteString("]}")
	return b.Bytes()
}

// BenchmarkTenThousandAlertsInOneWebhook sends them to a healer that has just started, and lets it open an incident of them:
// the peak is that of the whole process over the next seconds, in which it gathers evidence and gives the incident to a person.
func BenchmarkTenThousandAlertsInOneWebhook(b *testing.B) {
	var slowest time.Duration
	var peak int64
	for b.Loop() {
		b.StopTimer()
		h := start(b)
		body := payload(0, manyAlerts, time.Now())
		b.StartTimer()
		begun := time.Now()
		status := h.post(b, body)
		took := time.Since(begun)
		b.StopTimer()
		if status != http.StatusAccepted {
			b.Fatalf("answered %d", status)
		}
		h.ended(b, 1)
		slowest, peak = max(slowest, took), max(peak, h.peak(b))
		h.stop(b)
		if n := kept(b, h.storePath); n != manyAlerts {
			b.Fatalf("%d of %d are on disk", n, manyAlerts)
		}
		b.StartTimer()
	}
	b.ReportMetric(slowest.Seconds()*1000, "slowest-ms")
	b.ReportMetric(float64(peak)/(1<<20), "peak-MB")
	if slowest > answerWithin {
		b.Errorf("the slowest answer took %s; at most %s", slowest, answerWithin)
	}
	if peak > atMost {
		b.Errorf("it had %d bytes in RAM at most; it may have %d", peak, int64(atMost))
	}
}

// BenchmarkAlertsASecondWhileIncidentsAreOpen has four senders that wait for each answer, with 50 alerts in a webhook, all of
// them new. Whatever was answered 202 must be on disk when the process was killed.
func BenchmarkAlertsASecondWhileIncidentsAreOpen(b *testing.B) {
	const senders, inOne, lasts = 4, 50, 10 * time.Second
	for b.Loop() {
		h := start(b)
		h.post(b, payload(1<<30, 1, time.Now())) // an incident is open from the start
		var taken, refused atomic.Int64
		begun := time.Now()
		var all sync.WaitGroup
		for sender := range senders {
			all.Go(func() {
				for i := 0; time.Since(begun) < lasts; i++ {
					if h.post(b, payload(sender<<24+i*inOne, inOne, time.Now())) == http.StatusAccepted {
						taken.Add(inOne)
					} else {
						refused.Add(inOne)
					}
				}
			})
		}
		all.Wait()
		took := time.Since(begun)
		peak := h.peak(b)
		h.kill(b)
		if n := kept(b, h.storePath); int64(n) != taken.Load()+1 {
			b.Fatalf("%d were answered 202 and %d are on disk", taken.Load()+1, n)
		}
		b.ReportMetric(float64(taken.Load())/took.Seconds(), "alerts/s")
		b.ReportMetric(float64(refused.Load()), "refused")
		b.ReportMetric(float64(peak)/(1<<20), "peak-MB")
	}
}

// kept counts the alerts in a store that nobody uses any more.
func kept(b *testing.B, path string) int {
	b.Helper()
	s, err := store.Open(b.Context(), store.Config{Path: path})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	seen := map[string]bool{}
	waiting, err := s.Waiting(b.Context(), math.MaxInt32)
	if err != nil {
		b.Fatal(err)
	}
	add := func(alerts []incident.Alert) {
		for _, a := range alerts {
			seen[a.Fingerprint] = true
		}
	}
	add(waiting)
	incidents, err := s.List(b.Context(), time.Time{})
	if err != nil {
		b.Fatal(err)
	}
	for _, in := range incidents {
		add(in.Alerts)
	}
	return len(seen)
}

func (h *healer) post(b *testing.B, body []byte) int {
	req, err := http.NewRequestWithContext(b.Context(), http.MethodPost, h.url+"/webhook/alertmanager", bytes.NewReader(body))
	if err != nil {
		b.Error(err)
		return 0
	}
	req.Header.Set("Authorization", "Bearer "+secret)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		b.Error(err)
		return 0
	}
	defer res.Body.Close()
	_, _ = io.Copy(io.Discard, res.Body) // only the status is of interest
	return res.StatusCode
}
