package main

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// prometheus answers every question with one value.
func prometheus(t *testing.T, result string) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"status":"success","data":{"resultType":"vector","result":[%s]}}`, result)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func TestMeasuredTrafficTakesThePlaceOfWhatTheFilesSay(t *testing.T) {
	for name, test := range map[string]struct {
		result string
		args   []string
		want   string
		fails  bool
	}{
		"one order an hour is too little": {`{"metric":{},"value":[1,"0.000278"]}`, nil, "error: low-traffic: orders-availability: at 0.000278 events a second", true},
		"a flag beats what was measured": {
			`{"metric":{},"value":[1,"0.000278"]}`,
			[]string{"--rate=orders-availability=40/s", "--rate=orders-latency=40/s", "--rate=checkout=40/s", "--rate=healer-proof=10/d"},
			"no error", false,
		},
		"what has no series was not measured": {``, nil, "no error", false},
	} {
		t.Run(name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			err := run(t.Context(), append([]string{"check", "--prometheus=" + prometheus(t, test.result)}, test.args...), &stdout, &stderr)
			if (err != nil) != test.fails || !strings.Contains(stdout.String(), test.want) {
				t.Errorf("error %v\n%s\nwant ...%s...", err, stdout.String(), test.want)
			}
		})
	}
}
