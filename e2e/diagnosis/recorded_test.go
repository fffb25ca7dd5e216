package diagnosis

import (
	"flag"
	"math/rand/v2"
	"os"
	"reflect"
	"slices"
	"testing"

	"github.com/faultline-lab/faultline/autoheal/diagnose"
	"github.com/faultline-lab/faultline/autoheal/evidence"
	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/e2e/signature"
)

var update = flag.Bool("update", false, "write docs/diagnosis.md from the recordings")

const pageFile = "../../docs/diagnosis.md"

// controls are the experiments for which nothing must be named, and what is said instead.
func controls() map[string][]string {
	return map[string][]string{
		"look-alike":      {harmless, gone},
		"process-kill":    {gone},
		signature.Healthy: {gone},
	}
}

func recorded(t *testing.T) []signature.Recording {
	t.Helper()
	all, err := signature.Load(os.DirFS("../signature/recorded"))
	if err != nil || len(all) == 0 {
		t.Fatalf("%d recordings, error %v", len(all), err)
	}
	return all
}

func TestEverySettledLookOfAFaultNamesItsCauseAndNoLookOfAControlNamesAny(t *testing.T) {
	for _, recording := range recorded(t) {
		check := func(fault string, look signature.Look) {
			wanted, isControl := controls()[fault]
			if !isControl {
				wanted = []string{fault}
			}
			if verdict, result := Verdict(recording, look); !slices.Contains(wanted, verdict) {
				t.Errorf("%s at %.1f s: %s, want %v: %s", recording.File(), look.After, verdict, wanted, result.Diagnosis.Summary)
				for _, candidate := range result.Diagnosis.Ranked[:2] {
					t.Logf("%s %.2f for %q against %q", candidate.Cause, candidate.Score, candidate.For, candidate.Against)
				}
			}
		}
		check(signature.Healthy, recording.Before)
		for _, look := range recording.Settled() {
			check(recording.Experiment, look)
		}
	}
}

// In the first moments after an alert much is not to be seen yet; nothing wrong must be seen either.
func TestNoLookNamesACauseThatIsNotThere(t *testing.T) {
	for _, recording := range recorded(t) {
		for _, look := range recording.During {
			verdict, result := Verdict(recording, look)
			_, isControl := controls()[recording.Experiment]
			named := result.Diagnosis.Cause != incident.Inconclusive
			if named && verdict != recording.Experiment || !isControl && (result.Harmless || result.Gone) {
				t.Errorf("%s at %.1f s: %s: %s", recording.File(), look.After, verdict, result.Diagnosis.Summary)
			}
		}
	}
}

func TestTheDiagnosisSaysWhoIsAtTheRoot(t *testing.T) {
	workloads := map[string]string{
		"connection-leak": "orders", "bad-release": "orders", "lock-contention": "inventory", "slow-query": "orders", "network-latency": "orders",
		"server-cap": "orders", "slow-downstream": "payments", "traffic-surge": "orders",
	}
	subjects := map[string][]string{
		"connection-leak": {"orders-1", "orders-2"}, "bad-release": {"orders-1", "orders-2"}, "slow-query": {"orders/orders-1", "orders/orders-2"},
		"network-latency": {"orders-1", "orders-2"}, "server-cap": {"batch-export/recorded"}, "slow-downstream": {"payments"},
		"traffic-surge": {"orders-1", "orders-2"},
	}
	sessions := map[string]int{"lock-contention": 1, "slow-query": 8, "server-cap": 19}
	for _, recording := range recorded(t) {
		for _, look := range recording.Settled() {
			verdict, result := Verdict(recording, look)
			d := result.Diagnosis
			if want := workloads[verdict]; d.Workload != want {
				t.Errorf("%s: workload %q, want %q", recording.File(), d.Workload, want)
			}
			if want := subjects[verdict]; want != nil && !slices.Equal(d.Subjects, want) {
				t.Errorf("%s: subjects %v, want %v", recording.File(), d.Subjects, want)
			}
			if len(d.Sessions) < sessions[verdict] || len(d.Sessions) > 0 && sessions[verdict] == 0 {
				t.Errorf("%s: %d sessions, want %d", recording.File(), len(d.Sessions), sessions[verdict])
			}
		}
	}
}

func TestTheOrderOfFactsDoesNotMatter(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for _, recording := range recorded(t) {
		for _, look := range recording.During {
			facts := Facts(recording.Before, look)
			want := diagnose.Diagnose(facts, 1, scrape)
			for range 5 {
				shuffled := slices.Clone(facts)
				random.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
				if got := diagnose.Diagnose(shuffled, 1, scrape); !reflect.DeepEqual(got, want) {
					t.Fatalf("%s at %.1f s: %+v and %+v", recording.File(), look.After, got, want)
				}
			}
		}
	}
}

// Whatever single fact is unknown: the cause may not be told any more, but no other is told instead, and nothing is thought to
// be over or harmless that was not.
func TestAFactThatIsUnknownNeverMakesAnotherCause(t *testing.T) {
	for _, recording := range recorded(t) {
		for _, look := range recording.Settled() {
			facts := Facts(recording.Before, look)
			whole := diagnose.Diagnose(facts, 1, scrape)
			for i := range facts {
				lacking := slices.Clone(facts)
				lacking[i] = incident.Fact{Name: facts[i].Name, Source: facts[i].Source, Subject: facts[i].Subject, Status: incident.Unknown}
				got := diagnose.Diagnose(lacking, 1, scrape)
				same := got.Diagnosis.Cause == whole.Diagnosis.Cause
				hidden := facts[i].Name == evidence.ReleaseAge || facts[i].Name == evidence.ReleaseLead // then a leak is a leak: see badRelease
				if !same && got.Diagnosis.Cause != incident.Inconclusive && !hidden ||
					got.Gone && !whole.Gone || got.Harmless && !whole.Harmless && !whole.Gone {
					t.Errorf("%s at %.1f s without %s of %s: %s, was %s", recording.File(), look.After, facts[i].Name, facts[i].Subject,
						got.Diagnosis.Cause, whole.Diagnosis.Cause)
				}
			}
		}
	}
}

func TestDiagnosisPageIsUpToDate(t *testing.T) {
	page := Confuse(recorded(t)).Page()
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
		t.Errorf("%s is not what the recordings say: go test ./e2e/diagnosis -update", pageFile)
	}
}
