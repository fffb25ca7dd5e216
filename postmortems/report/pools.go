package report

import (
	"fmt"
	"math"
	"strings"
)

type poolView struct {
	Gap    string // why there is nothing to show
	Rows   []poolRow
	Note   string
	Charts string
}

type poolRow struct{ Pool, Max, Before, Highest, Idle, Pending, Timeouts, Last string }

// pools shows each replica's pool before, during and after.
func (b *builder) pools() poolView {
	p := b.in.Telemetry.Pools
	if len(p.Pools) == 0 {
		gap := p.Used
		if gap.Known() {
			gap.Unknown = "the pools of " + list(b.in.Incident.Workloads) + " left no series in this time"
		}
		return poolView{Gap: "What the pools did is " + b.cites.unknown(gap, "connections in use") + "."}
	}
	v := poolView{Note: b.poolNote()}
	for _, pool := range p.Pools {
		v.Rows = append(v.Rows, b.poolRow(pool))
		v.Charts += b.poolChart(pool).String() + "\n\n"
	}
	return v
}

// poolNote says where the columns and the charts are from.
func (b *builder) poolNote() string {
	p, g := b.in.Telemetry.Pools, b.in.Telemetry.Grid
	from := func(p Provenance, what string) string { return b.cites.figure(p, what, "the table of pools") }
	note := strings.NewReplacer("the table of pools ", "").Replace(strings.Join([]string{
		"In use " + from(p.Used, "connections in use"),
		"idle " + from(p.Idle, "idle connections"),
		"waiting " + from(p.Pending, "callers waiting"),
		"gave up " + from(p.Timeouts, "acquire timeouts"),
		"size " + from(p.Max, "pool size"),
	}, ", "))
	return fmt.Sprintf("%s; %s to %s.", note, clock(g.Start), clock(g.End()))
}

func (b *builder) poolRow(p Pool) poolRow {
	before := p.Used[:b.split(len(p.Used))]
	return poolRow{
		Pool:     inline(p.Replica + ", " + p.Name),
		Max:      number(last(p.Max)),
		Before:   number(math.Round(10*mean(before)) / 10),
		Highest:  number(highest(p.Used)),
		Idle:     number(lowest(p.Idle)),
		Pending:  number(highest(p.Pending)),
		Timeouts: number(sum(p.Timeouts)),
		Last:     number(last(p.Used)),
	}
}

// split is how many steps lie before it began: the first bad second, else the alert.
func (b *builder) split(n int) int {
	if b.journey.firstBad >= 0 {
		return min(b.journey.firstBad, n)
	}
	g, i := b.in.Telemetry.Grid, 0
	for i < n && g.At(i).Before(b.zero) {
		i++
	}
	return i
}

func (b *builder) poolChart(p Pool) chart {
	top := highest(p.Max)
	if math.IsNaN(top) {
		top = 0
	}
	return chart{grid: b.in.Telemetry.Grid, moments: b.moments(), rows: []chartRow{
		{p.Replica + " used", p.Used, top}, {"idle", p.Idle, top}, {"waiting", p.Pending, 0}, {"gave up", p.Timeouts, 0},
	}}
}

func mean(line Line) float64 {
	known := 0
	for _, v := range line {
		if !math.IsNaN(v) {
			known++
		}
	}
	if known == 0 {
		return math.NaN()
	}
	return sum(line) / float64(known)
}

func last(line Line) float64 {
	for i := len(line) - 1; i >= 0; i-- {
		if !math.IsNaN(line[i]) {
			return line[i]
		}
	}
	return math.NaN()
}
