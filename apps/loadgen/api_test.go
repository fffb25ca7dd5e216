package loadgen

import (
	"bufio"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"
)

func newAPI(t *testing.T) (*API, string, chan struct{}) {
	t.Helper()
	generator, err := NewGenerator(GeneratorConfig{
		Shop: &shop{}, Observer: &observer{}, Finished: func(Second) {}, Rate: 40, Customers: 1, Products: 1, MaxInFlight: 1,
	})
	if err != nil {
		t.Fatal(err)
	}
	ending := make(chan struct{})
	api := &API{Generator: generator, History: NewHistory(), Ending: ending}
	handler, err := api.Routes()
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return api, server.URL, ending
}

func add(h *History, n int) {
	h.Add(Second{Second: start.Add(time.Duration(n) * time.Second), Sent: 40, FailedTraceIDs: []string{}})
}

func get(t *testing.T, url string) (*http.Response, string) {
	t.Helper()
	response, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response, string(body)
}

func TestTheSecondsAreReadBackFromATimeOn(t *testing.T) {
	api, base, _ := newAPI(t)
	for n := range 4 {
		add(api.History, n)
	}
	for name, tt := range map[string]struct {
		query string
		want  int
	}{
		"all without a time":              {"", 4},
		"from a second on, that included": {"?since=2026-01-02T03:04:07Z", 2},
		"from the middle of a second":     {"?since=2026-01-02T03:04:06.5Z", 2},
		"in another time zone":            {"?since=" + url.QueryEscape("2026-01-02T05:04:07+02:00"), 2},
		"nothing from the future":         {"?since=2027-01-01T00:00:00Z&follow=false", 0},
	} {
		t.Run(name, func(t *testing.T) {
			response, body := get(t, base+"/v1/sli"+tt.query)
			if got := strings.Count(body, "\n"); response.StatusCode != http.StatusOK || got != tt.want {
				t.Errorf("%s, %d lines, want %d:\n%s", response.Status, got, tt.want, body)
			}
		})
	}
	_, body := get(t, base+"/v1/sli?since=2026-01-02T03:04:08Z")
	want := `{"second":"2026-01-02T03:04:08Z","sent":40,"good":0,"slow":0,"failed":0,"excluded":0,"accepted":0,"ok":false,"p50_ms":0,"p99_ms":0,"failed_trace_ids":[]}` + "\n"
	if body != want {
		t.Errorf("got  %swant %s", body, want)
	}
	for _, query := range []string{"since=yesterday", "follow=maybe"} {
		if response, body := get(t, base+"/v1/sli?"+query); response.StatusCode != http.StatusBadRequest || !strings.Contains(body, "bad_request") {
			t.Errorf("%s: %s %s", query, response.Status, body)
		}
	}
}

func TestAFollowerGetsEachSecondAsItFinishesUntilTheEnd(t *testing.T) {
	api, base, ending := newAPI(t)
	add(api.History, 0)
	response, err := http.Get(base + "/v1/sli?follow=true")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	lines := bufio.NewScanner(response.Body)
	for n := range 5 {
		if !lines.Scan() {
			t.Fatalf("the stream ended before second %d: %v", n, lines.Err())
		}
		var second Second
		if err := json.Unmarshal(lines.Bytes(), &second); err != nil || !second.Second.Equal(start.Add(time.Duration(n)*time.Second)) {
			t.Fatalf("second %d is %s (%v)", n, lines.Text(), err)
		}
		add(api.History, n+1)
	}
	close(ending)
	for lines.Scan() {
	}
	if lines.Err() != nil {
		t.Errorf("the stream broke off: %v", lines.Err())
	}
}

func TestAReaderThatDoesNotReadHoldsNobodyUp(t *testing.T) {
	api, base, _ := newAPI(t)
	response, err := http.Get(base + "/v1/sli?follow=true")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	// Far more than every buffer on the way can take: Add must not wait for the reader.
	for n := range 3 * kept {
		api.History.Add(Second{Second: start.Add(time.Duration(n) * time.Second), FailedTraceIDs: []string{strings.Repeat("x", 4096)}})
	}
	seconds, _ := api.History.From(time.Time{})
	if len(seconds) != kept || !seconds[0].Second.Equal(start.Add(2*kept*time.Second)) {
		t.Errorf("%d seconds are kept, from %s on", len(seconds), seconds[0].Second)
	}
}

func TestAClockThatWasSetBackReplacesTheSecondsItRepeats(t *testing.T) {
	history := NewHistory()
	for _, n := range []int{0, 1, 2, 3, 2, 3} {
		add(history, n)
	}
	seconds, _ := history.From(start)
	for n, s := range seconds {
		if !s.Second.Equal(start.Add(time.Duration(n) * time.Second)) {
			t.Fatalf("out of order: %v", seconds)
		}
	}
	if len(seconds) != 4 {
		t.Errorf("%d seconds", len(seconds))
	}
}

func put(t *testing.T, base, body string) (int, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPut, base+"/v1/rate", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, _ := io.ReadAll(response.Body)
	return response.StatusCode, strings.TrimSpace(string(text))
}

func TestTheRateIsReadAndChanged(t *testing.T) {
	api, base, _ := newAPI(t)
	put := func(body string) (int, string) { return put(t, base, body) }
	if status, text := put(`{"checkouts_per_second":100}`); status != 200 || text != `{"checkouts_per_second":100}` {
		t.Errorf("%d %s", status, text)
	}
	for body, want := range map[string]int{
		`{"checkouts_per_second":-1}`:               422,
		`{"checkouts_per_second":99999}`:            422,
		`{"checkouts_per_second":1e9}`:              400,
		`{"checkouts_per_second":2.5}`:              400,
		`{"checkouts_per_second":"100"}`:            400,
		`{}`:                                        400,
		`{"checkouts_per_second":40,"for":""}`:      400,
		`{"checkouts_per_second":40,"for":"1h"}`:    400,
		`{"checkouts_per_second":40,"for":60}`:      400,
		`{"checkouts_per_second":9999,"for":"60s"}`: 422,
		`hello`: 400,
	} {
		if status, text := put(body); status != want || !strings.Contains(text, `"message"`) {
			t.Errorf("%s: %d %s, want %d", body, status, text, want)
		}
	}
	if _, body := get(t, base+"/v1/rate"); strings.TrimSpace(body) != `{"checkouts_per_second":100}` || api.Generator.Rate() != 100 {
		t.Errorf("rate %s", body)
	}
}

func TestARateForATimeIsShownWithTheUsualOne(t *testing.T) {
	_, base, _ := newAPI(t)
	before := time.Now()
	status, text := put(t, base, `{"checkouts_per_second":100,"for":"60s"}`)
	var shown struct {
		Now   int       `json:"checkouts_per_second"`
		Usual int       `json:"usual_checkouts_per_second"`
		Until time.Time `json:"until"`
	}
	if err := json.Unmarshal([]byte(text), &shown); err != nil || status != http.StatusOK {
		t.Fatalf("%d %s: %v", status, text, err)
	}
	if left := shown.Until.Sub(before); shown.Now != 100 || shown.Usual != 40 || left < time.Minute || left > time.Minute+10*time.Second {
		t.Errorf("got %s", text)
	}
	if _, body := get(t, base+"/v1/rate"); strings.TrimSpace(body) != text {
		t.Errorf("read back %s, want %s", body, text)
	}
	if status, text := put(t, base, `{"checkouts_per_second":40}`); status != http.StatusOK || text != `{"checkouts_per_second":40}` {
		t.Errorf("%d %s, want the rate set for good", status, text)
	}
}
