package gather

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/observability/query"
	"github.com/faultline-lab/faultline/postmortems/report"
)

var now = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

// shelf is a Jaeger whose content the test decides: which of several traces is chosen.
type shelf struct {
	slow, any []query.Trace
	err       error
	asked     []query.Search
}

func (s *shelf) Search(_ context.Context, search query.Search) ([]query.Trace, error) {
	s.asked = append(s.asked, search)
	if search.MinTook > 0 {
		return s.slow, s.err
	}
	return s.any, s.err
}

func aTrace(id string, failed bool, wait time.Duration) query.Trace {
	return query.Trace{ID: id, Spans: []query.Span{
		{
			ID: "1", Service: "storefront", Instance: "storefront-1", Name: "POST /checkout", Failed: failed, Start: now, Duration: time.Second,
			Attributes: query.Labels{"http.response.status_code": "503"},
		},
		{ID: "2", ParentID: "1", Service: "orders", Name: "pool.acquire", Start: now, Duration: wait},
	}}
}

func anIncident() incident.Incident {
	end := now.Add(5 * time.Second)
	return incident.Incident{
		ID: "i", Workload: "orders", State: incident.Closed,
		Stages: incident.Stages{AlertStartsAt: &now, Ended: &end},
	}
}

func TestTheTraceThatIsShownIsTheFailedOneThatWaitedLongest(t *testing.T) {
	tests := []struct {
		name    string
		shelf   shelf
		want    string
		unknown string
	}{
		{
			"a healthy checkout that waited is not an offending one",
			shelf{slow: []query.Trace{aTrace("healthy", false, 900*time.Millisecond), aTrace("a", true, 100*time.Millisecond), aTrace("b", true, 400*time.Millisecond)}},
			"b", "",
		},
		{
			"a checkout that failed at once is shown when no slow one failed",
			shelf{slow: []query.Trace{aTrace("healthy", false, time.Second)}, any: []query.Trace{aTrace("quick", true, 0)}},
			"quick", "",
		},
		{"without a failed checkout the trace is unknown", shelf{any: []query.Trace{aTrace("healthy", false, 0)}}, "", "no failed checkout"},
		{
			"a Jaeger that does not answer is unknown",
			shelf{err: &query.Error{System: "jaeger", Query: "search", Err: errors.New("connection refused")}},
			"", "jaeger does not answer: connection refused",
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			g, err := New(Config{Traces: &test.shelf, Now: func() time.Time { return now }})
			if err != nil {
				t.Fatal(err)
			}
			got := g.trace(t.Context(), anIncident())
			if got.ID != test.want || !strings.Contains(got.From.Unknown, test.unknown) || got.From.Known() != (test.unknown == "") {
				t.Errorf("trace %q, unknown %q", got.ID, got.From.Unknown)
			}
			if got.ID != "" && (got.Spans[0].Note != "HTTP 503" || got.Spans[0].Service != "storefront-1") {
				t.Errorf("the first span is %+v", got.Spans[0])
			}
			if asked := test.shelf.asked[0]; asked.Service != "storefront" || asked.From.After(now) || !asked.To.After(now) {
				t.Errorf("asked %+v", asked)
			}
		})
	}
}

// lines is a Loki whose content the test decides.
type lines []query.Log

func (l lines) QueryRange(context.Context, string, time.Time, time.Time, int) ([]query.Log, error) {
	return l, nil
}

func TestLogLinesNameTheirReplicaAndAreBounded(t *testing.T) {
	many := make(lines, maxLines+3)
	for i := range many {
		many[i] = query.Log{At: now, Line: "no connection", Labels: query.Labels{
			"service_name": "orders", "service_instance_id": "orders-1", "severity_text": "ERROR",
		}}
	}
	g, err := New(Config{Logs: many, Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	got := g.logs(t.Context(), report.Trace{ID: "abc", Spans: []report.Span{{Start: now, Duration: time.Second}}})
	if len(got.Lines) != maxLines || got.More != 3 {
		t.Errorf("%d lines and %d more", len(got.Lines), got.More)
	}
	want := report.LogLine{At: now, Service: "orders-1", Level: "ERROR", Text: "no connection"}
	if got.Lines[0] != want {
		t.Errorf("got %+v, want %+v", got.Lines[0], want)
	}
}

func TestWithoutAnySourceEverythingIsUnknownForItsReason(t *testing.T) {
	g, err := New(Config{Now: func() time.Time { return now }, Missing: map[string]string{"prometheus": "no stack is running"}})
	if err != nil {
		t.Fatal(err)
	}
	tel := g.Around(t.Context(), anIncident())
	for name, from := range map[string]report.Provenance{
		"edge": tel.Edge.All, "edge, fast": tel.Edge.Fast, "pools used": tel.Pools.Used, "pools idle": tel.Pools.Idle,
		"pools pending": tel.Pools.Pending, "pools max": tel.Pools.Max, "pools timeouts": tel.Pools.Timeouts,
		"trace": tel.Trace.From, "logs": tel.Logs.From,
	} {
		if from.Known() {
			t.Errorf("%s counts as known", name)
		}
	}
	if got := tel.Edge.All.Unknown; got != "no stack is running" {
		t.Errorf("the reason is %q", got)
	}
}

func TestAGathererNeedsAClock(t *testing.T) {
	if _, err := New(Config{}); err == nil {
		t.Fatal("a Gatherer without a clock was made")
	}
}
