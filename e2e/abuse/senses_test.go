package abuse

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/e2e/internal/ward"
)

// away is for how long a source stands still: longer than any gathering waits.
const away = 8 * time.Second

// A source that stands still in the middle of an incident, its connections open: the worst way of being gone. Those that only
// corroborate may not hold anything up; without the others the healer must not act.
func TestASourceThatStandsStillIsUnknownAndTheIncidentEnds(t *testing.T) {
	l := open(t)
	for name, tc := range map[string]struct {
		processes []string
		needed    bool
	}{
		"loki":             {[]string{"loki"}, false},
		"jaeger":           {[]string{"jaeger"}, false},
		"loki and jaeger":  {[]string{"loki", "jaeger"}, false},
		"prometheus":       {[]string{"prometheus"}, true},
		"postgres, wholly": {[]string{"postgres"}, true},
	} {
		t.Run(name, func(t *testing.T) {
			l.choose(t, usual)
			l.fresh(t)
			l.Inject(t, "connection-leak", 1, window)
			seen := l.stillAt(t, incident.Received)
			thaw := l.Freeze(t, tc.processes...)
			seen.goOn()
			frozen := time.Now()
			if tc.needed {
				l.nothingIsDoneFor(t, away)
			} else {
				l.AwaitEnd(t)
			}
			thaw()
			t.Logf("it stood still for %s", time.Since(frozen).Round(time.Millisecond))
			l.checkEnd(t, onDisk(seen.Seen), !tc.needed)
		})
	}
}

// nothingIsDoneFor sees to it that no action finds its way into the record while a needed source stands still.
func (l lab) nothingIsDoneFor(t *testing.T, period time.Duration) {
	t.Helper()
	for over := time.Now().Add(period); time.Now().Before(over); time.Sleep(100 * time.Millisecond) {
		all, err := l.Incidents(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, one := range all {
			if at := slices.IndexFunc(one.Actions, func(a incident.Action) bool { return a.Result != incident.ResultSkipped }); at >= 0 {
				t.Fatalf("%s was done although it could not be known what is wrong", one.Actions[at].Key)
			}
		}
	}
}

// checkEnd waits for the end and holds it against what every end must be; healed says that it must be a recovery.
func (l lab) checkEnd(t *testing.T, told map[string]bool, healed bool) {
	t.Helper()
	ended := l.AwaitEnd(t)
	t.Cleanup(func() { l.explain(t, ended) })
	l.CheckOnce(t, ended)
	l.CheckKept(t, told, ended)
	for _, one := range ended {
		t.Logf("incident %s: %s (%s)", one.ID, one.Outcome, one.Reason)
		if healed && one.Outcome != incident.Recovered {
			t.Errorf("incident %s ended as %s: %s", one.ID, one.Outcome, one.Reason)
		}
	}
	if waiting, err := l.Waiting(t.Context()); err != nil || len(waiting) > 0 {
		t.Errorf("%d alerts wait for an incident: %v", len(waiting), err)
	}
}

// stillness is the healer, standing still at a chosen moment.
type stillness struct {
	ward.Seen
	goOn func()
}

// stillAt stops the healer when its first incident is in a state, so that the world can be changed at exactly that moment.
func (l lab) stillAt(t *testing.T, state incident.State) stillness {
	t.Helper()
	var still stillness
	var err error
	still.Seen, still.goOn, err = l.StopWhen(t, comeBound, func(seen ward.Seen) bool {
		return len(seen.Incidents) > 0 && seen.Incidents[0].State == state
	})
	if err != nil {
		t.Fatal(errors.Join(errors.New("the moment did not come"), err))
	}
	return still
}
