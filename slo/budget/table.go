package budget

import (
	"fmt"
	"io"
	"math"
	"strings"
	"text/tabwriter"
)

// WriteTable writes a line for each SLO, without notes: its columns are made for people and for awk.
func WriteTable(to io.Writer, all []Status) error {
	table := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "SLO\tOBJECTIVE\tPERIOD\tREMAINING\tBAD/ALLOWED\tBURN\tLASTS\tPOLICY\tMEASURED")
	for _, s := range all {
		fmt.Fprintf(table, "%s\t%g%%\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", s.Name, round(100*s.Objective), short(s.Period),
			packed(s.Remaining.Percent(1)), s.Bad.Text(0)+"/"+s.Allowed.Text(0), s.burns(), s.lasts(), s.Policy.Level, short(s.Covered))
	}
	return table.Flush()
}

// packed takes the blanks out, so that a column is a word.
func packed(text string) string { return strings.ReplaceAll(text, " ", "") }

// round takes away what binary fractions add: 99.90000000000001.
func round(f float64) float64 { return math.Round(f*1e6) / 1e6 }

// burns are the burn rates by window, the shortest first: 5s=0.0,30s=1.2.
func (s Status) burns() string {
	var parts []string
	for _, burn := range s.Burns {
		parts = append(parts, short(burn.Window)+"="+burn.Rate.Text(1))
	}
	return strings.Join(parts, ",")
}

func (s Status) lasts() string {
	switch {
	case s.Lasts < 0:
		return "unknown"
	case s.Lasts == math.MaxInt64:
		return "forever"
	case s.Lasts > s.Period:
		return ">" + short(s.Period)
	default:
		return short(s.Lasts)
	}
}
