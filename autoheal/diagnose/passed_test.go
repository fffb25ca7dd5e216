package diagnose_test

import (
	"slices"
	"testing"
	"time"

	"github.com/faultline-lab/faultline/autoheal/diagnose"
	"github.com/faultline-lab/faultline/autoheal/evidence"
	"github.com/faultline-lab/faultline/autoheal/incident"
)

// mend are the facts after the cause of each case has gone.
func mended(cause incident.Cause) evidence.Facts {
	facts := sick()
	switch cause {
	case incident.SlowDownstream:
		return slowCalls(facts, "payments", 0.09)
	case incident.TrafficSurge:
		// By then the surge is what was usual.
		return set(set(facts, evidence.EdgeArrivalBefore, "storefront", 100), evidence.EdgeArrivalRatio, "storefront", 0.4)
	}
	return facts
}

func TestAFaultHasPassedWhenItsOwnEvidenceHasGoneWhateverTheSymptom(t *testing.T) {
	for cause, before := range cases() {
		t.Run(string(cause), func(t *testing.T) {
			if passed, why := diagnose.Passed(cause, before, before); passed || why == "" {
				t.Errorf("it has passed while it is there: %s", why)
			}
			if passed, why := diagnose.Passed(cause, before, mended(cause)); !passed || why == "" {
				t.Errorf("it has not passed when it has gone: %s", why)
			}
			if passed, why := diagnose.Passed(cause, before, nil); passed || why == "" {
				t.Errorf("it has passed by what is unknown: %s", why)
			}
		})
	}
	if passed, why := diagnose.Passed(incident.Inconclusive, sick(), sick()); passed || why == "" {
		t.Error("what was never there has passed")
	}
}

func TestWhatIsInBetweenHasNotPassed(t *testing.T) {
	before := cases()
	for name, tc := range map[string]struct {
		cause incident.Cause
		now   evidence.Facts
	}{
		"a way that is quick now and then":              {incident.NetworkLatency, set(sick(), evidence.RoundTripQuick, "orders-2", 0.4)},
		"a way that nobody measures on one replica":     {incident.NetworkLatency, without1(sick(), evidence.RoundTripQuick, "orders-2")},
		"calls a little below the limit":                {incident.SlowDownstream, slowCalls(sick(), "payments", 0.19)},
		"calls that nobody makes":                       {incident.SlowDownstream, without1(sick(), evidence.CallTimeMean, "payments")},
		"a third more customers than before":            {incident.TrafficSurge, surge(sick(), 1.3)},
		"a surge that has become usual":                 {incident.TrafficSurge, set(set(surge(sick(), 2.5), evidence.EdgeArrivalRatio, "storefront", 1), evidence.EdgeArrivalBefore, "storefront", 100)},
		"a bad version that still leaks on one replica": {incident.BadRelease, newOn(set(sick(), evidence.SessionsIdleLong, "orders-1", 3), "orders-1", "orders-2")},
	} {
		t.Run(name, func(t *testing.T) {
			if passed, why := diagnose.Passed(tc.cause, before[tc.cause], tc.now); passed {
				t.Errorf("it has passed: %s", why)
			}
		})
	}
}

func without1(all evidence.Facts, name, subject string) evidence.Facts {
	return slices.DeleteFunc(slices.Clone(all), func(f incident.Fact) bool { return f.Name == name && f.Subject == subject })
}

func TestABadVersionHasPassedWhereItIsThereAndLeaksNoMore(t *testing.T) {
	if passed, why := diagnose.Passed(incident.BadRelease, cases()[incident.BadRelease], newOn(sick(), "orders-1", "orders-2")); !passed {
		t.Errorf("not passed: %s", why)
	}
}

func TestASymptomThatHurtsNobodyAndHasNoCauseNearIsHarmless(t *testing.T) {
	well := set(sick(), evidence.EdgeGoodRatio, "storefront", 0.99)
	ripening := set(lockedBy(well, 0.7), evidence.PoolTimeouts, "orders-1", 3)
	for name, tc := range map[string]struct {
		facts evidence.Facts
		want  bool
	}{
		"when the edge is good":                    {well, true},
		"not while the edge suffers":               {sick(), false},
		"not while the edge is unknown":            {without1(well, evidence.EdgeGoodRatio, "storefront"), false},
		"not while a cause is there":               {lockedBy(well, 3), false},
		"not while one may be there in a moment":   {ripening, false},
		"not while the server refuses":             {set(well, evidence.PoolConnectRefusals, "orders-1", 1), false},
		"not while Postgres is unknown":            {without1(well, evidence.ServerSessions, "server"), false},
		"not while the timeouts are not counted":   {without1(well, evidence.PoolTimeouts, "orders-2"), false},
		"not when a question of the symptom fails": {append(slices.Clone(well), incident.Fact{Name: evidence.PoolIdle, Source: evidence.Prometheus, Status: incident.Unknown}), false},
		"also when a mean is one of nothing":       {append(slices.Clone(well), incident.Fact{Name: evidence.PoolHoldMean, Source: evidence.Prometheus, Subject: "inventory-2", Status: incident.Unknown}), true},
	} {
		t.Run(name, func(t *testing.T) {
			r := diagnose.Diagnose(tc.facts, 1, time.Second)
			if r.Harmless != tc.want {
				t.Errorf("harmless %v, want %v: %s", r.Harmless, tc.want, r.Diagnosis.Summary)
			}
			if r.Harmless && (r.Gone || r.Diagnosis.Cause != incident.Inconclusive || r.LookAgainIn <= time.Second) {
				t.Errorf("harmless, and gone %v, cause %s, again in %s", r.Gone, r.Diagnosis.Cause, r.LookAgainIn)
			}
		})
	}
}
