package telemetry_test

import (
	"context"
	"errors"
	"log/slog"
	"net/url"
	"testing"

	"github.com/faultline-lab/faultline/observability/telemetry"
)

type status string

func TestAStringOfATypeOfItsOwnReachesTheBackendAsAString(t *testing.T) {
	backend := newCollector(t)
	tel := start(t, telemetry.Config{LogsURL: backend.URL + "/otlp/v1/logs"})
	logger := tel.Logger().With("before", status("received"))
	logger.InfoContext(context.Background(), "moved", "to", status("diagnosed"), slog.Group("inner", "state", status("acting")),
		"where", &url.URL{Host: "shop"}, "nowhere", (*url.URL)(nil), "count", 3, "error", errors.New("broken"))

	got := map[string]string{}
	for _, attribute := range backend.record(t, "moved").Attributes {
		got[attribute.Key] = attribute.Value.GetStringValue()
		if group := attribute.Value.GetKvlistValue(); group != nil {
			got[attribute.Key] = group.Values[0].Value.GetStringValue()
		}
	}
	for key, want := range map[string]string{
		"before": "received", "to": "diagnosed", "inner": "acting", "where": "//shop", "exception.message": "broken",
	} {
		if got[key] != want {
			t.Errorf("%s is %q, want %q", key, got[key], want)
		}
	}
}
