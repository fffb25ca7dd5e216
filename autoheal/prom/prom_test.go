package prom_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/faultline-lab/faultline/autoheal/prom"
	"github.com/faultline-lab/faultline/observability/query"
)

func TestRawSamples(t *testing.T) {
	const matrix = `{"status":"success","data":{"resultType":"matrix","result":[
	 {"metric":{"instance":"orders-1"},"values":[[1767323045.678,"3"],[1767323046.678,"NaN"],[1767323047.678,"5.5"]]}]}}`
	for _, test := range []struct {
		name, body string
		status     int
		fails      bool
	}{
		{"come with their own times, and without what is no number", matrix, 200, false},
		{"a vector is refused", `{"status":"success","data":{"resultType":"vector","result":[]}}`, 200, true},
		{"an error of Prometheus is an error", `{"status":"error","error":"parse error"}`, 400, true},
		{"what is no JSON is an error", `<html>`, 502, true},
		{"a value that is no number is an error", `{"status":"success","data":{"resultType":"matrix","result":[{"values":[[1,"x"]]}]}}`, 200, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path != "/api/v1/query" || r.FormValue("query") != "up[5s]" {
					t.Errorf("asked %s", r.URL)
				}
				w.WriteHeader(test.status)
				_, _ = io.WriteString(w, test.body) // a failure shows in the samples
			}))
			defer server.Close()
			p, err := prom.New(query.Config{URL: server.URL})
			if err != nil {
				t.Fatal(err)
			}
			got, err := p.Samples(t.Context(), "up[5s]")
			if test.fails {
				var failed *query.Error
				if !errors.As(err, &failed) || failed.Query != "up[5s]" {
					t.Errorf("error %v; want one that carries the query", err)
				}
				return
			}
			if err != nil || len(got) != 1 || len(got[0].Samples) != 2 || got[0].Samples[1].Value != 5.5 ||
				got[0].Samples[0].At.UnixMilli() != 1767323045678 {
				t.Errorf("%+v, error %v", got, err)
			}
		})
	}
}
