package main

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/faultline-lab/faultline/autoheal/api"
	"github.com/faultline-lab/faultline/autoheal/guard"
	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/autoheal/store"
	"github.com/faultline-lab/faultline/observability/command"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"autoheal": func() { os.Exit(command.Main(run)) },
	})
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{Dir: "testdata/script", RequireExplicitExec: true, Setup: withRecords})
}

// withRecords has a real API answer over a real store with three incidents, at FAULTLINE_AUTOHEAL_URL.
func withRecords(env *testscript.Env) error {
	ctx := context.Background()
	s, err := store.Open(ctx, store.Config{Path: filepath.Join(env.WorkDir, "records.db")})
	if err != nil {
		return err
	}
	for _, in := range recorded(time.Now().UTC().Truncate(time.Second)) {
		change := store.Change{Incident: in, Entries: []incident.Entry{{At: *in.Stages.WebhookReceived, Kind: "note", Text: "about " + in.ID}}}
		if err := s.Save(ctx, change); err != nil {
			return err
		}
	}
	relapse, err := os.ReadFile(filepath.Join("testdata", "relapse.json"))
	if err == nil {
		err = os.WriteFile(filepath.Join(env.WorkDir, "relapse.json"), relapse, 0o600)
	}
	if err != nil {
		return err
	}
	nothing := http.NotFoundHandler()
	handler, err := api.New(api.Config{
		Records: s, People: s, Token: "secret", Switch: func() guard.Switch { return guard.SwitchOff }, Autonomy: guard.Approve,
		Wake: func() {}, Webhook: nothing, Metrics: nothing, Ready: s.Ping, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return err
	}
	server := httptest.NewServer(handler)
	env.Defer(func() {
		server.Close()
		_ = s.Close() // its content is not needed any more
	})
	env.Setenv("FAULTLINE_AUTOHEAL_URL", server.URL)
	return nil
}

// recorded are incidents as a healer leaves them: one waits for an answer, one is held by a change, one is closed.
func recorded(now time.Time) []incident.Incident {
	at := func(before time.Duration) *time.Time { t := now.Add(-before); return &t }
	asks := incident.Incident{
		ID: "asks", Workload: "orders", Workloads: []string{"orders", "storefront"}, State: incident.Awaiting, Reason: "a person must say yes",
		Stages:    incident.Stages{WebhookReceived: at(time.Minute)},
		Diagnosis: incident.Diagnosis{Cause: incident.BadRelease, Subjects: []string{"orders-1"}, Summary: "bad-release on orders-1"},
		Approval: &incident.Approval{
			Cause: incident.BadRelease, Remedy: "roll-back", Targets: []string{"orders"}, AskedAt: now.Add(-time.Minute), Expires: now.Add(time.Hour),
		},
		Verdicts: []incident.Verdict{
			{Guard: "opt-in", Remedy: "roll-back", Target: "orders", Allowed: false, Reason: "of a look before", At: now.Add(-time.Hour)},
			{Guard: "opt-in", Remedy: "roll-back", Target: "orders", Allowed: true, Reason: "it has the label", At: now},
			{Guard: "kill-switch", Remedy: "roll-back", Target: "orders", Allowed: true, Reason: "it is off", At: now},
			{Guard: "autonomy", Remedy: "roll-back", Target: "orders", Allowed: false, Reason: "a named person must approve", At: now},
		},
		Decisions: []incident.Decision{{Remedy: "roll-back", Targets: []string{"orders"}, Result: "asked", Seen: []byte("null")}},
	}
	holds := incident.Incident{
		ID: "holds", Workload: "orders", Workloads: []string{"orders"}, State: incident.Holding, Reason: "accept stands", Rung: 1,
		Stages:    incident.Stages{WebhookReceived: at(2 * time.Minute)},
		Diagnosis: incident.Diagnosis{Cause: incident.NetworkLatency, Summary: "network-latency on orders"},
		Actions: []incident.Action{
			{Rung: 1, Remedy: "accept", Target: "storefront", StartedAt: now, FinishedAt: &now, Result: incident.ResultDone, Detail: "storefront accepts", Undo: &incident.Undo{
				Target: incident.Target{Kind: incident.EdgeTarget, Name: "storefront", Is: "normal", To: "accept"}, Lasting: true, Until: at(-time.Minute), State: incident.Standing,
			}},
		},
	}
	closed := incident.Incident{
		ID: "closed", Workload: "orders", Workloads: []string{"orders"}, State: incident.Closed, Outcome: incident.Recovered, Reason: "the edge is good",
		Stages:    incident.Stages{WebhookReceived: at(time.Hour), Ended: at(time.Hour - 4*time.Second)},
		Diagnosis: incident.Diagnosis{Cause: incident.ConnectionLeak},
	}
	return []incident.Incident{asks, holds, closed}
}
