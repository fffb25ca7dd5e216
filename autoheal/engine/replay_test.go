package engine_test

import (
	"encoding/json"
	"flag"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/faultline-lab/faultline/autoheal/correlate"
	"github.com/faultline-lab/faultline/autoheal/guard"
	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/autoheal/playbook"
	"github.com/faultline-lab/faultline/autoheal/remedy"
	"github.com/faultline-lab/faultline/autoheal/replay"
)

// replayed judges the record of an incident again.
func replayed(t *testing.T, c *clinic, in incident.Incident, book playbook.Playbook, another bool) replay.Report {
	t.Helper()
	dependencies, err := correlate.Load("")
	if err != nil {
		t.Fatal(err)
	}
	again, err := replay.New(replay.Config{
		Playbook: book, Another: another, Map: dependencies, ScrapeInterval: c.world.scrape, Harmful: guard.Harmful,
	})
	if err != nil {
		t.Fatal(err)
	}
	report, err := again.Replay(in)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// relapses leaks again on every start of a replica.
func relapses(c *clinic) {
	c.world.onReady = func(_ string, l *life) { l.leaked = l.ready.Add(6 * time.Second) }
}

func TestAReplayWithAnotherPlaybookShowsWhatItWouldHaveDone(t *testing.T) {
	book := func(rungs ...string) playbook.Playbook {
		text := "version: 2\ncauses:\n  connection-leak:\n    ladder:\n"
		for _, r := range rungs {
			text += "      - {remedy: " + r + ", timeout: 15s, verify: {readings: 3, within: 15s}}\n"
		}
		parsed, err := playbook.Parse("p.yaml", []byte(text), playbook.Known{
			Causes: incident.Causes(), Harmful: guard.Harmful, Limits: guard.Defaults(guard.Act), Remedies: playbook.Remedies(remedy.Known()),
		})
		if err != nil {
			t.Fatal(err)
		}
		return parsed
	}
	scenario(t, relapses, func(t *testing.T, c *clinic) {
		leakThenAlert(c, 2*time.Second, "orders-1")
		in := only(t, c.settle())
		for _, test := range []struct {
			name string
			book playbook.Playbook
			want []string
		}{
			{"the same ladder", book("restart-replicas"), []string{"same (", "2 decisions"}},
			{"another remedy", book("end-backends"), []string{"different", "round 1: restart-replicas on orders-1 -> end-backends on orders-1, which is refused (the harm list refuses it"}},
			{"a further rung", book("restart-replicas", "health-check"), []string{"different", ": nothing (the ladder for connection-leak is exhausted", "-> health-check on orders"}},
		} {
			report := replayed(t, c, in, test.book, true)
			for _, want := range test.want {
				if !strings.Contains(report.String(), want) {
					t.Errorf("%s: %s\nlacks %q", test.name, report, want)
				}
			}
		}
	})
}

var update = flag.Bool("update", false, "rewrite the record that the command line's tests replay")

// The command line replays a record that a healer once left behind, and so says when a later healer decides otherwise.
func TestTheRecordThatTheCommandLineReplaysIsOfAHealersOwn(t *testing.T) {
	const path = "../cmd/autoheal/testdata/relapse.json"
	if *update {
		scenario(t, relapses, func(t *testing.T, c *clinic) {
			leakThenAlert(c, 2*time.Second, "orders-1")
			in := only(t, c.settle())
			in.ID = "20260102-030405-relapse"
			raw, err := json.Marshal(map[string]any{"incidents": []incident.Incident{in}})
			if err == nil {
				err = os.WriteFile(path, append(raw, '\n'), 0o600)
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var list struct{ Incidents []incident.Incident }
	if err := json.Unmarshal(raw, &list); err != nil || len(list.Incidents) != 1 {
		t.Fatalf("%d incidents, %v", len(list.Incidents), err)
	}
	scenario(t, nil, func(t *testing.T, c *clinic) {
		if report := replayed(t, c, list.Incidents[0], c.book, false); !report.Same || len(report.Rounds) < 2 {
			t.Errorf("%s (`go test ./engine -update` takes a new record, where that is meant)", report)
		}
	})
}

// A diagnosis that is not what it was must show: here the facts were changed instead of the code.
func TestAReplayShowsThatADiagnosisCameOutOtherwise(t *testing.T) {
	scenario(t, nil, func(t *testing.T, c *clinic) {
		leakThenAlert(c, 2*time.Second, "orders-1")
		in := only(t, c.settle())
		for i := range in.Evidence {
			if in.Evidence[i].Source == "postgres" {
				in.Evidence[i].Status = incident.Unknown
			}
		}
		report := replayed(t, c, in, c.book, false)
		if report.Same || !strings.Contains(report.String(), "restart-replicas on orders-1 -> inconclusive") {
			t.Errorf("%s", report)
		}
	})
}
