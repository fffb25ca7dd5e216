package study

import (
	"fmt"
	"strings"
)

// Table writes the study as Markdown: one row an experiment and arm, then the stages of those that were healed.
func Table(rows []Row) string {
	var out strings.Builder
	out.WriteString("| experiment | arm | recovered | cause named | wrong actions | MTTD p50 / p95 | MTTR of the recovered p50 / p95 | from injection p50 / p95 | webhook to action p50 / p95 | failed of requests |\n")
	out.WriteString("|---|---|---|---|---|---|---|---|---|---|\n")
	for _, row := range rows {
		fmt.Fprintf(&out, "| %s | %s | %d of %d | %d | %d | %s | %s | %s | %s | %d of %d |\n",
			row.Experiment, row.Arm, row.Recovered, row.Trials, row.NamedCause, row.WrongActions,
			quantiles(row.MTTD, 1), quantiles(row.MTTR, 1), quantiles(row.MTTRInjected, 1), quantiles(row.WebhookToAction, 3),
			row.Failed, row.Requests)
	}
	for _, row := range rows {
		if row.Broken > 0 {
			fmt.Fprintf(&out, "\n%d of %d trials of %s under %s broke off; they count as not recovered.\n",
				row.Broken, row.Trials, row.Experiment, row.Arm)
		}
		if row.MTTR.N > 0 {
			stages(&out, row)
		}
	}
	return out.String()
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
