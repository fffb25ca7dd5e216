package ward

import (
	"bufio"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/faultline-lab/faultline/autoheal/incident"
)

// accepted is the supervisor's own line about a change that it took on.
var accepted = regexp.MustCompile(`^time=(\S+) .*msg="workload change accepted" workload=(\S+) change="?restart of ([^" ]+)"?`)

// Restarts counts, by replica, the restarts that the supervisor has taken on since a moment: it is the witness of what was
// really done, and knows nothing of incidents.
func (w *Ward) Restarts(t *testing.T, since time.Time) map[string]int {
	t.Helper()
	file, err := os.Open(filepath.Join(w.Root, ".faultline", "logs", "supervisor.log"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	counts := map[string]int{}
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		found := accepted.FindStringSubmatch(lines.Text())
		if found == nil {
			continue
		}
		at, err := time.Parse(time.RFC3339Nano, found[1])
		if err != nil {
			t.Fatal(err)
		}
		if at.After(since) {
			counts[found[3]]++
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return counts
}

// CheckOnce holds the healer's record against the supervisor's: no key twice, and for each replica no more restarts than
// actions that were meant to restart it.
func (w *Ward) CheckOnce(t *testing.T, incidents []incident.Incident) {
	t.Helper()
	keys, meant := map[string]bool{}, map[string]int{}
	for _, in := range incidents {
		for _, action := range in.Actions {
			if keys[action.Key] {
				t.Errorf("incident %s: the action %s is there twice", in.ID, action.Key)
			}
			keys[action.Key] = true
			if action.Remedy == "restart-replicas" {
				meant[action.Target]++
			}
			if action.FinishedAt == nil {
				t.Errorf("incident %s ended with the action %s under way", in.ID, action.Key)
			}
			if action.Changed() {
				t.Errorf("incident %s ended, and what %s changed still stands", in.ID, action.Key)
			}
		}
	}
	for replica, restarts := range w.Restarts(t, w.Since) {
		if restarts > meant[replica] {
			t.Errorf("%s was restarted %d times, and %d actions were meant to", replica, restarts, meant[replica])
		}
	}
}

// CheckKept holds every page that Alertmanager has told of against the healer's incidents: what was acknowledged is in one.
func (w *Ward) CheckKept(t *testing.T, told map[string]bool, incidents []incident.Incident) {
	t.Helper()
	kept := map[string]bool{}
	for _, in := range incidents {
		for _, alert := range in.Alerts {
			kept[alert.Fingerprint] = true
		}
	}
	for fingerprint := range told {
		if !kept[fingerprint] {
			t.Errorf("the alert %s was acknowledged and is in no incident", fingerprint)
		}
	}
}
