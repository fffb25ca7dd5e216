package senses

import (
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/faultline-lab/faultline/observability/grafana"
	"github.com/faultline-lab/faultline/slo/rules"
)

// ruleFile is the part of a Prometheus rule file that asks something.
type ruleFile struct {
	Groups []struct {
		Rules []struct {
			Record string `yaml:"record"`
			Alert  string `yaml:"alert"`
			Expr   string `yaml:"expr"`
		} `yaml:"rules"`
	} `yaml:"groups"`
}

// intervals are those of the targets: a second on one's own machine, longer elsewhere.
var intervals = []time.Duration{time.Second, 5 * time.Second, 15 * time.Second}

func readRules(t *testing.T, profile string, interval time.Duration) map[string]ruleFile {
	t.Helper()
	files, err := rules.Files(profile, interval)
	if err != nil {
		return nil // this profile's windows are too short for the interval
	}
	parsed := map[string]ruleFile{}
	for name, data := range files {
		var file ruleFile
		if err := yaml.Unmarshal(data, &file); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		parsed[name] = file
	}
	return parsed
}

func TestRulesAskOnlyForWhatTheContractLists(t *testing.T) {
	agreed := load(t)
	asked := 0
	for _, profile := range rules.Profiles() {
		for _, interval := range intervals {
			files := readRules(t, profile, interval)
			recorded := recordedBy(files)
			for name, file := range files {
				for _, group := range file.Groups {
					for _, rule := range group.Rules {
						asked++
						if err := agreed.CheckPromQL(rule.Expr, recorded...); err != nil {
							t.Errorf("profile %s, every %s: %s: %s%s: %v", profile, interval, name, rule.Alert, rule.Record, err)
						}
					}
				}
			}
		}
	}
	if asked == 0 {
		t.Error("no rule was read")
	}
}

// recordedBy names the series that rule files make.
func recordedBy(files map[string]ruleFile) []string {
	names := map[string]bool{}
	for _, file := range files {
		for _, group := range file.Groups {
			for _, rule := range group.Rules {
				if rule.Record != "" {
					names[rule.Record] = true
				}
			}
		}
	}
	return slices.Sorted(maps.Keys(names))
}

// A dashboard is the same file everywhere: it asks for what either profile records.
func TestDashboardsAskOnlyForWhatTheContractListsAndTheRulesRecord(t *testing.T) {
	agreed := load(t)
	var recorded []string
	for _, profile := range rules.Profiles() {
		recorded = append(recorded, recordedBy(readRules(t, profile, time.Second))...)
	}
	asked := 0
	for _, dashboard := range grafana.Dashboards() {
		for _, panel := range dashboard.Panels() {
			for _, question := range panel.Queries {
				if question.Datasource != grafana.Prometheus {
					continue
				}
				asked++
				if err := agreed.CheckPromQL(question.Expr, recorded...); err != nil {
					t.Errorf("dashboard %q, panel %q, query %s: %v", panel.Dashboard, panel.Title, question.RefID, err)
				}
			}
		}
	}
	if asked == 0 {
		t.Error("no panel asks Prometheus")
	}
}
