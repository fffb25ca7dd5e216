package playbook_test

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/faultline-lab/faultline/autoheal/guard"
	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/autoheal/playbook"
)

var known = playbook.Known{
	Causes: []incident.Cause{incident.ConnectionLeak}, Remedies: []string{guard.RestartReplicas, guard.ScaleOut}, Harmful: guard.Harmful,
}

const good = `version: 1
causes:
  connection-leak:
    ladder:
      - remedy: restart-replicas
        timeout: 15s
        verify:
          readings: 3
          within: 15s
`

func TestThePlaybook(t *testing.T) {
	builtIn, err := playbook.Load("", known)
	if err != nil {
		t.Fatal(err)
	}
	read, err := playbook.Parse("p.yaml", []byte(good), known)
	if err != nil {
		t.Fatal(err)
	}
	want := playbook.Rung{Remedy: "restart-replicas", Timeout: 15 * time.Second, Readings: 3, Within: 15 * time.Second}
	for _, p := range []playbook.Playbook{builtIn, read} {
		if l := p.Ladder(incident.ConnectionLeak); len(l) != 1 || !reflect.DeepEqual(l[0], want) {
			t.Errorf("the ladder is %+v; want %+v", l, want)
		}
		if l := p.Ladder(incident.Inconclusive); l != nil {
			t.Errorf("inconclusive has a ladder: %+v", l)
		}
	}
}

func TestAWrongPlaybookNamesFileAndLine(t *testing.T) {
	for _, test := range []struct{ name, old, new, want string }{
		{"an unknown key", "timeout:", "time_out:", "p.yaml:6:"},
		{"a wrong type", "readings: 3", "readings: three", "p.yaml:8:"},
		{"an unknown cause", "connection-leak", "bad-luck", `p.yaml:4: unknown cause "bad-luck"`},
		{"an unknown remedy", "restart-replicas", "pray", `p.yaml:5: unknown remedy "pray"`},
		{"a harmful remedy", "restart-replicas", "scale-out", "p.yaml:5: scale-out makes connection-leak worse"},
		{"no duration", "timeout: 15s", "timeout: soon", `p.yaml:6: "soon" is no duration`},
		{"a negative duration", "within: 15s", "within: -1s", "p.yaml:9:"},
		{"no proof", "readings: 3", "readings: 0", "p.yaml:8: readings is 0"},
		{"a proof that cannot come in time", "within: 15s", "within: 3s", "p.yaml:9: within is 3s"},
		{"another version", "version: 1", "version: 9", "p.yaml:1: version is 9"},
		{"a broken file", "ladder:", "ladder: [", "p.yaml:"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := playbook.Parse("p.yaml", []byte(strings.Replace(good, test.old, test.new, 1)), known)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v; want ...%s...", err, test.want)
			}
		})
	}
}

func FuzzThePlaybook(f *testing.F) {
	f.Add([]byte(good))
	f.Add([]byte("version: 1\ncauses: {connection-leak: {ladder: [null]}}\n"))
	f.Add([]byte("---\n---\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := playbook.Parse("p.yaml", data, known)
		if err != nil {
			return
		}
		for _, rung := range p.Ladder(incident.ConnectionLeak) {
			if rung.Timeout <= 0 || rung.Readings < 1 || rung.Within <= 0 {
				t.Errorf("%q was accepted with %+v", data, rung)
			}
		}
	})
}
