package abuse

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/e2e/internal/ward"
)

const (
	// usual is the built-in playbook.
	usual = ""
	// asking has a person asked before a replica is restarted.
	asking = `version: 2
causes:
  connection-leak:
    ladder:
      - remedy: restart-replicas
        timeout: 15s
        verify: {readings: 3, within: 15s}
        guards: {approval: required}
`
	// comeBound is how long a moment may take to come.
	comeBound = 60 * time.Second
	// window is how long a fault may live at most.
	window = 2 * time.Minute
)

// lab is the stack that all tests of this package share, with a playbook that each may choose.
type lab struct {
	*ward.Ward
	playbook string
}

// open starts the stack; who is asked has ten seconds to answer, which nobody does.
func open(t *testing.T) lab {
	t.Helper()
	playbook := filepath.Join(t.TempDir(), "playbook.yaml")
	l := lab{playbook: playbook}
	l.choose(t, usual)
	l.Ward = ward.Open(t, "6000", "--playbook="+playbook, "--answer-within=10s")
	return l
}

// fresh gives the stack a healer that knows of nothing, when there is nothing to know.
func (l lab) fresh(t *testing.T) {
	t.Helper()
	l.Quiet(t)
	l.Fresh(t)
}

// choose writes the playbook that the next healer will read.
func (l lab) choose(t *testing.T, text string) {
	t.Helper()
	if text == usual {
		text = builtIn(t)
	}
	if err := os.WriteFile(l.playbook, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func builtIn(t *testing.T) string {
	t.Helper()
	data, err := os.ReadFile("../../autoheal/playbook/default.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// A SIGKILL at every boundary between two stages. The supervisor starts the next healer on the same file.
func TestAKillAtEveryBoundaryLosesNothingAndDoesNothingTwice(t *testing.T) {
	l := open(t)
	for i, b := range boundaries() {
		t.Run(b.name, func(t *testing.T) { l.killAt(t, b, int64(i)) })
	}
}

func (l lab) killAt(t *testing.T, b boundary, seed int64) {
	l.choose(t, b.playbook)
	l.fresh(t)
	s := &scene{t: t, ward: l.Ward, runner: l.Inject(t, b.experiment, seed, window)}
	come := l.KillWhen(t, comeBound, func(seen ward.Seen) bool {
		s.Seen = seen
		return b.come(s)
	})
	if !come {
		t.Fatalf("the moment did not come within %s; the last that was seen: %+v", comeBound, states(s.Incidents))
	}
	t.Logf("killed with %d alerts waiting and incidents %+v", len(s.Waiting), states(s.Incidents))
	told := onDisk(s.Seen)
	l.Await(t, "the next healer", time.Minute, func() error { return l.readyAgain(t) })
	if b.holds {
		l.holdOn(t)
	}
	if b.experiment == "slow-downstream" { // nothing of it is left where it was taken away before the kill
		if err := s.runner.Restore(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	ended := l.AwaitEnd(t)
	t.Cleanup(func() { l.explain(t, ended) })
	l.CheckOnce(t, ended)
	l.CheckKept(t, told, ended)
	if waiting, err := l.Waiting(t.Context()); err != nil || len(waiting) > 0 {
		t.Errorf("%d alerts wait for an incident: %v", len(waiting), err)
	}
	if outcome := ended[0].Outcome; !slices.Contains(b.outcomes, outcome) {
		t.Errorf("it ended as %s (%s), want one of %v", outcome, ended[0].Reason, b.outcomes)
	}
	l.checkEdge(t, ended)
}

// onDisk names the alerts that were on disk when the healer was killed.
func onDisk(seen ward.Seen) map[string]bool {
	told := map[string]bool{}
	for _, alert := range seen.Waiting {
		told[alert.Fingerprint] = true
	}
	for _, one := range seen.Incidents {
		for _, alert := range one.Alerts {
			told[alert.Fingerprint] = true
		}
	}
	return told
}

func states(incidents []incident.Incident) []incident.State {
	var all []incident.State
	for _, one := range incidents {
		all = append(all, one.State)
	}
	return all
}
