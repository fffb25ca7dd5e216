package bench

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/faultline-lab/faultline/e2e/bench/onstack"
	"github.com/faultline-lab/faultline/e2e/bench/repository"
	"github.com/faultline-lab/faultline/e2e/bench/stats"
)

// Table writes the results as Markdown.
func Table(r Results) string {
	var out strings.Builder
	fmt.Fprintf(&out, "%d cores (%s), %s, %s", r.Machine.Cores, r.Machine.CPU, r.Machine.System, r.Machine.Go)
	if r.Machine.Commit != "" {
		fmt.Fprintf(&out, ", commit %s", r.Machine.Commit)
	}
	fmt.Fprintf(&out, "; load average before: %s\n", r.Machine.Load)
	if r.Telemetry != nil {
		writeTelemetry(&out, *r.Telemetry)
	}
	if r.Repository != nil {
		writeRepository(&out, *r.Repository)
	}
	if r.Path != nil {
		writePath(&out, *r.Path)
	}
	if r.Capacity != nil {
		writeCapacity(&out, *r.Capacity)
	}
	for _, part := range slices.Sorted(maps.Keys(r.Failures)) {
		fmt.Fprintf(&out, "\n**%s broke off:** %s\n", part, r.Failures[part])
	}
	return out.String()
}

func writeTelemetry(out *strings.Builder, c onstack.Cost) {
	fmt.Fprintf(out, "\n### What telemetry costs, at %d checkouts a second\n\n", c.Rate)
	out.WriteString("Median (smallest to largest) of the rounds.\n\n")
	out.WriteString("| telemetry | rounds | CPU per order, services | with Postgres | p50 | p99 |\n|---|---|---|---|---|---|\n")
	for _, row := range c.Rows {
		fmt.Fprintf(out, "| %s | %d | %s ms | %s ms | %s ms | %s ms |\n", row.Arm, row.Services.N,
			spread(row.Services, 3), spread(row.WithPostgres, 3), spread(row.P50, 0), spread(row.P99, 0))
	}
	fmt.Fprintf(out, "| **on / off**, by round | %d | %s | %s | | %s |\n",
		c.Services.Ratio.N, comparison(c.Services), comparison(c.WithPostgres), comparison(c.P99))
	for _, row := range c.Rows {
		if row.DisturbedRounds > 0 {
			fmt.Fprintf(out, "\nIn %d of %d rounds with telemetry %s, fewer than 95 %% of the checkouts were good: something disturbed them.\n",
				row.DisturbedRounds, row.Services.N, row.Arm)
		}
	}
	verdict(out, c.Met(), telemetrySentence(c))
}

func telemetrySentence(c onstack.Cost) string {
	return fmt.Sprintf("telemetry costs %+.0f %% CPU per order in the services; the goal is at most %+.0f %%",
		100*(c.Services.Ratio.Median-1), 100*(onstack.Goal-1))
}

func writeRepository(out *strings.Builder, r repository.Result) {
	out.WriteString("\n### The order's transaction, through the repository against pgbench\n\n")
	fmt.Fprintf(out, "Transactions a second: median (smallest to largest) of the rounds. PostgreSQL %s, %s; fsync %s, synchronous_commit %s.\n\n",
		r.Server["server_version"], r.Pgbench, r.Server["fsync"], r.Server["synchronous_commit"])
	out.WriteString("| clients | pgbench | repository, telemetry off | off / pgbench, by round | driver alone (pgx) | off / pgx | telemetry on | on / off |\n|---|---|---|---|---|---|---|---|\n")
	for _, row := range r.Rows {
		fmt.Fprintf(out, "| %d | %s | %s | **%s** | %s | %s | %s | %s |\n", row.Clients,
			spread(row.PerSecond[repository.Pgbench], 0), spread(row.PerSecond[repository.Off], 0), comparison(row.ToPgbench),
			spread(row.PerSecond[repository.Pgx], 0), comparison(row.ToPgx),
			spread(row.PerSecond[repository.On], 0), comparison(row.OnToOff))
	}
	verdict(out, r.Met(), repositorySentence(r))
}

func repositorySentence(r repository.Result) string {
	var shares []string
	for _, row := range r.Rows {
		shares = append(shares, fmt.Sprintf("%.2f with %d clients", row.ToPgbench.Ratio.Median, row.Clients))
	}
	return fmt.Sprintf("the repository reaches %s of pgbench's throughput; the goal is at least %.1f", strings.Join(shares, " and "), repository.Goal)
}

func writePath(out *strings.Builder, p onstack.Path) {
	out.WriteString("\n### The whole path, for the record\n\n")
	out.WriteString("| checkouts a second | good | p50 | p99 | CPU per order, services | with Postgres |\n|---|---|---|---|---|---|\n")
	for _, step := range p.Steps {
		fmt.Fprintf(out, "| %d | %.1f %% | %.0f ms | %.0f ms | %.3f ms | %.3f ms |\n", step.Rate, 100*step.Good(), step.P50Millis, step.P99Millis,
			step.CPUMillis[onstack.Services], step.CPUMillis[onstack.Services]+step.CPUMillis[onstack.Postgres])
	}
	fmt.Fprintf(out, "\nHighest rate of these with at least 95 %% good: %d. The bound is by design: eight connections, each held for a "+
		"payment of 80 ms, carry fewer than 100 orders a second whatever the code costs.\n", p.Highest)
}

func writeCapacity(out *strings.Builder, c onstack.Capacity) {
	out.WriteString("\n### The saturation rate, predicted and observed\n\n")
	out.WriteString("| checkouts a second | good | completed | p50 | p99 | cores busy |\n|---|---|---|---|---|---|\n")
	for _, step := range c.Steps {
		fmt.Fprintf(out, "| %d | %.1f %% | %.1f/s | %.0f ms | %.0f ms | %.2f |\n", step.Rate, 100*step.Good(), step.CompletedPerSecond(),
			step.P50Millis, step.P99Millis, step.Cores())
	}
	verdict(out, c.Met(), capacitySentence(c))
}

func capacitySentence(c onstack.Capacity) string {
	return fmt.Sprintf("at %d checkouts a second slo capacity says that %s is full at %.1f; at least 95 %% were good up to %d, and not at %d (%.1f/s "+
		"completed beyond): off by %+.1f %%, and the goal is at most %.0f %%", c.Rate, c.First, c.Predicted, c.Observed, c.Failing, c.Plateau,
		100*c.Off(), 100*onstack.CapacityGoal)
}

func verdict(out *strings.Builder, met bool, sentence string) {
	word := "**Missed**"
	if met {
		word = "Met"
	}
	fmt.Fprintf(out, "\n%s: %s.\n", word, sentence)
}

func spread(s stats.Spread, digits int) string {
	if s.N == 0 {
		return "-"
	}
	return fmt.Sprintf("%.*f (%.*f to %.*f)", digits, s.Median, digits, s.Min, digits, s.Max)
}

func comparison(c stats.Comparison) string {
	text := spread(c.Ratio, 2)
	if c.Interval != nil {
		text += fmt.Sprintf(", 95 %%: %.2f to %.2f", c.Interval.Low, c.Interval.High)
	}
	return text
}
