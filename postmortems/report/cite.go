package report

import (
	"fmt"
	"strings"
	"time"
)

// citations numbers the queries in the order in which the text first needs them, and remembers which figures each gave.
type citations struct {
	numbers map[string]int
	cited   []*citation
}

type citation struct {
	Provenance

	figures []string
	seen    map[string]bool
}

func newCitations() *citations { return &citations{numbers: map[string]int{}} }

// mark cites a source for a figure and returns the mark that stands behind it in the text, for example "([q3])".
func (c *citations) mark(from Provenance, figure, value string) string {
	key := strings.Join([]string{from.Source, from.Query, from.Start.String(), from.End.String()}, "\x00")
	n, known := c.numbers[key]
	if !known {
		c.cited = append(c.cited, &citation{Provenance: from, seen: map[string]bool{}})
		n = len(c.cited)
		c.numbers[key] = n
	}
	cited := c.cited[n-1]
	if line := figure + " = " + value; !cited.seen[line] {
		cited.seen[line] = true
		cited.figures = append(cited.figures, line)
	}
	return fmt.Sprintf("([q%d])", n)
}

// figure returns the value with its mark, or that it is unknown and why.
func (c *citations) figure(from Provenance, name, value string) string {
	if !from.Known() {
		return c.unknown(from, name)
	}
	return value + " " + c.mark(from, name, value)
}

func (c *citations) unknown(from Provenance, name string) string {
	return "unknown: " + inline(from.Unknown) + " " + c.mark(from, name, "unknown")
}

// sourceRow is one line of the appendix's table of queries.
type sourceRow struct {
	Anchor  string
	Source  string
	Query   string
	Range   string
	Figures string
}

// maxFigures bounds the figures listed for one query: a report of thousands of alerts must stay readable.
const maxFigures = 12

func (c *citations) rows(zero time.Time) []sourceRow {
	rows := make([]sourceRow, 0, len(c.cited))
	for i, cited := range c.cited {
		figures := cited.figures
		if more := len(figures) - maxFigures; more > 0 {
			figures = append(figures[:maxFigures:maxFigures], fmt.Sprintf("and %d more", more))
		}
		rows = append(rows, sourceRow{
			Anchor:  fmt.Sprintf("q%d", i+1),
			Source:  cited.Source,
			Query:   code(cited.Query),
			Range:   timeRange(cited.Provenance, zero),
			Figures: strings.Join(figures, "; "),
		})
	}
	return rows
}

func timeRange(p Provenance, zero time.Time) string {
	switch {
	case p.Start.IsZero() && p.End.IsZero():
		return ""
	case p.Start.Equal(p.End):
		return clock(p.End) + " (" + relative(p.End, zero) + ")"
	}
	text := fmt.Sprintf("%s to %s (%s to %s)", clock(p.Start), clock(p.End), relative(p.Start, zero), relative(p.End, zero))
	if p.Step > 0 {
		text += ", step " + p.Step.String()
	}
	return text
}
