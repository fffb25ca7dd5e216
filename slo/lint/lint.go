package lint

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/faultline-lab/faultline/observability/contract"
	"github.com/faultline-lab/faultline/observability/strictyaml"
	"github.com/faultline-lab/faultline/slo/model"
	"github.com/faultline-lab/faultline/slo/profile"
)

// Input is a promise and what it will be watched with.
type Input struct {
	SLO      model.SLO
	Profile  profile.Profile
	Interval time.Duration // of the scrapes
	// Rate is the traffic in events a second, measured or stated; 0 when nobody knows.
	Rate float64
	// Contract is what the programs emit; nil when that is not known.
	Contract *contract.Contract
}

// Level says whether a finding fails the check.
type Level string

// The levels.
const (
	Error   Level = "error"
	Warning Level = "warning"
)

// Finding is something that one lint has found.
type Finding struct {
	Place   strictyaml.Place
	Lint    string
	Level   Level
	Message string
}

// Docs is the page about the finding.
func (f Finding) Docs() string { return "docs/lints/" + f.Lint + ".md" }

func (f Finding) String() string {
	return fmt.Sprintf("%s: %s: %s: %s (%s)", f.Place, f.Level, f.Lint, f.Message, f.Docs())
}

// Lint is one of them.
type Lint struct {
	ID    string
	About string // one line
	check func(Input) []Finding
}

// All lists the lints.
func All() []Lint {
	return []Lint{neverFires, shortWindow, lowTraffic, budgetUnderOneEvent, absentData, unknownMetric, noRunbook, staleAccept}
}

// Check runs every lint and leaves out what the file's author has accepted.
func Check(in Input) []Finding {
	var all []Finding
	for _, lint := range All() {
		if _, accepted := in.SLO.Accepted[lint.ID]; accepted {
			continue
		}
		all = append(all, lint.findings(in)...)
	}
	return all
}

func (l Lint) findings(in Input) []Finding {
	found := l.check(in)
	for i := range found {
		found[i].Lint = l.ID
	}
	return found
}

// Tidy sorts findings by their place and leaves out what is there twice: two profiles have much in common.
func Tidy(findings []Finding) []Finding {
	sorted := slices.Clone(findings)
	slices.SortStableFunc(sorted, func(a, b Finding) int {
		if order := strings.Compare(a.Place.File, b.Place.File); order != 0 {
			return order
		}
		return (a.Place.Line-b.Place.Line)*10_000 + a.Place.Column - b.Place.Column
	})
	var tidy []Finding
	for _, f := range sorted {
		if !slices.Contains(tidy, f) {
			tidy = append(tidy, f)
		}
	}
	return tidy
}

func at(in Input, part string, level Level, format string, args ...any) Finding {
	return Finding{Place: in.SLO.Places.Of(part), Level: level, Message: in.SLO.Name + ": " + fmt.Sprintf(format, args...)}
}

// pairs are all pairs of windows that the SLO's alerts have.
func pairs(in Input) []profile.Pair {
	var all []profile.Pair
	for _, alert := range in.Profile.For(in.SLO.Alerting.Severity) {
		all = append(all, alert.Pairs...)
	}
	return all
}

// threshold is the error ratio at which a pair fires.
func threshold(in Input, pair profile.Pair) float64 {
	return pair.BurnRate * (1 - in.SLO.For(in.Profile.Name))
}

// events are how many there are in a window.
func events(in Input, window time.Duration) float64 { return in.Rate * window.Seconds() }

func percent(share float64) string { return fmt.Sprintf("%.4g %%", 100*share) }
