package repository_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/faultline-lab/faultline/e2e/bench/repository"
	"github.com/faultline-lab/faultline/e2e/internal/looptest"
)

// TestAShortRunMeasuresEveryArmOnAServerOfItsOwn: what Measure checks itself is most of the test, on the wire (pgbench says
// what orders says) and in the tables (every transaction is a whole order).
func TestAShortRunMeasuresEveryArmOnAServerOfItsOwn(t *testing.T) {
	folder := t.TempDir()
	result, err := repository.Measure(t.Context(), repository.Config{
		Rounds: 1, Length: 2 * time.Second, Clients: []int{2}, Seed: 1, Folder: folder, Progress: looptest.Log{T: t},
	})
	if errors.Is(err, repository.ErrNoPgbench) && os.Getenv("CI") != "true" {
		t.Skip("NOT TESTED: ", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	arms := map[string]int{}
	for _, round := range result.Rounds {
		arms[round.Arm] = round.Transactions
		if round.Transactions < 1 || round.PerSecond <= 0 || round.LatencyMillis <= 0 {
			t.Errorf("nothing was measured: %+v", round)
		}
	}
	if len(arms) != 4 {
		t.Errorf("the arms are %v, want off, on, pgx and pgbench", arms)
	}
	if row := result.Rows[0]; row.ToPgbench.Ratio.N != 1 || row.ToPgbench.Ratio.Median <= 0 || row.OnToOff.Ratio.Median <= 0 {
		t.Errorf("a row without ratios: %+v", row)
	}
	checkScript(t, folder, result)
}

// checkScript looks for the heart of the transaction: a script that lacks a statement measures something else.
func checkScript(t *testing.T, folder string, result repository.Result) {
	t.Helper()
	written, err := os.ReadFile(filepath.Join(folder, "place.pgbench"))
	if err != nil {
		t.Fatal(err)
	}
	if string(written) != result.Script {
		t.Error("the result has another script than pgbench was given")
	}
	last := -1
	for _, step := range []string{
		"begin;", "INSERT INTO idempotency_keys", "INSERT INTO orders", "UPDATE orders SET status", "INSERT INTO outbox", "commit;",
	} {
		at := strings.Index(result.Script, step)
		if at <= last {
			t.Errorf("%q is missing, or out of order, in:\n%s", step, result.Script)
		}
		last = at
	}
	if strings.Contains(result.Script, "$") {
		t.Errorf("a parameter was left over:\n%s", result.Script)
	}
}
