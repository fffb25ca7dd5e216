package report

import (
	"fmt"
	"math"
	"strings"

	"github.com/faultline-lab/faultline/autoheal/incident"
)

// maxRows bounds each table of the appendix.
const maxRows = 400

type alertRow struct{ Name, About, Starts, Received, Status, Says string }

func (b *builder) alerts() []alertRow {
	rows := make([]alertRow, 0, min(len(b.in.Incident.Alerts), maxAlertEvents))
	for i, a := range b.in.Incident.Alerts {
		if i == maxAlertEvents {
			rows = append(rows, alertRow{Name: fmt.Sprintf("... and %d more", len(b.in.Incident.Alerts)-i)})
			break
		}
		rows = append(rows, alertRow{
			Name: inline(a.Name()), About: strings.TrimPrefix(about(a), " on "), Starts: clock(a.StartsAt),
			Received: clock(a.ReceivedAt), Status: inline(a.Status), Says: inline(saying(a)),
		})
	}
	return rows
}

// saying is the alert's own sentence.
func saying(a incident.Alert) string {
	for _, name := range []string{"summary", "description", "message"} {
		if text := a.Annotations[name]; text != "" {
			return text
		}
	}
	return ""
}

type secondRow struct{ Clock, Relative, Total, Good, Slow, Failed, Verdict string }

// seconds is the edge's series, step by step, over the bad spell and some steps around it.
func (b *builder) seconds() []secondRow {
	if !b.edgeKnown() || b.journey.firstBad < 0 {
		return nil
	}
	e, g, j := b.in.Telemetry.Edge, b.in.Telemetry.Grid, b.journey
	const around = 5
	to := j.lastBad + around + 1
	if j.settled >= 0 {
		to = max(to, j.settled+around)
	}
	var rows []secondRow
	for i := max(j.firstBad-around, 0); i < min(to, g.Len) && len(rows) < maxRows; i++ {
		rows = append(rows, secondRow{
			Clock: g.Since(i).UTC().Format("15:04:05"), Relative: relative(g.Since(i), b.zero),
			Total: number(e.Total[i]), Good: number(e.Good[i]), Slow: difference(e.Done[i], e.Good[i]+e.taken(i)),
			Failed: difference(e.Total[i], e.Done[i]), Verdict: []string{"unclear", "good", "taken for later", "**bad**"}[e.verdict(i)],
		})
	}
	return rows
}

// difference of two readings of the same moment; scrapes are not one instant, so it may be off by one: never below 0.
func difference(a, b float64) string {
	if math.IsNaN(a) || math.IsNaN(b) {
		return "unknown"
	}
	return number(max(a-b, 0))
}

// audit lists the healer's own log; the note says where it is from, or why there is none.
func (b *builder) audit() (rows []eventRow, note string) {
	if !b.in.AuditFrom.Known() {
		return nil, "The audit trail is " + b.cites.unknown(b.in.AuditFrom, "audit trail") + "."
	}
	entries := b.in.Audit
	note = "Append-only, as the healer wrote it " +
		b.cites.mark(b.in.AuditFrom, "audit entries", number(float64(len(entries)))) + "."
	if len(entries) > maxRows {
		note += fmt.Sprintf(" The first %d of %d.", maxRows, len(entries))
		entries = entries[:maxRows]
	}
	for _, e := range entries {
		rows = append(rows, eventRow{
			Clock: clock(e.At), Relative: relative(e.At, b.zero), What: inline(e.Kind) + ": " + inline(e.Text),
		})
	}
	return rows, note
}

// inlineSpaces puts a text on one line.
func inlineSpaces(text string) string { return strings.Join(strings.Fields(text), " ") }
