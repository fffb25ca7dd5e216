package bench_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/faultline-lab/faultline/e2e/bench"
	"github.com/faultline-lab/faultline/e2e/bench/onstack"
	"github.com/faultline-lab/faultline/e2e/bench/repository"
	"github.com/faultline-lab/faultline/e2e/bench/stats"
)

func results(on, share float64) bench.Results {
	pair := stats.Of([]float64{1, 2, 3})
	return bench.Results{
		Machine: bench.Machine{CPU: "abacus", Cores: 4, System: "linux/amd64", Go: "go1.26", Commit: "abc-dirty", Load: "0.1"},
		Telemetry: &onstack.Cost{
			Rate: 40, Rows: []onstack.Row{{Arm: onstack.Off, Services: pair}, {Arm: onstack.On, Services: pair, DisturbedRounds: 2}},
			Services: stats.Comparison{Ratio: stats.Of([]float64{on, on, on}), Interval: &stats.Interval{Low: 1.02, High: 1.2}},
		},
		Repository: &repository.Result{
			Server: map[string]string{"fsync": "off", "synchronous_commit": "on"},
			Rows:   []repository.Row{{Clients: 4, ToPgbench: stats.Comparison{Ratio: stats.Of([]float64{share})}}},
		},
		Path:     &onstack.Path{Steps: []onstack.Step{{Rate: 40, Window: onstack.Window{Sent: 4, Orders: 3}}}, Highest: 0},
		Failures: map[string]string{},
	}
}

func TestTheTableSaysWhereHowMuchHowSureAndWhatWasMissed(t *testing.T) {
	table := bench.Table(results(1.21, 0.71))
	for _, part := range []string{
		"4 cores (abacus), linux/amd64, go1.26, commit abc-dirty; load average before: 0.1",
		"| off | 3 | 2.000 (1.000 to 3.000) ms |", "1.21 (1.21 to 1.21), 95 %: 1.02 to 1.20",
		"In 2 of 3 rounds with telemetry on, fewer than 95 %",
		"**Missed**: telemetry costs +21 % CPU per order in the services; the goal is at most +15 %.",
		"fsync off, synchronous_commit on", "**Missed**: the repository reaches 0.71 with 4 clients",
		"| 40 | 75.0 % |", "at least 95 % good: 0",
	} {
		if !strings.Contains(table, part) {
			t.Errorf("%q is missing from\n%s", part, table)
		}
	}
	if met := bench.Table(results(1.1, 0.9)); strings.Contains(met, "Missed") || strings.Count(met, "\nMet: ") != 2 {
		t.Errorf("goals that are met are not said to be:\n%s", met)
	}
}

func TestMissedGoalsAreCountedOnlyOfPartsThatWereMeasured(t *testing.T) {
	if missed := results(1.21, 0.71).Missed(); len(missed) != 2 {
		t.Errorf("missed %q, want both", missed)
	}
	if missed := results(1.15, 0.8).Missed(); len(missed) != 0 {
		t.Errorf("missed %q at the goals themselves", missed)
	}
	if missed := (bench.Results{}).Missed(); len(missed) != 0 {
		t.Errorf("missed %q without a measurement", missed)
	}
}

func TestResultsAreSavedForMachinesAndPeople(t *testing.T) {
	folder := t.TempDir()
	if err := results(1.1, 0.9).Save(folder); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(filepath.Join(folder, "results.json"))
	if err != nil {
		t.Fatal(err)
	}
	var read bench.Results
	if err := json.Unmarshal(data, &read); err != nil {
		t.Fatal(err)
	}
	if bench.Table(read) != bench.Table(results(1.1, 0.9)) {
		t.Errorf("what was read back gives another table:\n%s", bench.Table(read))
	}
	if table, err := os.ReadFile(filepath.Join(folder, "table.md")); err != nil || !strings.HasPrefix(string(table), "4 cores") {
		t.Errorf("table.md: %v, %q", err, table)
	}
}
