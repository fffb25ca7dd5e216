package telemetry

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"
	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"
)

// Middleware makes a server span and http.server.request.duration of each request, both named after the route that
// matched, never after the path. Answers of 500 and above mark the span as an error.
//
// It may stand around a chi router or in its Use list (or around a net/http.ServeMux). Put it outside of what recovers
// from panics, so that it sees the answer. The pages that machines ask every second are left out. A request that fails,
// or takes longer than Config.SlowRequest, leaves a log line.
func (t *Telemetry) Middleware(next http.Handler) http.Handler {
	if t.off {
		return next
	}
	return otelhttp.NewHandler(t.withRoute(next), "",
		otelhttp.WithTracerProvider(t.traces),
		otelhttp.WithMeterProvider(t.metrics),
		otelhttp.WithPropagators(t.propagator),
		otelhttp.WithFilter(worthSeeing),
		otelhttp.WithSpanNameFormatter(spanName))
}

func worthSeeing(r *http.Request) bool {
	switch r.URL.Path {
	case "/metrics", "/livez", "/readyz":
		return false
	}
	return true
}

// spanName is "POST /orders/{id}" once the route is known. otelhttp asks before the request and again after it.
func spanName(_ string, r *http.Request) string {
	if r.Pattern == "" {
		return r.Method
	}
	return r.Method + " " + r.Pattern
}

// withRoute tells otelhttp, through the request's Pattern, which route matched. chi notes the pattern only in its own
// copy of the request and in its routing context; so the context is made here, where it can still be read afterwards.
func (t *Telemetry) withRoute(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !worthSeeing(r) {
			next.ServeHTTP(w, r)
			return
		}
		began, watched := time.Now(), &watchedWriter{ResponseWriter: w}
		inner := r
		route := chi.RouteContext(r.Context())
		if route == nil {
			route = chi.NewRouteContext()
			if routes, ok := next.(chi.Routes); ok {
				route.Routes = routes
			}
			inner = r.WithContext(context.WithValue(r.Context(), chi.RouteCtxKey, route))
		}
		next.ServeHTTP(watched, inner)

		if pattern := route.RoutePattern(); pattern != "" {
			r.Pattern = pattern
		} else {
			r.Pattern = pathOf(inner.Pattern)
		}
		if r.Pattern != "" {
			trace.SpanFromContext(r.Context()).SetAttributes(semconv.HTTPRoute(r.Pattern))
		}
		t.logTroubled(watched, r, time.Since(began))
	})
}

// pathOf strips the method and host of a net/http.ServeMux pattern ("GET /orders/{id}").
func pathOf(pattern string) string {
	if slash := strings.IndexByte(pattern, '/'); slash >= 0 {
		return pattern[slash:]
	}
	return pattern
}

// Transport makes a client span and http.client.request.duration of each call, and carries traceparent to the other
// side. A nil base means http.DefaultTransport.
func (t *Telemetry) Transport(base http.RoundTripper) http.RoundTripper {
	if base == nil {
		base = http.DefaultTransport
	}
	if t.off {
		return base
	}
	return otelhttp.NewTransport(base,
		otelhttp.WithTracerProvider(t.traces),
		otelhttp.WithMeterProvider(t.metrics),
		otelhttp.WithPropagators(t.propagator),
		otelhttp.WithSpanNameFormatter(func(_ string, r *http.Request) string { return r.Method }))
}
