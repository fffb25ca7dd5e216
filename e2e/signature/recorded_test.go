package signature

import (
	"flag"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/faultline-lab/faultline/chaos/experiments"
)

var update = flag.Bool("update", false, "write docs/evidence.md from the recordings")

const (
	folder   = "recorded"
	pageFile = "../../docs/evidence.md"
)

// recorded loads the recordings of real runs.
func recorded(t *testing.T) []Recording {
	t.Helper()
	all, err := Load(os.DirFS(folder))
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func judged(t *testing.T) Matrix {
	t.Helper()
	m, err := Judge(recorded(t))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// Thresholds that were fitted to one run would show in another.
func TestEveryExperimentIsRecordedTwiceAtLeast(t *testing.T) {
	names, err := experiments.Names()
	if err != nil {
		t.Fatal(err)
	}
	seeds := map[string][]int64{}
	for _, recording := range recorded(t) {
		seeds[recording.Experiment] = append(seeds[recording.Experiment], recording.Seed)
		if !slices.Contains(names, recording.Experiment) {
			t.Errorf("%s is of an experiment that there is not", recording.File())
		}
	}
	for _, name := range names {
		if len(seeds[name]) < 2 {
			t.Errorf("%s is recorded with seeds %v: `signature record %s --seed=N` with another one", name, seeds[name], name)
		}
		if _, known := Signatures()[name]; !known {
			t.Errorf("%s has no signature", name)
		}
	}
}

func TestEachPairOfFaultsIsToldApartByEvidence(t *testing.T) {
	m := judged(t)
	for i, a := range m.Faults {
		for _, b := range m.Faults[:i] {
			if len(m.Separate(a, b)) == 0 {
				t.Errorf("nothing tells %s and %s apart", a, b)
			}
		}
	}
}

func TestNoEvidenceIsThereForNothing(t *testing.T) {
	m := judged(t)
	for _, predicate := range m.Predicates {
		if !slices.ContainsFunc(m.Faults, func(fault string) bool { return m.Finding(fault, predicate.Name).Verdict() == Yes }) {
			t.Errorf("%s always holds for no fault", predicate.Name)
		}
	}
}

func TestASignatureHoldsForItsFaultAndForNoOther(t *testing.T) {
	m := judged(t)
	for owner, signature := range Signatures() {
		for _, fault := range m.Faults {
			always, never := m.Matches(fault, signature)
			if fault == owner && !always {
				t.Errorf("%s does not always have its own signature %+v%s", owner, signature, m.figures(fault, signature))
			}
			if fault != owner && !never {
				t.Errorf("%s may have the signature of %s, %+v%s", fault, owner, signature, m.figures(fault, signature))
			}
		}
	}
}

// figures says what was measured of a signature's evidence.
func (m Matrix) figures(fault string, s Signature) string {
	var text strings.Builder
	for _, predicate := range slices.Concat(s.Shows, s.Lacks) {
		text.WriteString("; " + predicate + ": " + m.Finding(fault, predicate).String())
	}
	return text.String()
}

func TestEvidencePageIsUpToDate(t *testing.T) {
	page := judged(t).Page(recorded(t))
	if *update {
		if err := os.WriteFile(pageFile, []byte(page), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(pageFile)
	if err != nil {
		t.Fatal(err)
	}
	if string(have) != page {
		t.Errorf("%s is not what the recordings say: go test ./e2e/signature -update", pageFile)
	}
}

// The recordings hold what a diagnosis can be built on beyond the evidence here.
func TestEveryRecordingHasFactsOfEverySourceWithQueryAndTime(t *testing.T) {
	for _, recording := range recorded(t) {
		for _, look := range append(recording.Settled(), recording.Before) {
			sources := map[string]bool{}
			for _, fact := range look.Facts {
				sources[fact.Source] = sources[fact.Source] || fact.Status == Known
				if fact.Query == "" || fact.At.IsZero() || fact.Subject == "" || fact.Status == Unknown && fact.Detail == "" {
					t.Errorf("%s at %.1f s: %+v lacks its question, time, subject or reason", recording.File(), look.After, fact)
				}
			}
			for _, source := range []string{Prometheus, Postgres, Workloads, Loki} {
				if !sources[source] {
					t.Errorf("%s at %.1f s knows nothing from %s", recording.File(), look.After, source)
				}
			}
		}
	}
}
