package signature

import (
	"fmt"
	"slices"
	"strings"
)

const pageHead = `# What tells the faults apart

<!-- Written by go test ./e2e/signature -update, from e2e/signature/recorded. Do not edit. -->

From the outside all faults look alike: checkouts slow or failing, the pool full. This page says which evidence separates them. It is made
from %d recordings of real runs on the local stack without a healer (%s); ` + "`signature record`" + ` makes them, and a test holds every
statement here against all of them. A recording has the facts with their source, question, value and time; *healthy* is
what was seen before each injection, after a wait until nothing told of an earlier run any more (no alert, no replica younger than
20 s, arrivals as half a minute before).

A figure counts from 3 s after the alert on, when windows of three scrapes hold nothing from before it. Evidence separates two faults
when it held in **every** look of one and in **no** look of the other.

`

// Page is the matrix as a page of docs.
func (m Matrix) Page(recordings []Recording) string {
	var text strings.Builder
	var machines []string
	for _, r := range recordings {
		if !slices.Contains(machines, r.Machine) {
			machines = append(machines, r.Machine)
		}
	}
	fmt.Fprintf(&text, pageHead, len(recordings), strings.Join(machines, "; "))
	m.writeMatrix(&text)
	m.writeSignatures(&text, recordings)
	m.writePredicates(&text)
	m.writeFindings(&text)
	text.WriteString("\nWhat the gate asks of each experiment: [efficacy](efficacy.md). Why recordings: [decision 25](decisions/0025-recorded-telemetry.md).\n")
	return text.String()
}

// shown is how many pieces of evidence stand in one cell; the others are in the last table.
const shown = 2

func (m Matrix) writeMatrix(text *strings.Builder) {
	fmt.Fprintf(text, "## The matrix\n\nEach cell names evidence that separates its row from its column, at most %d pieces, what decides first.\n\n", shown)
	text.WriteString("| | " + strings.Join(m.Faults[:len(m.Faults)-1], " | ") + " |\n|---|" + strings.Repeat("---|", len(m.Faults)-1) + "\n")
	for i, row := range m.Faults[1:] {
		fmt.Fprintf(text, "| **%s** |", row)
		for j, column := range m.Faults[:len(m.Faults)-1] {
			if j > i {
				text.WriteString(" |")
				continue
			}
			fmt.Fprintf(text, " %s |", m.cell(row, column))
		}
		text.WriteString("\n")
	}
	text.WriteString("\n")
}

func (m Matrix) cell(a, b string) string {
	var names []string
	for _, predicate := range m.Separate(a, b) {
		if len(names) < shown {
			names = append(names, predicate.Name)
		}
	}
	if len(names) == 0 {
		return "**nothing**"
	}
	return strings.Join(names, ", ")
}

func (m Matrix) writeSignatures(text *strings.Builder, recordings []Recording) {
	text.WriteString("## Signatures\n\nEach holds in every look of its fault and in no look of any other. *Seen* is when it was first whole, counted from the " +
		"alert (`process-kill`: from the injection), in the slower of its runs; the looks are 2.5 s apart.\n\n| fault | shows | and not | seen |\n|---|---|---|---|\n")
	for _, fault := range m.Faults {
		s, when := Signatures()[fault], ""
		if after, seen := SeenAfter(fault, recordings); seen {
			when = fmt.Sprintf("%.1f s", after)
		}
		fmt.Fprintf(text, "| %s | %s | %s | %s |\n", fault, strings.Join(s.Shows, ", "), strings.Join(s.Lacks, ", "), when)
	}
	text.WriteString("\n")
}

func (m Matrix) writePredicates(text *strings.Builder) {
	text.WriteString("## The evidence\n\n| name | says | threshold | why there | facts |\n|---|---|---|---|---|\n")
	for _, p := range m.Predicates {
		sign := "at least"
		if p.Below {
			sign = "below"
		}
		threshold := strings.TrimSpace(fmt.Sprintf("%s %g %s", sign, p.Threshold, unit(p.Unit)))
		fmt.Fprintf(text, "| %s | %s | %s | %s | `%s` |\n", p.Name, p.Says, threshold, p.Why, strings.Join(p.Reads, "`, `"))
	}
	text.WriteString("\n")
}

func unit(ucum string) string {
	if ucum == "1" {
		return ""
	}
	return strings.Trim(ucum, "{}")
}

func (m Matrix) writeFindings(text *strings.Builder) {
	text.WriteString("## What was measured\n\nThe least and the most of all looks; **bold** where the evidence held in all of them, *mixed* where it held in some, " +
		"*mute* where telemetry could not tell in some, a dash where it could in none (a mean of nothing).\n\n")
	text.WriteString("| | " + strings.Join(m.Faults, " | ") + " |\n|---|" + strings.Repeat("---:|", len(m.Faults)) + "\n")
	for _, p := range m.Predicates {
		fmt.Fprintf(text, "| %s |", p.Name)
		for _, fault := range m.Faults {
			fmt.Fprintf(text, " %s |", m.Finding(fault, p.Name))
		}
		text.WriteString("\n")
	}
}

// String is the finding as a cell of the page.
func (f Finding) String() string {
	figures := fmt.Sprintf("%.3g to %.3g", f.Least, f.Most)
	if f.Least == f.Most {
		figures = fmt.Sprintf("%.3g", f.Most)
	}
	switch f.Verdict() {
	case Blind:
		if f.Held+f.Failed == 0 {
			return "-"
		}
		return figures + ", *or mute*"
	case Yes:
		return "**" + figures + "**"
	case Mixed:
		return figures + ", *mixed*"
	default:
		return figures
	}
}
