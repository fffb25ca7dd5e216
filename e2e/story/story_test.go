package story

import (
	"strings"
	"testing"
	"time"

	"github.com/faultline-lab/faultline/e2e/record"
	"github.com/faultline-lab/faultline/e2e/trial"
)

var injected = time.Date(2026, 3, 1, 12, 0, 0, 300e6, time.UTC)

func after(seconds float64) time.Time {
	return injected.Add(time.Duration(seconds * float64(time.Second)))
}

func tick(seconds float64, good int) trial.Event {
	second := record.Second{Start: after(seconds), Counted: 40, Good: good, OK: good >= 38}
	return trial.Event{At: second.Start, Kind: trial.Tick, Second: &second}
}

func events() []trial.Event {
	return []trial.Event{
		{At: after(-3), Kind: trial.Steady, Text: "every customer is served well"},
		tick(-1, 40),
		{At: after(0), Kind: trial.Injected, Text: "injecting connection-leak"},
		{At: after(0), Kind: trial.ClientBad, Text: "first bad second"},
		tick(-0.3, 20),
		{At: after(1.31), Kind: trial.Healer, Text: "diagnosis: connection-leak\norders-1: the pool is full"},
		tick(0.7, 0),
		{At: after(2.7), Kind: trial.Recovered, Text: "recovered"},
		tick(2.7, 40),
	}
}

func TestPlainLinesShowTheSecondsOfSufferingOnly(t *testing.T) {
	var out strings.Builder
	teller := New(Config{Out: &out})
	for _, event := range events() {
		teller.Tell(event)
	}
	want := `          steady   every customer is served well
   0.0 s  fault    injecting connection-leak
   0.0 s  client   first bad second
  -0.3 s  client   ██████████░░░░░░░░░░ 20 of 40 checkouts good
   1.3 s  healer   diagnosis: connection-leak
                   orders-1: the pool is full
   0.7 s  client   ░░░░░░░░░░░░░░░░░░░░ 0 of 40 checkouts good
   2.7 s  client   recovered
`
	if out.String() != want {
		t.Errorf("got\n%s\nwant\n%s", out.String(), want)
	}
}

func TestALongSufferingIsToldInTenths(t *testing.T) {
	var out strings.Builder
	teller := New(Config{Out: &out})
	teller.Tell(trial.Event{At: after(0), Kind: trial.Injected})
	teller.Tell(trial.Event{At: after(0), Kind: trial.ClientBad})
	for i := range 40 {
		teller.Tell(tick(float64(i), 0))
	}
	if lines := strings.Count(out.String(), "0 of 40"); lines != 5+4 {
		t.Errorf("%d lines for 40 bad seconds, want the first five and one in ten:\n%s", lines, out.String())
	}
}

func TestATerminalShowsThePresentSecondOnOneLineThatIsRewritten(t *testing.T) {
	var out strings.Builder
	teller := New(Config{Out: &out, Live: true})
	for _, event := range events() {
		teller.Tell(event)
	}
	if lines := strings.Count(out.String(), "\n"); lines != 6 {
		t.Errorf("%d lines end, want 6: seconds must not scroll\n%q", lines, out.String())
	}
	if rewrites := strings.Count(out.String(), "\r\x1b[2K"); rewrites != 3 {
		t.Errorf("%d rewrites, want one for each line after a second:\n%q", rewrites, out.String())
	}
}

func TestEndingSaysWhatTheRecordSays(t *testing.T) {
	r := record.Record{
		Experiment: "connection-leak", Arm: "healer", Recovered: new(true), CauseDiagnosed: "connection-leak",
		MTTR: new(2.4), Requests: 600, Failed: 60, Actions: []record.Action{{Remedy: "restart-replicas", Target: "orders-1", Result: "done"}},
	}
	for name, tc := range map[string]struct {
		change func(*record.Record)
		want   string
	}{
		"a heal":                           {func(*record.Record) {}, "arm healer: recovered."},
		"its MTTR":                         {func(*record.Record) {}, "first bad second -> recovery   2.40 s"},
		"a fault that stays":               {func(r *record.Record) { r.Recovered, r.FaultStillPresent = new(false), new(true) }, "NOT recovered, the fault was still in force"},
		"a fault that went, client unwell": {func(r *record.Record) { r.Recovered, r.FaultStillPresent = new(false), new(false) }, "NOT recovered."},
		"a control":                        {func(r *record.Record) { r.Recovered = nil }, "nothing to recover from"},
	} {
		t.Run(name, func(t *testing.T) {
			told := r
			tc.change(&told)
			if got := Ending(told); !strings.Contains(got, tc.want) {
				t.Errorf("the ending lacks %q:\n%s", tc.want, got)
			}
		})
	}
}
