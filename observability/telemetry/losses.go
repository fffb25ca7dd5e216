package telemetry

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	sdklog "go.opentelemetry.io/otel/sdk/log"
)

// mentionEvery is how often a backend that stays dead is mentioned in the written lines.
const mentionEvery = time.Minute

// losses counts what could not be exported and mentions it now and then. No error reaches the SDK, which would hand it
// to a global handler, which writes a line for each.
type losses struct {
	lost  *prometheus.CounterVec
	lines *slog.Logger // the written lines only: a dead Loki cannot be told about itself

	mu        sync.Mutex
	mentioned map[string]time.Time
}

func newLosses(registerer prometheus.Registerer, lines *slog.Logger) (*losses, error) {
	l := &losses{
		lost: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "telemetry_lost_records_total",
			Help: "Spans and log records that were given up because their backend did not take them.",
		}, []string{"signal"}),
		lines:     lines,
		mentioned: map[string]time.Time{},
	}
	for _, signal := range []string{"traces", "logs"} {
		l.lost.WithLabelValues(signal)
	}
	return l, registerer.Register(l.lost)
}

func (l *losses) count(signal string, records int, err error) {
	if err == nil || records == 0 {
		return
	}
	l.lost.WithLabelValues(signal).Add(float64(records))

	l.mu.Lock()
	due := time.Since(l.mentioned[signal]) >= mentionEvery
	if due {
		l.mentioned[signal] = time.Now()
	}
	l.mu.Unlock()
	if due {
		l.lines.Warn("telemetry is not taken by its backend; the program goes on without it",
			"signal", signal, "lost", records, "error", err.Error())
	}
}

// logExporter keeps an exporter's errors to itself.
type logExporter struct {
	sdklog.Exporter
	losses *losses
}

func (e logExporter) Export(ctx context.Context, records []sdklog.Record) error {
	e.losses.count("logs", len(records), e.Exporter.Export(ctx, records))
	return nil
}
