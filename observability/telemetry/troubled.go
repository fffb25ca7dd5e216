package telemetry

import (
	"log/slog"
	"net/http"
	"time"
)

// logTroubled leaves a line about each request that failed or was slow, so that its trace has one: who looks at a slow
// trace, or an exemplar of one, finds something in the logs. What goes well is the business of the program.
func (t *Telemetry) logTroubled(w *watchedWriter, r *http.Request, took time.Duration) {
	if w.status == 0 {
		w.status = http.StatusOK // net/http's answer for a handler that says nothing
	}
	switch {
	case w.status >= http.StatusInternalServerError:
		t.logger.LogAttrs(r.Context(), slog.LevelWarn, "request failed", about(w, r, took)...)
	case took > t.slow && !w.streamed:
		t.logger.LogAttrs(r.Context(), slog.LevelWarn, "request slow", about(w, r, took)...)
	}
}

func about(w *watchedWriter, r *http.Request, took time.Duration) []slog.Attr {
	return []slog.Attr{
		slog.String("method", r.Method), slog.String("route", r.Pattern), slog.Int("status", w.status),
		slog.Float64("duration_ms", float64(took.Microseconds())/1000),
	}
}

// watchedWriter notes what was answered. An answer that is flushed in pieces is a stream, whose length says nothing.
type watchedWriter struct {
	http.ResponseWriter
	status   int
	streamed bool
}

func (w *watchedWriter) WriteHeader(status int) {
	if w.status == 0 && status >= http.StatusOK { // 1xx are followed by another one
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *watchedWriter) Write(p []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	return w.ResponseWriter.Write(p)
}

func (w *watchedWriter) Flush() {
	w.streamed = true
	if flusher, ok := w.ResponseWriter.(http.Flusher); ok {
		flusher.Flush()
	}
}

// Unwrap is for http.ResponseController.
func (w *watchedWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
