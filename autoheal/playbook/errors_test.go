package playbook_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/autoheal/playbook"
)

var update = flag.Bool("update", false, "rewrite the golden file")

// from is the good playbook from a text on.
func from(text string) string {
	before, _, _ := strings.Cut(good, text)
	return strings.TrimPrefix(good, before)
}

// TestAWrongPlaybookNamesFileLineAndColumn holds every error against a golden file, since people must understand them.
func TestAWrongPlaybookNamesFileLineAndColumn(t *testing.T) {
	place := regexp.MustCompile(`^p\.yaml:\d+:\d+: `)
	var got strings.Builder
	for _, test := range []struct{ name, old, new string }{
		{"an unknown key", "timeout: 15s", "time_out: 15s"},
		{"a wrong type", "readings: 3\n", "readings: three\n"},
		{"an unknown cause", "connection-leak", "bad-luck"},
		{"an unknown remedy", "restart-replicas", "pray"},
		{"no remedy", "remedy: restart-replicas", "remedy:"},
		{"no duration", "timeout: 15s", "timeout: soon"},
		{"no timeout", "        timeout: 15s\n", ""},
		{"a negative duration", "within: 15s", "within: -1s"},
		{"no proof", "readings: 3\n", "readings: 0\n"},
		{"a proof that cannot come in time", "within: 15s", "within: 3s"},
		{"a parameter that the remedy does not know", "{by: 2}", "{by: 2, fast: true}"},
		{"a parameter with a wrong value", "{by: 2}", "{by: two}"},
		{"a parameter that is missing", "with: {by: 2}\n        ", ""},
		{"a parameter with no value", "{by: 2}", "{by: null}"},
		{"a parameter that is a list", "{by: 2}", "{by: [2]}"},
		{"parameters that are a list", "{by: 2}", "[by]"},
		{"a parameter of a remedy that takes none", "timeout: 15s", "timeout: 15s\n        with: {by: 1}"},
		{"a time to live among the parameters", "{by: 2}", "{by: 2, ttl: 15s}"},
		{"a change that stands without a hold", "        hold: {ttl: 15s, at_most: 30m}\n", ""},
		{"a hold of what does not stand", "timeout: 15s", "timeout: 15s\n        hold: {ttl: 15s, at_most: 30m}"},
		{"a hold that ends before it is renewed", "at_most: 30m", "at_most: 5s"},
		{"a hold that nobody can renew in time", "ttl: 15s", "ttl: 10ms"},
		{"a hold without an end", "hold: {ttl: 15s, at_most: 30m}", "hold: {ttl: 15s}"},
		{"an approval that is not required", "approval: required", "approval: nice"},
		{"a shorter cooldown", "cooldown: 10m", "cooldown: 1m"},
		{"a lower floor", "floor: 2", "floor: 0"},
		{"more actions an hour", "per_hour: 3", "per_hour: 60"},
		{"no actions an hour", "per_hour: 3", "per_hour: 0"},
		{"another version", "version: 2", "version: 9"},
		{"no version", "version: 2\n", ""},
		{"what version 1 did not have", "version: 2", "version: 1"},
		{"no rungs", from("      - remedy: scale-out"), "      []\n"},
		{"no causes", from("  connection-leak"), ""},
		{"two documents", "version: 2", "version: 2\n---\nversion: 2"},
		{"an empty file", good, ""},
		{"a broken file", "ladder:", "ladder: ["},
	} {
		_, err := playbook.Parse("p.yaml", []byte(strings.Replace(good, test.old, test.new, 1)), known())
		if err == nil || !place.MatchString(err.Error()) {
			t.Errorf("%s: error %v", test.name, err)
		}
		fmt.Fprintf(&got, "%s\n  %s\n", test.name, strings.ReplaceAll(fmt.Sprint(err), "\n", "\n  "))
	}
	golden := filepath.Join("testdata", "errors.txt")
	if *update {
		if err := os.WriteFile(golden, []byte(got.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil || got.String() != string(want) {
		t.Errorf("%v; the errors are (-update rewrites %s):\n%s", err, golden, got.String())
	}
}

func TestAllRungsThatAreWrongAreNamedAtOnce(t *testing.T) {
	text := strings.Replace(strings.Replace(good, "timeout: 15s", "timeout: soon", 1), "{by: 2}", "{by: two}", 1)
	_, err := playbook.Parse("p.yaml", []byte(text), known())
	if err == nil || !strings.Contains(err.Error(), "p.yaml:6:18: ") || !strings.Contains(err.Error(), "p.yaml:18:20: ") {
		t.Errorf("error %v", err)
	}
}

func FuzzAPlaybookNeverPanicsAndWhatIsAcceptedCanBeClimbed(f *testing.F) {
	f.Add([]byte(good))
	f.Add([]byte("version: 1\ncauses: {connection-leak: {ladder: [null]}}\n"))
	f.Add([]byte("version: 2\ncauses: {'a.b[': {ladder: [{remedy: scale-out, with: *x}]}}\n"))
	f.Add([]byte("---\n---\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		book, err := playbook.Parse("p.yaml", data, known())
		if err != nil {
			return
		}
		for _, cause := range incident.Causes() {
			for _, rung := range book.Ladder(cause) {
				held := rung.Hold.TimeToLive > 0 && rung.Hold.AtMost >= rung.Hold.TimeToLive
				if rung.Timeout <= 0 || rung.Readings < 1 || rung.Within <= 0 || held != (rung.Remedy == "scale-out") {
					t.Errorf("%q was accepted with %+v", data, rung)
				}
			}
		}
	})
}
