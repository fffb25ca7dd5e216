package lint_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/faultline-lab/faultline/observability/contract"
	"github.com/faultline-lab/faultline/slo/lint"
	"github.com/faultline-lab/faultline/slo/model"
	"github.com/faultline-lab/faultline/slo/openslo"
	"github.com/faultline-lab/faultline/slo/profile"
	"github.com/faultline-lab/faultline/slo/specs"
)

// check lints one SLO in one profile, with the telemetry contract and scrapes every 15 s.
func check(t *testing.T, slo model.SLO, name string, interval time.Duration) []lint.Finding {
	t.Helper()
	agreed, err := contract.Load()
	if err != nil {
		t.Fatal(err)
	}
	p, err := profile.Get(name)
	if err != nil {
		t.Fatal(err)
	}
	return lint.Check(lint.Input{SLO: slo, Profile: p, Interval: interval, Rate: slo.Alerting.ExpectedRate, Contract: &agreed})
}

func load(t *testing.T, name string) model.SLO {
	t.Helper()
	slos, err := openslo.Load(filepath.Join("testdata", name+".yaml"))
	if err != nil {
		t.Fatal(err)
	}
	return slos[0]
}

func ids(findings []lint.Finding) []string {
	var all []string
	for _, f := range findings {
		if !slices.Contains(all, f.Lint) {
			all = append(all, f.Lint)
		}
	}
	return all
}

func TestEachLintHasAFileThatTripsItAndAPage(t *testing.T) {
	for _, l := range lint.All() {
		if got := ids(check(t, load(t, l.ID), profile.Production, 15*time.Second)); !slices.Equal(got, []string{l.ID}) {
			t.Errorf("testdata/%s.yaml trips %v", l.ID, got)
		}
		page, err := os.ReadFile(filepath.Join("..", "..", "docs", "lints", l.ID+".md"))
		if err != nil || !strings.HasPrefix(string(page), "# Lint: "+l.ID+"\n") {
			t.Errorf("docs/lints/%s.md: %v; it begins with # Lint: %s", l.ID, err, l.ID)
		}
		if l.About == "" {
			t.Errorf("%s says nothing about itself", l.ID)
		}
	}
}

func TestWhatIsWellAndWhatIsAcceptedTripNothing(t *testing.T) {
	for _, name := range []string{"clean", "accepted"} {
		if got := check(t, load(t, name), profile.Production, 15*time.Second); len(got) > 0 {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestEveryLintCanBeAcceptedByItsName(t *testing.T) {
	slo := load(t, "clean")
	slo.Accepted = map[string]string{}
	for _, l := range lint.All() {
		slo.Accepted[l.ID] = "because"
	}
	delete(slo.Accepted, "stale-accept") // it would hide what it finds
	if got := check(t, slo, profile.Production, 15*time.Second); len(got) > 0 {
		t.Errorf("%v", got)
	}
}

func TestOurOwnPromisesTripNothing(t *testing.T) {
	all, err := specs.Load()
	if err != nil {
		t.Fatal(err)
	}
	for _, slo := range all {
		for name, interval := range map[string]time.Duration{profile.Demo: time.Second, profile.Production: 15 * time.Second} {
			for _, f := range check(t, slo, name, interval) {
				t.Error(f)
			}
		}
	}
}

func TestAFindingSaysWhereAndWhatToDo(t *testing.T) {
	found := check(t, load(t, "never-fires"), profile.Production, 15*time.Second)
	want := "testdata/never-fires.yaml:21:25: error: never-fires: shop: with an objective of 90 %, 14.4 times the budget is 144 % of all events: " +
		"the 1h/5m pair of profile production can never fire; promise more, or use another profile (docs/lints/never-fires.md)"
	if len(found) != 1 || found[0].String() != want {
		t.Errorf("%v\nwant %s", found, want)
	}
}

func TestTheEdgesOfTheLints(t *testing.T) {
	for name, test := range map[string]struct {
		change   func(*model.SLO)
		profile  string
		interval time.Duration
		want     []string
	}{
		"exactly all events can never fire either": {func(s *model.SLO) { s.Objective = 1 - 1/14.4 }, profile.Production, time.Second, []string{"never-fires"}},
		"a hair less can":                          {func(s *model.SLO) { s.Objective = 0.931 }, profile.Production, time.Second, nil},
		"four scrapes are enough":                  {func(*model.SLO) {}, profile.Production, 75 * time.Second, nil},
		"three are not":                            {func(*model.SLO) {}, profile.Production, 76 * time.Second, []string{"short-window"}},
		"one event is a page when nothing guards against it": {
			func(s *model.SLO) { s.Alerting.MinimumBad, s.Alerting.ExpectedRate = 0, 1.0/360 }, profile.Production, time.Second, []string{"low-traffic"},
		},
		"and it is none when there is traffic": {
			func(s *model.SLO) { s.Alerting.MinimumBad, s.Alerting.ExpectedRate = 0, 40 }, profile.Production, time.Second, nil,
		},
		"no traffic that anybody knows of is a warning": {func(s *model.SLO) { s.Alerting.ExpectedRate = 0 }, profile.Production, time.Second, []string{"low-traffic"}},
		"the other profile has its own objective":       {func(s *model.SLO) { s.Objectives = map[string]float64{profile.Demo: 0.9} }, profile.Demo, time.Second, []string{"never-fires"}},
	} {
		t.Run(name, func(t *testing.T) {
			slo := load(t, "clean")
			test.change(&slo)
			if got := ids(check(t, slo, test.profile, test.interval)); !slices.Equal(got, test.want) {
				t.Errorf("found %v, want %v", got, test.want)
			}
		})
	}
}

func TestFindingsAreSortedAndEachIsThereOnce(t *testing.T) {
	found := check(t, load(t, "absent-data"), profile.Production, 76*time.Second)
	tidy := lint.Tidy(append(slices.Clone(found), found...))
	if len(tidy) != len(found) || tidy[0].Place.Line > tidy[len(tidy)-1].Place.Line {
		t.Errorf("%v", tidy)
	}
}
