package study

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Table writes the study as Markdown: one row an experiment and arm, then what became of changes that stood until their fault
// had passed, then the stages of those that were healed.
func Table(rows []Row) string {
	var out strings.Builder
	out.WriteString("| experiment | arm | cause named | remedies (trials) | recovered | mitigated | wrong actions | first bad second to recovered: p50 / p95 / max | to mitigated: p50 / p95 / max | webhook to action p95 | MTTD p50 / p95 | failed of requests |\n")
	out.WriteString("|---|---|---|---|---|---|---|---|---|---|---|---|\n")
	for _, row := range rows {
		fmt.Fprintf(&out, "| %s | %s | %d of %d | %s | %s | %s | %d | %s | %s | %s | %s | %d of %d |\n",
			row.Experiment, row.Arm, row.NamedCause, row.Trials, remedies(row.Remedies),
			of(row.Recovered, row), of(row.Mitigated, row), row.WrongActions,
			three(row.MTTR), three(row.MTTM), p95(row.WebhookToAction), quantiles(row.MTTD, 1), row.Failed, row.Requests)
	}
	aftermaths(&out, rows)
	for _, row := range rows {
		if row.Prevented > 0 {
			fmt.Fprintf(&out, "\n%d of %d trials of %s under %s were healed before the client saw a bad second; they count as recovered after 0 s.\n",
				row.Prevented, row.Trials, row.Experiment, row.Arm)
		}
		if row.Broken > 0 {
			fmt.Fprintf(&out, "\n%d of %d trials of %s under %s broke off; they count as not recovered.\n",
				row.Broken, row.Trials, row.Experiment, row.Arm)
		}
		if row.MTTR.N > 0 || row.MTTM.N > 0 {
			stages(&out, row)
		}
	}
	return out.String()
}

// of is a count of the trials that had something to recover from, and "-" where none had.
func of(count int, row Row) string {
	if row.Applicable+row.Broken == 0 {
		return "-"
	}
	return fmt.Sprintf("%d of %d", count, row.Applicable+row.Broken)
}

func remedies(used map[string]int) string {
	if len(used) == 0 {
		return "none"
	}
	var all []string
	for _, remedy := range slices.Sorted(maps.Keys(used)) {
		all = append(all, fmt.Sprintf("%s (%d)", remedy, used[remedy]))
	}
	return strings.Join(all, ", ")
}

// aftermaths tells what became of changes that stood until their fault had passed.
func aftermaths(out *strings.Builder, rows []Row) {
	rows = slices.DeleteFunc(slices.Clone(rows), func(row Row) bool { return row.Aftermath.Trials == 0 })
	if len(rows) == 0 {
		return
	}
	out.WriteString("\nAfter the fault had passed, while a change still stood:\n\n")
	out.WriteString("| experiment | arm | taken back | well again | after: p50 / p95 / max | most changes in one trial |\n|---|---|---|---|---|---|\n")
	for _, row := range rows {
		a := row.Aftermath
		fmt.Fprintf(out, "| %s | %s | %d of %d | %d of %d | %s | %d |\n",
			row.Experiment, row.Arm, a.Undone, a.Trials, a.Recovered, a.Trials, three(a.After), a.Changes)
	}
}

func stages(out *strings.Builder, row Row) {
	fmt.Fprintf(out, "\n%s, arm %s: seconds after the first bad second\n\n", row.Experiment, row.Arm)
	out.WriteString("| stage | n | min | p50 | p95 | max |\n|---|---|---|---|---|---|\n")
	for _, stage := range row.Stages {
		if s := stage.After; s.N > 0 {
			fmt.Fprintf(out, "| %s | %d | %.2f | %.2f | %.2f | %.2f |\n", stage.Name, s.N, s.Min, s.P50, s.P95, s.Max)
		}
	}
}

func quantiles(s Spread, digits int) string {
	if s.N == 0 {
		return "-"
	}
	return fmt.Sprintf("%.*f / %.*f s", digits, s.P50, digits, s.P95)
}

func three(s Spread) string {
	if s.N == 0 {
		return "-"
	}
	return fmt.Sprintf("%.1f / %.1f / %.1f s", s.P50, s.P95, s.Max)
}

func p95(s Spread) string {
	if s.N == 0 {
		return "-"
	}
	return fmt.Sprintf("%.3f s", s.P95)
}
