package main

import (
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/faultline-lab/faultline/autoheal/edge"
	"github.com/faultline-lab/faultline/autoheal/edge/edgetest"
	"github.com/faultline-lab/faultline/autoheal/evidence"
	"github.com/faultline-lab/faultline/autoheal/guard"
	"github.com/faultline-lab/faultline/autoheal/remedy"
	"github.com/faultline-lab/faultline/observability/telemetry"
)

// assembled is what serve makes of its flags, with nobody around it.
func assembled(t *testing.T, change func(*serveCommand)) *healer {
	t.Helper()
	dir, away := t.TempDir(), nowhere(t)
	tokenFile := filepath.Join(dir, "token")
	if err := os.WriteFile(tokenFile, []byte("secret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c := serveCommand{
		Store: filepath.Join(dir, "s.db"), WebhookTokenFile: tokenFile, PrometheusURL: away, EdgeMetricsURL: away,
		DatabaseAdminURL: "postgres://u@" + strings.TrimPrefix(away, "http://") + "/db", ScrapeInterval: time.Second,
		Autonomy: string(guard.Act), Cooldown: time.Minute, Instance: "autoheal-1",
		Target: targetFlags{ControlURL: away, ControlTokenFile: tokenFile, KillSwitchFile: filepath.Join(dir, "off")},
	}
	change(&c)
	senses, err := telemetry.Start(t.Context(), telemetry.Config{
		Service: "autoheal", Instance: c.Instance, Version: "test", LogWriter: io.Discard, LogLevel: slog.LevelError,
	})
	if err != nil {
		t.Fatal(err)
	}
	h, err := c.assemble(t.Context(), senses)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.close(); err != nil {
			t.Error(err)
		}
	})
	return h
}

func TestTheEngineGetsTheLimitsThatTheFlagsSay(t *testing.T) {
	for _, level := range []guard.Autonomy{guard.Act, guard.Approve, guard.Observe} {
		h := assembled(t, func(c *serveCommand) { c.Autonomy, c.Cooldown = string(level), 7*time.Minute })
		want := guard.Defaults(level)
		want.Cooldown = 7 * time.Minute
		if h.config.Limits != want {
			t.Errorf("limits %+v; want %+v", h.config.Limits, want)
		}
	}
}

func TestTheEngineGetsTheKillSwitchThatTheFlagsSay(t *testing.T) {
	var path string
	h := assembled(t, func(c *serveCommand) { path = c.Target.KillSwitchFile })
	if got := h.config.Switch(); got != guard.SwitchOff {
		t.Errorf("kill switch %v without its file; want off", got)
	}
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if got := h.config.Switch(); got != guard.SwitchOn {
		t.Errorf("kill switch %v with its file; want on", got)
	}
}

func TestTheEdgeIsTheWorkloadThatTheFlagsSay(t *testing.T) {
	h := assembled(t, func(c *serveCommand) { c.EdgeWorkload = "shop" })
	if got := h.config.Edge.Source(); !strings.HasPrefix(got, "the ready replicas of shop ") {
		t.Errorf("the edge is %q", got)
	}
	gathered := h.config.Senses.Gather(t.Context(), evidence.Scope{Workloads: []string{"orders"}})
	for _, fact := range gathered.Facts {
		if fact.Name == evidence.EdgeGoodRatio && strings.Contains(fact.Query, `job="shop"`) {
			return
		}
	}
	t.Errorf("nobody asks Prometheus for the shop: %+v", gathered.Facts)
}

func TestTheEdgesStateIsReadWithTheEvidence(t *testing.T) {
	replica := edgetest.New("storefront-1", "secret")
	h := assembled(t, func(c *serveCommand) {
		c.EdgeControl = edgeControlFlags{EdgeControlURL: replica.Serve(t), EdgeControlTokenFile: c.WebhookTokenFile}
	})
	if now := h.config.Senses.Gather(t.Context(), evidence.Scope{Workloads: []string{"orders"}}).Edge; now == nil || now.Mode != edge.Normal {
		t.Errorf("the edge is %+v", now)
	}
}

// They are away here: what counts is that they are asked, and that nothing else suffers from it.
func TestLogsAndTracesAreAskedWhereTheFlagsSay(t *testing.T) {
	asked := func(change func(*serveCommand)) map[string]bool {
		sources := map[string]bool{}
		for _, fact := range assembled(t, change).config.Senses.Gather(t.Context(), evidence.Scope{Workloads: []string{"orders"}}).Facts {
			sources[fact.Source] = true
		}
		return sources
	}
	away := nowhere(t)
	with := asked(func(c *serveCommand) { c.LokiURL, c.JaegerURL = away, away })
	without := asked(func(*serveCommand) {})
	if !with[evidence.Loki] || !with[evidence.Jaeger] || without[evidence.Loki] || without[evidence.Jaeger] {
		t.Errorf("with the flags %v, without %v", with, without)
	}
}

func TestTheEngineGetsEveryRemedyThatPlaybooksMayName(t *testing.T) {
	h := assembled(t, func(*serveCommand) {})
	var want []string
	for _, r := range known(guard.Defaults(guard.Act)).Remedies {
		want = append(want, r.Name())
	}
	slices.Sort(want)
	if got := remedy.Names(h.config.Remedies); !slices.Equal(got, want) {
		t.Errorf("remedies %v; want %v", got, want)
	}
}

func TestEveryWindowIsThatOfTheScrapeIntervalThatTheFlagsSay(t *testing.T) {
	h := assembled(t, func(c *serveCommand) { c.ScrapeInterval, c.Stabilise = 7*time.Second, 3*time.Second })
	if h.config.ScrapeInterval != 7*time.Second || h.config.Stabilise != 3*time.Second {
		t.Errorf("the engine reckons with scrapes of %s and holds for %s", h.config.ScrapeInterval, h.config.Stabilise)
	}
	asked := 0
	for _, fact := range h.config.Senses.Gather(t.Context(), evidence.Scope{Workloads: []string{"orders"}}).Facts {
		if fact.Source != evidence.Prometheus {
			continue
		}
		want := "[35s]" // five scrapes
		switch {
		case strings.HasPrefix(fact.Query, "up{"):
			want = "[5m:7s]" // the window of a release
		case strings.HasPrefix(fact.Query, "http_server_request_duration_seconds_count"):
			want = "[14m]" // twelve stretches of ten scrapes
		}
		if asked++; !strings.HasSuffix(fact.Query, want) {
			t.Errorf("asked for %s; want %s", fact.Query, want)
		}
	}
	if asked == 0 {
		t.Error("Prometheus was asked nothing")
	}
}
