package control

import (
	"encoding/binary"
	"math/rand/v2"
	"net/http"

	"go.opentelemetry.io/otel/trace"
)

// quiet keeps reads out of the trace store, where polls that come every second (Prometheus', storefront's) would push out
// the orders; they are still measured. A change has its span, and so has a read whose caller traces it: its traceparent
// outweighs what is said here.
func quiet(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet || r.Method == http.MethodHead {
			r = r.WithContext(trace.ContextWithRemoteSpanContext(r.Context(), unsampled()))
		}
		next.ServeHTTP(w, r)
	})
}

// unsampled is a caller who decided against a trace.
func unsampled() trace.SpanContext {
	var id trace.TraceID
	binary.NativeEndian.PutUint64(id[:8], rand.Uint64())
	binary.NativeEndian.PutUint64(id[8:], rand.Uint64())
	var span trace.SpanID
	binary.NativeEndian.PutUint64(span[:], rand.Uint64())
	return trace.NewSpanContext(trace.SpanContextConfig{TraceID: id, SpanID: span, Remote: true})
}
