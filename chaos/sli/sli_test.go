package sli_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/faultline-lab/faultline/chaos/sli"
)

var start = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func at(n int, ok bool) sli.Second {
	return sli.Second{Second: start.Add(time.Duration(n) * time.Second), OK: ok}
}

func TestAStreakCountsGoodSecondsRunning(t *testing.T) {
	tests := []struct {
		name    string
		seconds []sli.Second
		length  int
		since   int
	}{
		{"none at the start", nil, 0, 0},
		{"three in a row", []sli.Second{at(0, true), at(1, true), at(2, true)}, 3, 0},
		{"a bad second ends it", []sli.Second{at(0, true), at(1, false)}, 0, 0},
		{"it begins anew after a bad second", []sli.Second{at(0, true), at(1, false), at(2, true), at(3, true)}, 2, 2},
		{"a second that is missing ends it", []sli.Second{at(0, true), at(1, true), at(3, true)}, 1, 3},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var streak sli.Streak
			for _, second := range tt.seconds {
				streak.Add(second)
			}
			if streak.Len() != tt.length {
				t.Errorf("length %d, want %d", streak.Len(), tt.length)
			}
			if tt.length > 0 && !streak.Since().Equal(start.Add(time.Duration(tt.since)*time.Second)) {
				t.Errorf("since %s", streak.Since())
			}
		})
	}
}

// loadgen answers with lines as they are given, and keeps the stream open when followed.
func loadgen(t *testing.T, lines ...string) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/v1/sli" || r.FormValue("since") != start.Format(time.RFC3339Nano) {
			http.Error(w, "what is "+r.URL.String(), http.StatusBadRequest)
			return
		}
		for _, line := range lines {
			fmt.Fprintln(w, line)
		}
		_ = http.NewResponseController(w).Flush()
		if r.FormValue("follow") == "true" && len(lines) > 0 {
			<-r.Context().Done()
		}
	}))
	t.Cleanup(server.Close)
	return server.URL
}

const line = `{"second":"2026-01-02T03:04:05Z","sent":40,"good":39,"slow":0,"failed":1,"excluded":0,"accepted":0,"ok":true,"p50_ms":101.2,"p99_ms":402.0,"failed_trace_ids":["4bf9"]}`

func TestReadGivesTheSecondsOfTheContract(t *testing.T) {
	seconds, err := sli.Read(t.Context(), loadgen(t, line), start)
	if err != nil || len(seconds) != 1 {
		t.Fatalf("%v, %v", seconds, err)
	}
	got := seconds[0]
	if !got.Second.Equal(start) || got.Good != 39 || got.P99Millis != 402 || !got.OK || got.FailedTraceIDs[0] != "4bf9" {
		t.Errorf("got %+v", got)
	}
}

func TestFollowEndsAsItIsTold(t *testing.T) {
	own := errors.New("own")
	for _, tt := range []struct {
		name  string
		lines []string
		each  func(context.CancelFunc) error
		want  error
	}{
		{"without an error after ErrStop", []string{line}, func(context.CancelFunc) error { return sli.ErrStop }, nil},
		{"with the callback's own error", []string{line}, func(context.CancelFunc) error { return own }, own},
		{"with the context's error", []string{line}, func(cancel context.CancelFunc) error { cancel(); return nil }, context.Canceled},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			err := sli.Follow(ctx, loadgen(t, tt.lines...), start, func(sli.Second) error { return tt.each(cancel) })
			if !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
		})
	}
}

func TestFollowSaysWhatIsWrongWithLoadgen(t *testing.T) {
	closed := httptest.NewServer(http.NotFoundHandler())
	closed.Close()
	refuses := httptest.NewServer(http.NotFoundHandler())
	defer refuses.Close()
	for name, tt := range map[string]struct{ url, want string }{
		"it is gone":               {closed.URL, "does not answer"},
		"it refuses":               {refuses.URL, "404"},
		"it sends something else":  {loadgen(t, "hello"), "no second"},
		"it ends the stream early": {loadgen(t), "ended the stream"},
	} {
		t.Run(name, func(t *testing.T) {
			err := sli.Follow(t.Context(), tt.url, start, func(sli.Second) error { return nil })
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}
