package service_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/faultline-lab/faultline/apps/internal/apierror"
	"github.com/faultline-lab/faultline/apps/internal/service"
)

// records are the log lines of a service, parsed.
func (r *running) records(t *testing.T) (all []map[string]any) {
	t.Helper()
	for line := range strings.Lines(r.log.String()) {
		var record map[string]any
		if err := json.Unmarshal([]byte(line), &record); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		all = append(all, record)
	}
	return all
}

func (r *running) record(t *testing.T, message string) map[string]any {
	t.Helper()
	for deadline := time.Now().Add(15 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		for _, record := range r.records(t) {
			if record["msg"] == message {
				return record
			}
		}
	}
	t.Fatalf("no line says %q:\n%s", message, r.log)
	return nil
}

func TestWhatAnAttackerSendsMakesNoSeriesOfItsOwn(t *testing.T) {
	r := start(t, func(*service.Service, *running) http.Handler {
		routes := chi.NewRouter()
		routes.Get("/orders/{id}", func(http.ResponseWriter, *http.Request) {})
		return routes
	})
	for i := range 50 {
		tail := strings.Repeat("zebra", i+1)
		for _, about := range []struct{ method, path string }{
			{"FOO" + tail, "/orders/1"}, {http.MethodGet, "/no/" + tail}, {http.MethodGet, "/orders/" + tail}, {http.MethodPost, "/" + tail},
		} {
			request, err := http.NewRequestWithContext(t.Context(), about.method, r.url+about.path, nil)
			if err != nil {
				t.Fatal(err)
			}
			request.Host = tail + ".example"
			response, err := http.DefaultClient.Do(request)
			if err != nil {
				t.Fatal(err)
			}
			response.Body.Close()
		}
	}
	_, page := get(t, r.url+"/metrics")
	if n := strings.Count(page, "http_server_request_duration_seconds_count{"); n > 6 {
		t.Errorf("%d series for one route:\n%s", n, page)
	}
	if strings.Contains(page, "zebra") || !strings.Contains(page, `http_request_method="_OTHER"`) {
		t.Errorf("want an unknown method as _OTHER, and nothing that the caller made up:\n%s", page)
	}
}

func TestAStreamIsNotMeasuredAmongTheRequests(t *testing.T) {
	r := start(t, func(s *service.Service, _ *running) http.Handler {
		s.Streams(func(r *http.Request) bool { return r.URL.Query().Get("follow") == "true" })
		routes := chi.NewRouter()
		routes.Get("/seconds", func(http.ResponseWriter, *http.Request) {})
		return routes
	})
	get(t, r.url+"/seconds?follow=true")
	get(t, r.url+"/seconds?follow=true")
	get(t, r.url+"/seconds")
	if _, page := get(t, r.url+"/metrics"); !strings.Contains(page, `http_route="/seconds"} 1`+"\n") {
		t.Errorf("want one request measured:\n%s", page)
	}
}

func TestAJobsLinesPointToNoTraceAndItsPollsAreNotSampled(t *testing.T) {
	other, parents := neighbour(t)
	r := start(t, func(s *service.Service, _ *running) http.Handler {
		s.Background("poll", func(ctx context.Context) error {
			request, err := http.NewRequestWithContext(service.Untraced(ctx), http.MethodGet, other, nil)
			if err != nil {
				return err
			}
			response, err := s.Telemetry.Transport(nil).RoundTrip(request)
			if err != nil {
				return err
			}
			response.Body.Close()
			s.Log.InfoContext(ctx, "polled")
			<-ctx.Done()
			return nil
		})
		return http.NotFoundHandler()
	})
	if parent := <-parents; !strings.HasSuffix(parent, "-00") {
		t.Errorf("the other side was told %q, want a trace that is not sampled", parent)
	}
	if id, there := r.record(t, "polled")["trace_id"]; there {
		t.Errorf("the line points to trace %v, which is nowhere", id)
	}
}

func TestWhatTheServerSaysOfItselfIsOneMessage(t *testing.T) {
	r := start(t, func(*service.Service, *running) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "many")
		})
	})
	get(t, r.url+"/x")
	if said, _ := r.record(t, "http server complained")["error"].(string); !strings.Contains(said, "invalid Content-Length") {
		t.Errorf("the line does not have the server's words: %q", said)
	}
}

// neighbour is a service that tells which traceparent it was called with.
func neighbour(t *testing.T) (url string, called <-chan string) {
	t.Helper()
	parents := make(chan string, 1)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		parents <- r.Header.Get("Traceparent")
	}))
	t.Cleanup(server.Close)
	return server.URL, parents
}

// passOn calls another service on behalf of each request.
func passOn(s *service.Service, url string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		request, err := http.NewRequestWithContext(r.Context(), http.MethodGet, url, nil)
		if err != nil {
			apierror.Write(w, err)
			return
		}
		response, err := s.Telemetry.Transport(nil).RoundTrip(request)
		if err != nil {
			apierror.Write(w, err)
			return
		}
		response.Body.Close()
	})
}

func TestWithoutTelemetryTheServiceServesAndShowsNothing(t *testing.T) {
	other, asked := neighbour(t)
	r := startWith(t, service.Flags{Telemetry: "off"}, func(s *service.Service, _ *running) http.Handler {
		return passOn(s, other)
	})
	if status, _ := get(t, r.url+"/x"); status != http.StatusOK {
		t.Errorf("%d", status)
	}
	if parent := <-asked; parent != "" {
		t.Errorf("a call carried the trace %q", parent)
	}
	if status, page := get(t, r.url+"/metrics"); status != http.StatusOK || strings.Contains(page, "http_") || strings.Contains(page, "go_") {
		t.Errorf("%d, and the page has series:\n%s", status, page)
	}
	r.stop()
	if err := r.wait(t); err != nil {
		t.Error(err)
	}
}

func TestOfTracesBegunHereAShareIsKeptAndACallersDecisionWins(t *testing.T) {
	other, asked := neighbour(t)
	r := startWith(t, service.Flags{TraceSampleRatio: 1e-9}, func(s *service.Service, _ *running) http.Handler {
		return passOn(s, other)
	})
	get(t, r.url+"/x")
	if parent := <-asked; !strings.HasSuffix(parent, "-00") {
		t.Errorf("one in a billion is kept, and the first one is: %s", parent)
	}
	request, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, r.url+"/x", nil)
	const caller = "4bf92f3577b34da6a3ce929d0e0e4736"
	request.Header.Set("Traceparent", "00-"+caller+"-00f067aa0ba902b7-01")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if parent := <-asked; !strings.Contains(parent, caller) || !strings.HasSuffix(parent, "-01") {
		t.Errorf("the caller keeps trace %s, and the next hop is told %s", caller, parent)
	}
}

func TestAShareIsAboveNothingAndAtMostAll(t *testing.T) {
	var share service.Share
	for _, wrong := range []string{"0", "-0.1", "1.1", "NaN", "half", ""} {
		if err := share.UnmarshalText([]byte(wrong)); err == nil {
			t.Errorf("%q is taken as %v", wrong, share)
		}
	}
	if err := share.UnmarshalText([]byte("0.25")); err != nil || share != 0.25 {
		t.Errorf("0.25 is %v (%v)", share, err)
	}
}
