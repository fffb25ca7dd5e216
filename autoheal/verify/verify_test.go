package verify_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/autoheal/verify"
)

const page = `# TYPE http_server_request_duration_seconds histogram
http_server_request_duration_seconds_bucket{http_request_method="POST",http_route="/checkout",http_response_status_code="201",otel_scope_name="x",le="0.25"} 80
http_server_request_duration_seconds_bucket{http_request_method="POST",http_route="/checkout",http_response_status_code="201",otel_scope_name="x",le="0.5"} 90
http_server_request_duration_seconds_bucket{http_request_method="POST",http_route="/checkout",http_response_status_code="201",otel_scope_name="x",le="+Inf"} 100
http_server_request_duration_seconds_sum{http_request_method="POST",http_route="/checkout",http_response_status_code="201",otel_scope_name="x"} 20
http_server_request_duration_seconds_count{http_request_method="POST",http_route="/checkout",http_response_status_code="201",otel_scope_name="x"} 100
http_server_request_duration_seconds_bucket{http_request_method="POST",http_route="/checkout",http_response_status_code="503",le="0.5"} 7
http_server_request_duration_seconds_bucket{http_request_method="POST",http_route="/checkout",http_response_status_code="503",le="+Inf"} 7
http_server_request_duration_seconds_count{http_request_method="POST",http_route="/checkout",http_response_status_code="503"} 7
http_server_request_duration_seconds_bucket{http_request_method="POST",http_route="/checkout",http_response_status_code="202",le="0.5"} 11
http_server_request_duration_seconds_bucket{http_request_method="POST",http_route="/checkout",http_response_status_code="202",le="+Inf"} 12
http_server_request_duration_seconds_count{http_request_method="POST",http_route="/checkout",http_response_status_code="202"} 12
http_server_request_duration_seconds_bucket{http_request_method="POST",http_route="/checkout",http_response_status_code="422",le="+Inf"} 50
http_server_request_duration_seconds_count{http_request_method="POST",http_route="/checkout",http_response_status_code="422"} 50
http_server_request_duration_seconds_bucket{http_request_method="GET",http_route="/products",http_response_status_code="200",le="+Inf"} 9
http_server_request_duration_seconds_count{http_request_method="GET",http_route="/products",http_response_status_code="200"} 9
# TYPE storefront_shed_checkouts_total counter
storefront_shed_checkouts_total 5
`

func TestTheEdgeIsCountedFromItsOwnMetrics(t *testing.T) {
	for _, test := range []struct {
		name, body string
		status     int
		want       verify.Counts
		fails      string
	}{
		{"all but 4xx count; 2xx within 0.5 s are good", page, 200, verify.Counts{Total: 119, Good: 90, Accepted: 11, Shed: 5}, ""},
		{"an edge without the histogram is an error, not zero", "up 1\n", 200, verify.Counts{}, "have no http_server"},
		{"an edge without the bucket of the objective is an error", strings.ReplaceAll(page, `le="0.5"`, `le="0.6"`), 200, verify.Counts{}, "bucket"},
		{"an edge in trouble is an error", "sorry", 503, verify.Counts{}, "503"},
		{"what is no metrics page is an error", "<html>", 200, verify.Counts{}, "edge's metrics"},
	} {
		t.Run(test.name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(test.status)
				_, _ = io.WriteString(w, test.body) // a failure shows in the reading
			}))
			defer server.Close()
			edge, err := verify.NewEdge(verify.EdgeConfig{URL: server.URL})
			if err != nil {
				t.Fatal(err)
			}
			got, err := edge.Read(t.Context())
			if test.fails == "" && (err != nil || len(got) != 1 || got[server.URL] != test.want) {
				t.Errorf("%+v, error %v; want %+v", got, err, test.want)
			}
			if test.fails != "" && (err == nil || !strings.Contains(err.Error(), test.fails)) {
				t.Errorf("error %v; want ...%s...", err, test.fails)
			}
		})
	}
}

func TestTheJudge(t *testing.T) {
	down := errors.New("refused")
	type take struct {
		total, good float64
		err         error
	}
	for _, test := range []struct {
		name      string
		takes     []take
		good, bad int
		last      incident.Reading
	}{
		{"the first counters are only a base", []take{{100, 100, nil}}, 0, 0, incident.Reading{}},
		{"95 % is good", []take{{0, 0, nil}, {100, 95, nil}}, 1, 0, incident.Reading{Total: 100, Good: 95, OK: true, Status: incident.Known}},
		{"less is bad", []take{{0, 0, nil}, {1000, 949, nil}}, 0, 1, incident.Reading{Total: 1000, Good: 949, Status: incident.Known}},
		{
			"good readings make a row",
			[]take{{0, 0, nil}, {40, 40, nil}, {80, 80, nil}, {120, 120, nil}},
			3, 0,
			incident.Reading{Total: 40, Good: 40, OK: true, Status: incident.Known},
		},
		{
			"a bad one breaks it",
			[]take{{0, 0, nil}, {40, 40, nil}, {80, 60, nil}, {120, 100, nil}},
			1, 0,
			incident.Reading{Total: 40, Good: 40, OK: true, Status: incident.Known},
		},
		{
			"no traffic is unknown and breaks the row",
			[]take{{0, 0, nil}, {40, 40, nil}, {40, 40, nil}},
			0, 0,
			incident.Reading{Status: incident.Unknown},
		},
		{
			"no answer is unknown and breaks the row",
			[]take{{0, 0, nil}, {40, 40, nil}, {0, 0, down}},
			0, 0,
			incident.Reading{Status: incident.Unknown},
		},
		{
			"what passed while it did not answer makes no reading",
			[]take{{0, 0, nil}, {0, 0, down}, {900, 0, nil}, {940, 40, nil}},
			1, 0,
			incident.Reading{Total: 40, Good: 40, OK: true, Status: incident.Known},
		},
		{
			"counters that fell began anew at zero",
			[]take{{5000, 5000, nil}, {40, 20, nil}},
			0, 1,
			incident.Reading{Total: 40, Good: 20, Status: incident.Known},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			var (
				j    verify.Judge
				last incident.Reading
			)
			for _, k := range test.takes {
				last, _ = j.Take(time.Time{}, verify.Readout{"only": {Total: k.total, Good: k.good}}, k.err)
			}
			if j.Good() != test.good || j.Bad() != test.bad || last != test.last {
				t.Errorf("good %d, bad %d, last %+v; want %d, %d, %+v", j.Good(), j.Bad(), last, test.good, test.bad, test.last)
			}
		})
	}
}

func TestOnlyWhereARemedyMitigatesWhatWasTakenForLaterCounts(t *testing.T) {
	for name, tc := range map[string]struct {
		mitigated bool
		passed    verify.Counts
		ok        bool
		status    incident.FactStatus
	}{
		"taken for later is good where that is the aim":    {true, verify.Counts{Total: 40, Good: 2, Accepted: 38}, true, incident.Known},
		"taken for later is not good otherwise":            {false, verify.Counts{Total: 40, Good: 2, Accepted: 38}, false, incident.Known},
		"turned away does not count where that is the aim": {true, verify.Counts{Total: 100, Good: 69, Shed: 30}, true, incident.Known},
		"turned away counts otherwise":                     {false, verify.Counts{Total: 100, Good: 69, Shed: 30}, false, incident.Known},
		"what passes must be served all the same":          {true, verify.Counts{Total: 100, Good: 50, Shed: 30}, false, incident.Known},
		"an edge that lets nobody in proves nothing":       {true, verify.Counts{Total: 40, Shed: 40}, false, incident.Unknown},
	} {
		t.Run(name, func(t *testing.T) {
			judge := &verify.Judge{Mitigated: tc.mitigated}
			judge.Take(time.Now(), verify.Readout{"edge": {}}, nil)
			got, ok := judge.Take(time.Now(), verify.Readout{"edge": tc.passed}, nil)
			if !ok || got.OK != tc.ok || got.Status != tc.status {
				t.Errorf("reading %+v, %v; want ok %v, %s", got, ok, tc.ok, tc.status)
			}
		})
	}
}
