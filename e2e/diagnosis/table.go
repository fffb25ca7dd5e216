package diagnosis

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/faultline-lab/faultline/autoheal/diagnose"
	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/e2e/signature"
)

// scrape is how often Prometheus scraped when the recordings were made.
const scrape = time.Second

// The verdicts of a look that names no cause.
const (
	gone         = "gone"
	harmless     = "harmless"
	inconclusive = "inconclusive"
)

// Verdict is what the diagnosis makes of one recorded look.
func Verdict(r signature.Recording, look signature.Look) (string, diagnose.Result) {
	result := diagnose.Diagnose(Facts(r.Before, look), 1, scrape)
	switch {
	case result.Diagnosis.Cause != incident.Inconclusive:
		return string(result.Diagnosis.Cause), result
	case result.Gone:
		return gone, result
	case result.Harmless:
		return harmless, result
	}
	return inconclusive, result
}

// Confusion counts looks by what was wrong and what was named.
type Confusion struct {
	faults  []string
	counts  map[string]map[string]int
	settled map[string]map[string]int // only the looks that count (signature.Recording.Settled)
	// named is when the cause was first named, in seconds after the alert, in the slowest recording; negative where in one never.
	named map[string]float64
}

// Confuse diagnoses every look of all recordings.
func Confuse(recordings []signature.Recording) Confusion {
	c := Confusion{counts: map[string]map[string]int{}, settled: map[string]map[string]int{}, named: map[string]float64{}}
	count := func(table map[string]map[string]int, fault string, r signature.Recording, look signature.Look) {
		if table[fault] == nil {
			table[fault] = map[string]int{}
		}
		verdict, _ := Verdict(r, look)
		table[fault][verdict]++
	}
	for _, r := range recordings {
		if !slices.Contains(c.faults, r.Experiment) {
			c.faults = append(c.faults, r.Experiment)
		}
		count(c.counts, signature.Healthy, r, r.Before)
		count(c.settled, signature.Healthy, r, r.Before)
		for _, look := range r.During {
			count(c.counts, r.Experiment, r, look)
		}
		for _, look := range r.Settled() {
			count(c.settled, r.Experiment, r, look)
		}
		c.time(r)
	}
	c.faults = append(c.faults, signature.Healthy)
	return c
}

// time notes when the cause was first named.
func (c Confusion) time(r signature.Recording) {
	first := slices.IndexFunc(r.During, func(look signature.Look) bool { verdict, _ := Verdict(r, look); return verdict == r.Experiment })
	if first < 0 || r.AlertAt == nil || c.named[r.Experiment] < 0 {
		c.named[r.Experiment] = -1
		return
	}
	after := r.During[first].After - r.AlertAt.Sub(r.InjectedAt).Seconds()
	c.named[r.Experiment] = max(c.named[r.Experiment], math.Max(after, 0))
}

// Page is docs/diagnosis.md.
func (c Confusion) Page() string {
	var text strings.Builder
	text.WriteString(head)
	columns := []string{}
	for _, cause := range incident.Causes() {
		columns = append(columns, string(cause))
	}
	columns = append(columns, inconclusive, harmless, gone)
	fmt.Fprintf(&text, "\n## What was named\n\nLooks, of all recordings, from 3 s after the alert on; in brackets those before, when windows of three scrapes still hold\nwhat was before. *First* is when the cause was first named, counted from the alert, in the slower of its runs; looks are 2.5 s\napart, so this is no measure of speed.\n\n| fault | %s | first |\n|---|%s\n",
		strings.Join(columns, " | "), strings.Repeat("---:|", len(columns)+1))
	for _, fault := range c.faults {
		fmt.Fprintf(&text, "| %s |", fault)
		for _, column := range columns {
			all, settled := c.counts[fault][column], c.settled[fault][column]
			switch {
			case all == 0:
				text.WriteString(" |")
			case all == settled:
				fmt.Fprintf(&text, " %d |", all)
			default:
				fmt.Fprintf(&text, " %d (+%d) |", settled, all-settled)
			}
		}
		if first := c.named[fault]; fault != signature.Healthy && first >= 0 {
			fmt.Fprintf(&text, " %.1f s |\n", first)
		} else {
			text.WriteString(" |\n")
		}
	}
	text.WriteString(tail)
	return text.String()
}
