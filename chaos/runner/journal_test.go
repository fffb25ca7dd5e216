package runner_test

import (
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/faultline-lab/faultline/chaos/internal/smallshop"
	"github.com/faultline-lab/faultline/chaos/journal"
	"github.com/faultline-lab/faultline/chaos/runner"
	"github.com/faultline-lab/faultline/observability/endpoints"
)

// observed gives the shop backends for traces and logs.
func observed(t *testing.T, shop *smallshop.Shop, traces, logs string) {
	t.Helper()
	shop.Stack.Endpoints.OTLP, shop.Stack.Endpoints.Loki = traces, logs
	if err := endpoints.Write(shop.StackFile, shop.Stack); err != nil {
		t.Fatal(err)
	}
}

// only gives the only span of a name.
func only(t *testing.T, b *backend, name string) span {
	t.Helper()
	found := b.named(name)
	if len(found) != 1 {
		t.Fatalf("%d spans are called %s: %v", len(found), name, found)
	}
	return found[0]
}

func TestARunLeavesOneTraceAndRecordsThatLeadToIt(t *testing.T) {
	shop, seen := smallshop.Open(t), newBackend(t)
	observed(t, shop, seen.URL, seen.URL)
	opts, _ := options(t, shop)
	result, err := runner.Run(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	root := only(t, seen, journal.Experiment)
	if root.parent != "" || root.fields["chaos.experiment.id"] != result.ID || root.fields["chaos.experiment.name"] != "small-leak" ||
		root.fields["chaos.end"] != string(runner.WindowOver) {
		t.Errorf("the experiment's own span: %+v", root)
	}
	for _, step := range []string{journal.SteadyState, journal.Inject, journal.Watch, journal.Judge, journal.Stop} {
		if s := only(t, seen, step); s.trace != root.trace || s.parent != root.id {
			t.Errorf("%s does not hang from the experiment: %+v", step, s)
		}
	}
	carried(t, shop, seen, root)
	var phases []string
	for _, r := range seen.records {
		phases = append(phases, r.fields["phase"])
		if r.trace != root.trace || r.fields["experiment"] != "small-leak" || r.fields["target"] != "local" || r.message == "" {
			t.Errorf("record %+v does not lead to the trace %s", r, root.trace)
		}
		if r.fields["phase"] == string(journal.Injected) && (r.span != only(t, seen, journal.Inject).id ||
			r.fields["experiment_id"] != result.ID || !strings.Contains(r.fields["detail"], "are held after")) {
			t.Errorf("record of the injection: %+v", r)
		}
	}
	if want := []string{"started", "steady", "injecting", "injected", "client", "window-over", "not-held", "removed", "steady"}; !slices.Equal(phases, want) {
		t.Errorf("phases %v, want %v", phases, want)
	}
	if slices.ContainsFunc(seen.who, func(who string) bool { return who != "chaos/chaos-1" }) {
		t.Errorf("telemetry of %v, want chaos/chaos-1", seen.who)
	}
}

// carried looks whether the calls of the injection and of the way back are in the trace, on both sides.
func carried(t *testing.T, shop *smallshop.Shop, seen *backend, root span) {
	t.Helper()
	inject, stop := only(t, seen, journal.Inject), only(t, seen, journal.Stop)
	orders, restarts := 0, 0
	for _, call := range seen.named("POST") {
		switch {
		case call.trace == root.trace && call.parent == inject.id:
			orders++
		case call.trace == root.trace && call.parent == stop.id:
			restarts++
		}
	}
	if orders < 2*smallshop.PoolMax || restarts != 2 {
		t.Errorf("%d orders hang from the injection and %d restarts from the way back; want at least %d, and 2",
			orders, restarts, 2*smallshop.PoolMax)
	}
	for _, path := range []string{"/checkout", "/restart"} {
		if parent := shop.TraceParent(path); !strings.Contains(parent, root.trace) {
			t.Errorf("%s was called with traceparent %q, not of trace %s", path, parent, root.trace)
		}
	}
}

func TestWhoTakesAKeptFaultAwayGoesOnWithItsTrace(t *testing.T) {
	shop, seen := smallshop.Open(t), newBackend(t)
	observed(t, shop, seen.URL, seen.URL)
	opts, _ := options(t, shop)
	opts.Keep, opts.Duration = true, time.Second
	if _, err := runner.Run(t.Context(), opts); err != nil {
		t.Fatal(err)
	}
	if left := seen.named(journal.Stop); len(left) > 0 {
		t.Errorf("a kept fault was stopped: %v", left)
	}
	resumed := resume(t, shop)
	if err := resumed.Restore(t.Context()); err != nil {
		t.Fatal(err)
	}
	resumed.Close()
	root, stop := only(t, seen, journal.Experiment), only(t, seen, journal.Stop)
	if stop.trace != root.trace || stop.parent != root.id {
		t.Errorf("the stop %+v does not hang from %+v", stop, root)
	}
}

func TestARefusedExperimentSaysSoInItsTrace(t *testing.T) {
	shop, seen := smallshop.Open(t), newBackend(t)
	observed(t, shop, seen.URL, seen.URL)
	opts, _ := options(t, shop)
	opts.Experiment.Hypothesis.Client.Within.Duration = 0
	opts.Experiment.Hypothesis.Client.GoodSeconds = 1000
	if _, err := runner.Run(t.Context(), opts); err == nil {
		t.Fatal("it ran")
	}
	if root := only(t, seen, journal.Experiment); root.fields["chaos.end"] != "refused" {
		t.Errorf("the experiment's own span: %+v", root)
	}
	if last := seen.records[len(seen.records)-1]; last.fields["phase"] != "refused" || !strings.Contains(last.fields["detail"], "1000 are wanted") {
		t.Errorf("the last record: %+v", last)
	}
}

func TestDeadAndSilentBackendsChangeNothing(t *testing.T) {
	silent, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0") // takes connections and never answers
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	for name, url := range map[string]string{"nobody listens": "http://127.0.0.1:1", "nobody answers": "http://" + silent.Addr().String()} {
		t.Run(name, func(t *testing.T) {
			shop := smallshop.Open(t)
			observed(t, shop, url, url)
			opts, _ := options(t, shop)
			result, err := runner.Run(t.Context(), opts)
			if err != nil || result.End != runner.WindowOver || result.Presence == nil || !result.Presence.Present || shop.Leaks() != 0 {
				t.Errorf("result %+v, %v, %d connections held", result, err, shop.Leaks())
			}
			noRecord(t, shop)
		})
	}
}
