package capacity

import (
	"fmt"
	"strings"

	"github.com/faultline-lab/faultline/slo/internal/figure"
)

// Markdown is the report for people.
func (r Report) Markdown() string {
	var page writer
	page.line("# Capacity\n")
	page.line("Measured over the %s before %s: %s requests/s, mean latency %s.\n", seconds(figure.Figure(r.WindowSeconds)),
		r.At.Format("2006-01-02 15:04:05 UTC"), r.Requests.Text(1), millis(r.Latency))
	if r.Saturation.Known() {
		page.line("**The first to be full is pool %s, at %s requests/s**: %s times the present rate.\n", r.First, r.Saturation.Text(1),
			r.Saturation.Over(r.Requests).Text(2))
	}
	for _, doubt := range r.Doubts {
		page.line("> Not fit for planning: %s.\n", doubt)
	}
	r.pools(&page)
	r.slots(&page)
	r.plan(&page)
	page.line("How to read this: docs/capacity.md.")
	return page.String()
}

func (r Report) pools(page *writer) {
	page.line("## When the pools are full\n")
	page.row("workload / pool", "replicas x size", "uses a request", "mean hold", "busy", "in use", "one replica full at", "all full at",
		"good up to", "headroom")
	page.rule("l", 10)
	for _, row := range r.Pools {
		page.row(row.Workload+" / "+row.Pool, fmt.Sprintf("%d x %d", len(row.Replicas), row.Load.Size()), row.Uses.Over(row.Requests).Text(2),
			millis(row.HoldSeconds), row.Busy.Text(2), row.InUse.Percent(0), rate(row.SaturationOfOne), rate(row.Saturation),
			rate(row.GoodRate), row.Headroom.Percent(0))
	}
	page.line("\nBusy = uses a second x mean hold (Little's law). Full at = size x present rate / busy. Good up to: the rate at which %s of the "+
		"requests, arriving at random, wait less than %s for a connection (Erlang C).\n",
		figure.Figure(r.Patience.Share).Percent(0), millis(figure.Figure(r.Patience.Wait)))
}

func (r Report) slots(page *writer) {
	page.line("## What fits under max_connections\n")
	if r.Server == nil {
		page.line("Unknown: nobody said what slots the server has. Give --database-url, or --max-connections with --reserved and --other-sessions.\n")
		return
	}
	pools := 0
	for _, row := range r.Pools {
		pools += row.Connections
	}
	page.line("%d slots - %d reserved - %d of others = %d for the pools, which may open %d.", r.Server.MaxConnections, r.Server.Reserved,
		r.Server.Others, r.Server.Free(), pools)
	if len(r.Others) > 0 {
		page.line("Others: %s.", strings.Join(r.Others, ", "))
	}
	page.line("")
	if len(r.Shapes) == 0 {
		return
	}
	page.row("MaxConns of "+r.First, "replicas that fit", "full at")
	page.rule("r", 3)
	for _, shape := range r.Shapes {
		page.row(fmt.Sprint(shape.Size), fmt.Sprint(shape.Replicas), rate(shape.Saturation))
	}
	page.line("\nThe other pools keep what they have. More connections than processors make holds longer: the last column supposes that they do not.\n")
}

func (r Report) plan(page *writer) {
	if r.Wish == nil {
		return
	}
	page.line("## For %.4g requests/s with %s headroom\n", r.Wish.Rate, figure.Figure(r.Wish.Headroom).Percent(0))
	page.row("workload / pool", "replicas", "connections", "carries", "verdict")
	page.rule("l", 5)
	for _, plan := range r.Plans {
		replicas, connections := "unknown", "unknown"
		if plan.Replicas > 0 {
			replicas, connections = fmt.Sprint(plan.Replicas), fmt.Sprint(plan.Connections)
		}
		page.row(plan.Workload+" / "+plan.Pool, replicas, connections, rate(plan.Carries), plan.Verdict)
	}
	page.line("")
}

// writer writes Markdown.
type writer struct{ strings.Builder }

func (w *writer) line(format string, args ...any) { fmt.Fprintf(w, format+"\n", args...) }

func (w *writer) row(cells ...string) { w.line("%s", "| "+strings.Join(cells, " | ")+" |") }

// rule is the line under a table's head: the first column to the left, the others to the right, unless all are.
func (w *writer) rule(first string, columns int) {
	cells := make([]string, columns)
	for i := range cells {
		cells[i] = "---:"
	}
	if first == "l" {
		cells[0] = "---"
	}
	w.row(cells...)
}

func rate(f figure.Figure) string {
	if !f.Known() {
		return f.Text(1)
	}
	return f.Text(1) + "/s"
}

func millis(f figure.Figure) string {
	if !f.Known() {
		return f.Text(1)
	}
	return (1000 * f).Text(1) + " ms"
}

func seconds(f figure.Figure) string { return f.Text(0) + " s" }
