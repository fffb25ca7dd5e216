package playbook_test

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/faultline-lab/faultline/autoheal/guard"
	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/autoheal/playbook"
	"github.com/faultline-lab/faultline/autoheal/remedy"
)

// stand is what is known of a remedy that takes one parameter, a number called by, or none.
type stand struct {
	name   string
	traits remedy.Traits
	by     bool
}

func (s stand) Name() string          { return s.name }
func (s stand) Traits() remedy.Traits { return s.traits }

func (s stand) Check(params remedy.Params) (string, error) {
	for name, text := range params {
		if !s.by || name != "by" {
			return name, errors.New("that is no parameter of it")
		}
		if strings.Trim(text, "0123456789") != "" {
			return name, errors.New("that is no number")
		}
	}
	if s.by && params["by"] == "" {
		return "by", errors.New("by is missing")
	}
	return "", nil
}

func known() playbook.Known {
	return playbook.Known{
		Causes: incident.Causes(), Harmful: guard.Harmful, Limits: guard.Defaults(guard.Act),
		Remedies: playbook.Remedies([]stand{
			{name: "restart-replicas", traits: remedy.Traits{Destructive: true, EndsRequests: true}},
			{name: "scale-out", traits: remedy.Traits{Lasting: true, Adds: true}, by: true},
		}),
	}
}

const good = `version: 2
causes:
  connection-leak:
    ladder:
      - remedy: restart-replicas
        timeout: 15s
        verify:
          readings: 3
          within: 15s
        guards:
          approval: required
          cooldown: 10m
          floor: 2
          per_hour: 3
  traffic-surge:
    ladder:
      - remedy: scale-out
        with: {by: 2}
        timeout: 30s
        verify: {readings: 3, within: 8s}
        hold: {ttl: 15s, at_most: 30m}
`

func TestAPlaybookIsReadAsItIsWritten(t *testing.T) {
	book, err := playbook.Parse("p.yaml", []byte(good), known())
	if err != nil {
		t.Fatal(err)
	}
	want := map[incident.Cause][]playbook.Rung{
		incident.ConnectionLeak: {{
			Remedy: "restart-replicas", Timeout: 15 * time.Second, Readings: 3, Within: 15 * time.Second,
			Guards: playbook.Guards{Approval: true, Cooldown: 10 * time.Minute, Floor: 2, PerHour: 3},
		}},
		incident.TrafficSurge: {{
			Remedy: "scale-out", With: map[string]string{"by": "2"}, Timeout: 30 * time.Second, Readings: 3, Within: 8 * time.Second,
			Hold: playbook.Hold{TimeToLive: 15 * time.Second, AtMost: 30 * time.Minute},
		}},
		incident.Inconclusive: nil,
	}
	for cause, ladder := range want {
		if got := book.Ladder(cause); !reflect.DeepEqual(got, ladder) {
			t.Errorf("the ladder of %s is %+v; want %+v", cause, got, ladder)
		}
	}
	if causes := book.Causes(); len(causes) != 2 || len(book.Warnings) != 0 {
		t.Errorf("causes %v, warnings %v", causes, book.Warnings)
	}
}

func TestAPlaybookOfVersionOneIsReadAsEver(t *testing.T) {
	const old = `version: 1
causes:
  connection-leak:
    ladder:
      - remedy: restart-replicas
        timeout: 15s
        verify: {readings: 3, within: 15s}
`
	book, err := playbook.Parse("p.yaml", []byte(old), known())
	if err != nil || len(book.Ladder(incident.ConnectionLeak)) != 1 {
		t.Errorf("%+v, %v", book, err)
	}
}

func TestParametersAreTakenAsTheyAreWritten(t *testing.T) {
	for written, want := range map[string]string{"2": "2", `"2"`: "2", "02": "02"} {
		text := strings.Replace(good, "{by: 2}", "{by: "+written+"}", 1)
		book, err := playbook.Parse("p.yaml", []byte(text), known())
		if err != nil {
			t.Errorf("by: %s: %v", written, err)
			continue
		}
		if got := book.Ladder(incident.TrafficSurge)[0].With["by"]; got != want {
			t.Errorf("by: %s is read as %q; want %q", written, got, want)
		}
	}
}

func TestAHarmfulRungIsAWarningWithItsPlaceAndReason(t *testing.T) {
	text := strings.ReplaceAll(good, "restart-replicas", "scale-out")
	text = strings.Replace(text, "        guards:\n", "        with: {by: 1}\n        hold: {ttl: 15s, at_most: 30m}\n        guards:\n", 1)
	book, err := playbook.Parse("p.yaml", []byte(text), known())
	if err != nil {
		t.Fatal(err)
	}
	if len(book.Warnings) != 1 || !strings.HasPrefix(book.Warnings[0].Error(), "p.yaml:5:17: scale-out makes connection-leak worse: a new replica leaks as well") {
		t.Errorf("warnings %v", book.Warnings)
	}
	if len(book.Ladder(incident.ConnectionLeak)) != 1 {
		t.Error("the rung is gone: nobody would see that the guard refuses it")
	}
}

func TestARungOnlyTightensTheGuards(t *testing.T) {
	own := guard.Defaults(guard.Act)
	for name, test := range map[string]struct {
		guards playbook.Guards
		change func(*guard.Limits)
	}{
		"nothing said, nothing changed":                 {playbook.Guards{}, func(*guard.Limits) {}},
		"a person must approve":                         {playbook.Guards{Approval: true}, func(l *guard.Limits) { l.AskFirst = true }},
		"a longer cooldown":                             {playbook.Guards{Cooldown: time.Hour}, func(l *guard.Limits) { l.Cooldown = time.Hour }},
		"a higher floor":                                {playbook.Guards{Floor: 2}, func(l *guard.Limits) { l.Floor = 2 }},
		"fewer actions":                                 {playbook.Guards{PerHour: 1}, func(l *guard.Limits) { l.PerHour = 1 }},
		"what would loosen does nothing, whoever wrote": {playbook.Guards{Cooldown: time.Second, Floor: -1, PerHour: 100}, func(*guard.Limits) {}},
	} {
		t.Run(name, func(t *testing.T) {
			want := own
			test.change(&want)
			if got := (playbook.Rung{Guards: test.guards}).Tighten(own); got != want {
				t.Errorf("got %+v; want %+v", got, want)
			}
		})
	}
	stricter := own
	stricter.AskFirst = true
	if !(playbook.Rung{}).Tighten(stricter).AskFirst {
		t.Error("a rung that says nothing lifts the need for an approval")
	}
}
