package senses

import (
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/faultline-lab/faultline/e2e/internal/looptest"
	"github.com/faultline-lab/faultline/observability/contract"
	"github.com/faultline-lab/faultline/observability/query"
)

// page is one replica's scrape page as it was served.
type page struct {
	program, instance string
	text              string
}

// pages reads those of all programs that Prometheus is sent to.
func (s *live) pages(t *testing.T) []page {
	t.Helper()
	var groups []struct {
		Targets []string          `json:"targets"`
		Labels  map[string]string `json:"labels"`
	}
	if err := looptest.GetJSON(t.Context(), s.stack.Endpoints.Control+"/v1/discovery", &groups); err != nil {
		t.Fatal(err)
	}
	var all []page
	for _, group := range groups {
		for _, target := range group.Targets {
			all = append(all, page{group.Labels["job"], group.Labels["instance"], scrape(t, "http://"+target+"/metrics")})
		}
	}
	return all
}

// scrape reads a page the way Prometheus does: without this header there are neither units nor exemplars.
func scrape(t *testing.T, url string) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Accept", "application/openmetrics-text; version=1.0.0")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("GET %s: %s, %v", url, response.Status, err)
	}
	return string(text)
}

func parse(t *testing.T, pages []page) []contract.Instance {
	t.Helper()
	var parsed []contract.Instance
	for _, p := range pages {
		read, err := contract.ReadPage([]byte(p.text))
		if err != nil {
			t.Fatalf("the page of %s: %v", p.instance, err)
		}
		parsed = append(parsed, contract.Instance{Program: p.program, Instance: p.instance, Page: read})
	}
	return parsed
}

// settled is how long after its last moment a trace is whole and a record is stored: batches leave within half a second.
const settled = 3 * time.Second

// traces reads what every service has taken part in. Of the usual load it takes the newest; around the alert it takes all.
func (s *live) traces(t *testing.T, alert time.Time) []query.Trace {
	t.Helper()
	var services struct {
		Services []string `json:"services"`
	}
	if err := looptest.GetJSON(t.Context(), s.stack.Endpoints.Jaeger+"/api/v3/services", &services); err != nil {
		t.Fatal(err)
	}
	until := time.Now().Add(-settled)
	known := map[string]bool{}
	var all []query.Trace
	for _, service := range services.Services {
		for _, search := range []query.Search{
			{Service: service, From: s.began, To: until, Limit: 100},
			{Service: service, From: alert.Add(-5 * time.Second), To: alert.Add(5 * time.Second), Limit: 1000},
		} {
			found, err := s.jaeger.Search(t.Context(), search)
			if err != nil {
				t.Fatal(err)
			}
			for _, trace := range found {
				if !known[trace.ID] && trace.Spans[0].Start.Before(until) {
					known[trace.ID] = true
					all = append(all, trace)
				}
			}
		}
	}
	return all
}

// records reads what every program has logged.
func (s *live) records(t *testing.T, programs []string) []query.Log {
	t.Helper()
	const most = 5000 // what Loki gives at once
	var all []query.Log
	for _, program := range programs {
		found, err := s.loki.QueryRange(t.Context(), fmt.Sprintf("{service_name=%q}", program), s.began.Add(-time.Minute),
			time.Now().Add(-settled), most)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, found...)
	}
	return all
}
