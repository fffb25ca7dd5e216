package detection_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/faultline-lab/faultline/slo/detection"
	"github.com/faultline-lab/faultline/slo/internal/promtool"
	"github.com/faultline-lab/faultline/slo/profile"
	"github.com/faultline-lab/faultline/slo/specs"
)

var update = flag.Bool("update", false, "rewrite docs/slo-detection.md from this run")

// page is the table that this test makes.
var page = filepath.Join("..", "..", "docs", "slo-detection.md")

func title(row detection.Row) string {
	return fmt.Sprintf("%s, %s, %s, %s bad", row.SLO.Name, row.Profile.Name, row.Severity, row.Rate)
}

// What ships fires when the formula says, and is silent again when it says, within one scrape and one evaluation. The table
// in the docs is what this run measured.
func TestEveryAlertFiresAndClearsWhenTheFormulaSays(t *testing.T) {
	tool := promtool.Find(t)
	all, err := specs.Load()
	if err != nil {
		t.Fatal(err)
	}
	var batches [][]detection.Row
	for _, name := range profile.Names() {
		p, err := profile.Get(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, slo := range all {
			rows, err := detection.Rows(slo, p)
			if err != nil {
				t.Fatal(err)
			}
			batches = append(batches, bySeverity(rows)...)
		}
	}
	results := make([][]measured, len(batches))
	t.Run("simulations", func(t *testing.T) {
		for i, rows := range batches {
			t.Run(fmt.Sprintf("%s %s %s", rows[0].SLO.Name, rows[0].Profile.Name, rows[0].Severity), func(t *testing.T) {
				t.Parallel()
				results[i] = simulate(t, tool, rows)
				for n, row := range rows {
					hold(t, row, results[i][n])
				}
			})
		}
	})
	if t.Failed() || slices.ContainsFunc(results, func(m []measured) bool { return m == nil }) {
		return // a table of some rows is none: -run chose a few, or some failed
	}
	compare(t, table(batches, results))
}

func bySeverity(rows []detection.Row) [][]detection.Row {
	var batches [][]detection.Row
	for _, row := range rows {
		if last := len(batches) - 1; last >= 0 && batches[last][0].Severity == row.Severity {
			batches[last] = append(batches[last], row)
			continue
		}
		batches = append(batches, []detection.Row{row})
	}
	return batches
}

func hold(t *testing.T, row detection.Row, m measured) {
	t.Helper()
	if m.fired != row.Fires {
		t.Errorf("%s: fired %v; the formula says %v", title(row), m.fired, row.Fires)
		return
	}
	for what, both := range map[string][2]time.Duration{"detect": {m.detect, row.Detect}, "reset": {m.reset, row.Reset}} {
		if apart := (both[0] - both[1]).Abs(); row.Fires && apart > row.Clock.Tolerance() {
			t.Errorf("%s: time to %s is %s; the formula says %s, and they may be %s apart", title(row), what, both[0], both[1], row.Clock.Tolerance())
		}
	}
}

func compare(t *testing.T, want string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(page, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if got, err := os.ReadFile(page); err != nil || string(got) != want {
		t.Errorf("%s is stale, error %v: make generate", page, err)
	}
}
