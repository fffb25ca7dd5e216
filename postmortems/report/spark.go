package report

import (
	"fmt"
	"math"
	"strings"
	"time"
)

// chartWidth is the widest a chart gets, in characters: it must fit a terminal and a review comment.
const chartWidth = 72

var bars = []rune("▁▂▃▄▅▆▇█")

// chart is a block of sparklines over one grid, with the moments of the incident marked below.
type chart struct {
	grid    Grid
	rows    []chartRow
	moments []moment
}

type chartRow struct {
	label string
	line  Line
	top   float64 // the value of a full bar; 0: the row's own highest
}

type moment struct {
	letter rune
	what   string
	at     time.Time
}

// String draws the chart. Where a column stands for several steps it shows the highest; a step without a reading is
// a dot, never an empty bar.
func (c chart) String() string {
	if c.grid.Len == 0 {
		return ""
	}
	per := (c.grid.Len + chartWidth - 1) / chartWidth
	label := 0
	for _, row := range c.rows {
		label = max(label, len([]rune(row.label)))
	}
	var b strings.Builder
	for _, row := range c.rows {
		top := row.top
		if top == 0 {
			top = highest(row.line)
		}
		fmt.Fprintf(&b, "%-*s  %s  %s\n", label, row.label, spark(row.line, per, top), extent(row.line))
	}
	marks, legend := c.marks(per)
	if legend != "" {
		fmt.Fprintf(&b, "%-*s  %s\n%-*s  %s\n", label, "", marks, label, "", legend)
	}
	fmt.Fprintf(&b, "%-*s  one column = %s", label, "", time.Duration(per)*c.grid.Step)
	return b.String()
}

func spark(line Line, per int, top float64) string {
	var b strings.Builder
	for i := 0; i < len(line); i += per {
		v := highest(line[i:min(i+per, len(line))])
		switch {
		case math.IsNaN(v):
			b.WriteRune('·')
		case v <= 0 || top <= 0:
			b.WriteRune(bars[0])
		default:
			// Anything above zero is seen to be above zero.
			level := int(math.Ceil(v / top * float64(len(bars)-1)))
			b.WriteRune(bars[min(max(level, 1), len(bars)-1)])
		}
	}
	return b.String()
}

// highest is the greatest known value; NaN when none is known.
func highest(line Line) float64 { return extreme(line, math.Max) }

// lowest is the smallest known value; NaN when none is known.
func lowest(line Line) float64 { return extreme(line, math.Min) }

func extreme(line Line, pick func(a, b float64) float64) float64 {
	found := math.NaN()
	for _, v := range line {
		switch {
		case math.IsNaN(v):
		case math.IsNaN(found):
			found = v
		default:
			found = pick(found, v)
		}
	}
	return found
}

// sum adds what is known; NaN when nothing is.
func sum(line Line) float64 {
	return extreme(line, func(a, b float64) float64 { return a + b })
}

func extent(line Line) string {
	low, high := lowest(line), highest(line)
	switch {
	case math.IsNaN(low):
		return "unknown"
	case low == high:
		return number(low) + " throughout"
	default:
		return number(low) + " to " + number(high)
	}
}

// marks places each moment's letter under its column; a letter whose column is taken moves one to the right.
func (c chart) marks(per int) (row, legend string) {
	columns := (c.grid.Len + per - 1) / per
	line := []rune(strings.Repeat(" ", columns))
	var names []string
	for _, m := range c.moments {
		if m.at.Before(c.grid.Start) || m.at.After(c.grid.End()) {
			continue
		}
		// A step covers the time before its instant, so an event between two instants belongs to the later one.
		steps := int(m.at.Sub(c.grid.Start)/c.grid.Step) + 1
		column := min(steps/per, columns-1)
		for column < columns && line[column] != ' ' {
			column++
		}
		if column < columns {
			line[column] = m.letter
			names = append(names, string(m.letter)+" "+m.what)
		}
	}
	return strings.TrimRight(string(line), " "), strings.Join(names, ", ")
}
