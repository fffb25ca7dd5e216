package record

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// seconds makes one client second a letter: "." good, "x" bad, "a" accepted with 202 (mitigated, not recovered).
func seconds(picture string) []Second {
	var out []Second
	for i, letter := range picture {
		if letter == '?' { // not reported
			continue
		}
		second := Second{Start: start.Add(time.Duration(i) * time.Second), Counted: 40}
		switch letter {
		case '.':
			second.Good, second.OK, second.Mitigated = 40, true, true
		case 'a':
			second.Good, second.Accepted, second.Mitigated = 5, 35, true
		}
		out = append(out, second)
	}
	return out
}

func at(seconds float64) time.Time { return start.Add(time.Duration(seconds * float64(time.Second))) }

func TestJudge(t *testing.T) {
	const never = -1.0
	for name, tc := range map[string]struct {
		picture                        string
		injectedAt                     float64
		firstBad, mitigated, recovered float64
		failed                         int
	}{
		"all good has no first bad second":                   {"..............", 0, never, never, never, 0},
		"recovery is dated at the first of ten":              {"..xxxx..........", 0, 2, 6, 6, 160},
		"nine good seconds are no recovery":                  {"..xxxx.........", 0, 2, never, never, 160},
		"a relapse starts the count again":                   {"..xx.....x..........", 0, 2, 10, 10, 120},
		"accepted orders mitigate, completed ones recover":   {"xxaaaaaaaaaa..........", 0, 0, 2, 12, 80},
		"bad seconds before the injection do not count":      {"xx..xx..........", 3, 4, 6, 6, 80},
		"an injection within the first bad second dates it":  {"..xxxx..........", 2.4, 2.4, 6, 6, 160},
		"a second that was over at the injection is not its": {".x.xxx..........", 2, 3, 6, 6, 120},
		"a relapse after the recovery takes it back":         {"xx..........x....", 0, 0, never, never, 120},
		"a relapse is recovered from anew":                   {"xx..........x..........", 0, 0, 13, 13, 120},
		"a second that nobody reported breaks the run":       {"xx.....?......", 0, 0, never, never, 80},
		"ten good seconds before the first bad one are not":  {"..........xxxx", 0, 10, never, never, 160},
	} {
		t.Run(name, func(t *testing.T) {
			got := Judge(seconds(tc.picture), at(tc.injectedAt))
			check := func(what string, got *time.Time, want float64) {
				t.Helper()
				switch {
				case want == never && got != nil:
					t.Errorf("%s = %s, want never", what, got)
				case want != never && (got == nil || !got.Equal(at(want))):
					t.Errorf("%s = %v, want second %v", what, got, want)
				}
			}
			check("first bad", got.FirstBad, tc.firstBad)
			check("mitigated", got.Mitigated, tc.mitigated)
			check("recovered", got.Recovered, tc.recovered)
			if got.Failed != tc.failed {
				t.Errorf("failed = %d, want %d", got.Failed, tc.failed)
			}
		})
	}
}

func TestMeasureCountsFromTheFirstBadSecondAndFromTheInjection(t *testing.T) {
	r := Record{}
	r.Stages.Injected = new(start.Add(time.Second))
	r.Stages.AlertFiring = new(start.Add(3500 * time.Millisecond))
	r.Measure(Judge(seconds("..xxxx.........."), start.Add(time.Second)))
	if *r.MTTD != 1.5 || *r.MTTR != 4 || *r.MTTRInjected != 5 {
		t.Errorf("mttd %v, mttr %v, from injection %v; want 1.5, 4, 5", *r.MTTD, *r.MTTR, *r.MTTRInjected)
	}
}

func TestOutOfOrder(t *testing.T) {
	ms := func(ms int) *time.Time { return new(start.Add(time.Duration(ms) * time.Millisecond)) }
	good := Stages{
		Injected: ms(0), FirstBad: ms(0), AlertPending: ms(1500), AlertFiring: ms(1500), WebhookReceived: ms(1600),
		Diagnosed: ms(1700), Decided: ms(1700), ActionStarted: ms(1710), ActionFinished: ms(3300),
		SLIMitigated: ms(3000), SLIRecovered: ms(3000), Verified: ms(6000), AlertResolved: ms(9000),
	}
	if got := good.OutOfOrder(); got != "" {
		t.Errorf("a good trial is said to be out of order: %s", got)
	}
	diagnosedLate, recoveredEarly := good, good
	diagnosedLate.Diagnosed = ms(2000)
	recoveredEarly.SLIMitigated, recoveredEarly.SLIRecovered = ms(0), ms(0)
	for name, tc := range map[string]struct {
		stages Stages
		want   string
	}{
		"a decision before its diagnosis":     {diagnosedLate, "decided"},
		"a recovery before anything was done": {recoveredEarly, "sli_mitigated"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := tc.stages.OutOfOrder(); !strings.HasPrefix(got, tc.want) {
				t.Errorf("OutOfOrder() = %q, want it to name %s", got, tc.want)
			}
		})
	}
	if got := (Stages{Injected: ms(0), FirstBad: ms(0)}).OutOfOrder(); got != "" {
		t.Errorf("stages that did not happen are no disorder: %s", got)
	}
}

func TestSaveWritesNullForWhatDidNotHappen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "deep", "trial.json")
	if err := (Record{Experiment: "connection-leak", Arm: "none"}).Save(path); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var fields map[string]any
	if err := json.Unmarshal(data, &fields); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"mttd_s", "mttr_s", "mttr_injected_s", "mitigated_s", "recovered", "fault_still_present"} {
		if value, there := fields[key]; !there || value != nil {
			t.Errorf("%s = %v (present %v), want null", key, value, there)
		}
	}
	if stages := fields["stages"].(map[string]any); len(stages) != 13 {
		t.Errorf("%d stages, want all 13 of the contract", len(stages))
	}
	again, err := Load(path)
	if err != nil || again.Experiment != "connection-leak" || again.Arm != "none" || again.Recovered != nil {
		t.Errorf("loaded %+v, %v", again, err)
	}
	if err := os.WriteFile(path, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(path); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("half a record: %v, want an error that names the file", err)
	}
}

func TestWhatWasOnlyMitigatedMayRecoverAfterItsProof(t *testing.T) {
	ms := func(ms int) *time.Time { return new(start.Add(time.Duration(ms) * time.Millisecond)) }
	stages := Stages{ActionStarted: ms(1700), SLIMitigated: ms(3000), Verified: ms(6000), SLIRecovered: ms(40_000)}
	if got := stages.OutOfOrder(); got != "" {
		t.Errorf("a mitigation that was proved first is said to be out of order: %s", got)
	}
	stages.SLIMitigated = ms(40_000)
	if got := stages.OutOfOrder(); !strings.HasPrefix(got, "verified") {
		t.Errorf("OutOfOrder() = %q: what was recovered must be so before the proof", got)
	}
}

func TestTheReturnAfterAFaultIsTheFirstRunThatNoBadSecondFollows(t *testing.T) {
	var seconds []Second
	for i := range 30 {
		seconds = append(seconds, Second{Start: start.Add(time.Duration(i) * time.Second), Counted: 40, Good: 40, OK: i >= 5 && i != 17})
	}
	verdict := JudgeReturn(seconds, start.Add(3*time.Second))
	if verdict.Recovered == nil || !verdict.Recovered.Equal(start.Add(18*time.Second)) || verdict.Seconds != 27 {
		t.Errorf("recovered %v of %d seconds, want second 18 of 27", verdict.Recovered, verdict.Seconds)
	}
	if verdict = JudgeReturn(seconds[:27], start); verdict.Recovered != nil {
		t.Errorf("a run of nine is recovery at %v", verdict.Recovered)
	}
}
