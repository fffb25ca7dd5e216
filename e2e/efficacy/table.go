package efficacy

import (
	"fmt"
	"strings"
	"time"
)

// Run is one passage of the gate.
type Run struct {
	At      time.Time
	Machine string // in words
	Rows    []Row
}

// head explains the table to whoever reads it in docs.
const head = `# Do the faults still bite?

<!-- Written by go test ./e2e/efficacy -update, from a run on the real stack. Do not edit. -->

Every experiment passes this gate, without a healer, on the real local stack: a fault must make a customer second bad (less than 95 % of
the checkouts sent in it completed within 0.5 s) and fire its alert, and must stay until it is taken away. The controls must not move
the customers: ` + "`process-kill`" + ` fires nothing, ` + "`look-alike`" + ` its alert alone. After each one nothing may be left, and the
steady state must come back.

`

// tail says how to repeat it.
const tail = `
Times count from the injection; client seconds are whole, so the first bad one is dated at most a second early, and never before the
injection. *Back* is the time from the beginning of the removal until the experiment's own steady state held again: its conditions
look back ten seconds, which is most of it.

Run it: ` + "`make test-all`" + `, or on a quiet machine ` + "`go test -count=1 -v ./e2e/efficacy/ -update`" + ` after ` + "`make build tools`" + `.
Why there is a gate: [decision 25](decisions/0025-recorded-telemetry.md). What tells the faults apart: [evidence](evidence.md).
`

// Page is the run as a page of docs.
func (r Run) Page() string {
	return head + fmt.Sprintf("%s, on %s.\n\n", r.At.UTC().Format("2006-01-02 15:04 MST"), r.Machine) + r.Table() + tail
}

// Table is the run as a Markdown table.
func (r Run) Table() string {
	var text strings.Builder
	text.WriteString("| experiment | must show | first bad second | alert fires | checkouts failed | fault present at the end | back after | passed |\n")
	text.WriteString("|---|---|---:|---:|---:|---|---:|---|\n")
	for _, row := range r.Rows {
		verdict := "yes"
		if missed := row.Missed(); len(missed) > 0 {
			verdict = "**no**: " + strings.Join(missed, "; ")
		}
		fmt.Fprintf(&text, "| [%s](faults/%s.md) | %s | %s | %s | %d of %d | %s | %s | %s |\n", row.Experiment, row.Experiment, row.Expected,
			seconds(row.FirstBad), seconds(row.AlertFiring), row.Failed, row.Requests, yes(row.StillPresent), seconds(row.Steady), verdict)
	}
	return text.String()
}

func seconds(s *float64) string {
	if s == nil {
		return "never"
	}
	return fmt.Sprintf("%.1f s", *s)
}

func yes(b *bool) string {
	switch {
	case b == nil:
		return "unknown"
	case *b:
		return "yes"
	default:
		return "no"
	}
}
