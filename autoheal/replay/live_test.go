package replay_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/faultline-lab/faultline/autoheal/correlate"
	"github.com/faultline-lab/faultline/autoheal/guard"
	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/autoheal/playbook"
	"github.com/faultline-lab/faultline/autoheal/remedy"
	"github.com/faultline-lab/faultline/autoheal/replay"
)

// live are incidents of the local stack: one of each experiment that leads to one, and one whose fault nobody knows.
// `autoheal incidents --json`, with two alerts of each kept.
func live(t *testing.T) []incident.Incident {
	t.Helper()
	data, err := os.ReadFile("testdata/live.json.gz")
	if err != nil {
		t.Fatal(err)
	}
	unzipped, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Incidents []incident.Incident }
	if err := json.NewDecoder(unzipped).Decode(&file); err != nil {
		t.Fatal(err)
	}
	return file.Incidents
}

// replayer judges by the built-in playbook, with some of its text replaced (old, new, ...).
func replayer(t *testing.T, replace ...string) *replay.Replayer {
	t.Helper()
	text, err := os.ReadFile("../playbook/default.yaml")
	if err != nil {
		t.Fatal(err)
	}
	book, err := playbook.Parse("playbook.yaml", []byte(strings.NewReplacer(replace...).Replace(string(text))), playbook.Known{
		Causes: incident.Causes(), Harmful: guard.Harmful, Limits: guard.Defaults(guard.Act), Remedies: playbook.Remedies(remedy.Known()),
	})
	if err != nil {
		t.Fatal(err)
	}
	dependencies, err := correlate.Load("")
	if err != nil {
		t.Fatal(err)
	}
	r, err := replay.New(replay.Config{Playbook: book, Another: len(replace) > 0, Map: dependencies, Harmful: guard.Harmful})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func judge(t *testing.T, r *replay.Replayer, in incident.Incident) replay.Report {
	t.Helper()
	report, err := r.Replay(in)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// What the healer decided on the real stack, it decides again from what it had recorded. A change of the diagnosis that decides
// otherwise fails here: then look whether that is better, and record anew.
func TestEveryDecisionOfTheLiveStackComesOutAgain(t *testing.T) {
	r, causes, decisions := replayer(t), map[incident.Cause]int{}, 0
	for _, in := range live(t) {
		if report := judge(t, r, in); !report.Same {
			t.Errorf("%s, recorded as %s:\n%s", in.ID, in.Diagnosis.Cause, report)
		}
		causes[in.Diagnosis.Cause]++
		decisions += len(in.Decisions)
	}
	for _, cause := range append(incident.Causes(), incident.Inconclusive) {
		if causes[cause] == 0 {
			t.Errorf("there is no record of %s", cause)
		}
	}
	t.Logf("%d decisions, by cause %v", decisions, causes)
}

func TestAnotherPlaybookShowsItsDifferenceOnLiveRecords(t *testing.T) {
	r := replayer(t, "remedy: cancel-query", "remedy: end-session")
	for _, in := range live(t) {
		report := judge(t, r, in)
		if want := in.Diagnosis.Cause == incident.SlowQuery; report.Same == want {
			t.Errorf("%s, recorded as %s: same %t\n%s", in.ID, in.Diagnosis.Cause, report.Same, report)
		} else if want && !strings.Contains(report.String(), "cancel-query on orders/orders-1, orders/orders-2 -> end-session on") {
			t.Errorf("the difference is told as:\n%s", report)
		}
	}
}

// A fact that says otherwise leads elsewhere: without the sessions that hold the lock nobody can name the lock.
func TestWithoutItsDecidingFactARecordComesOutOtherwise(t *testing.T) {
	r := replayer(t)
	for _, in := range live(t) {
		if in.Diagnosis.Cause != incident.LockContention {
			continue
		}
		for i := range in.Evidence {
			if in.Evidence[i].Source == "postgres" {
				in.Evidence[i].Status = incident.Unknown
			}
		}
		if report := judge(t, r, in); report.Same {
			t.Errorf("it comes out the same without what Postgres said:\n%s", report)
		}
	}
}

func TestWithoutAHarmListNothingIsReplayed(t *testing.T) {
	if _, err := replay.New(replay.Config{}); err == nil {
		t.Error("a replayer was made")
	}
}
