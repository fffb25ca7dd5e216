package report

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"regexp"
	"text/template"
	"time"

	"github.com/faultline-lab/faultline/autoheal/incident"
)

//go:embed report.md.tmpl
var layout string

// ErrNoIncident says that the record carries no incident id: it is not a record of autoheal.
var ErrNoIncident = errors.New("the record has no incident id: it is not an incident of autoheal")

// Render writes the report. It returns ErrNoIncident for a record that is none; whatever else is missing is said in
// the report instead.
func Render(in Input) ([]byte, error) {
	if in.Incident.ID == "" {
		return nil, ErrNoIncident
	}
	tmpl, err := template.New("report").Parse(layout)
	if err != nil {
		return nil, fmt.Errorf("the report's template: %w", err)
	}
	b := newBuilder(in)
	var out bytes.Buffer
	if err := tmpl.Execute(&out, b.view()); err != nil {
		return nil, fmt.Errorf("incident %s: render: %w", in.Incident.ID, err)
	}
	text := manyBlankLines.ReplaceAll(out.Bytes(), []byte("\n\n"))
	return []byte(redact(string(text))), nil
}

// manyBlankLines are what sections that are not there leave behind.
var manyBlankLines = regexp.MustCompile(`\n{3,}`)

// builder derives the view; the order in which its methods run gives the queries their numbers.
type builder struct {
	in      Input
	zero    time.Time // the first alert: every relative time counts from here
	journey journey
	cites   *citations
}

func newBuilder(in Input) *builder {
	b := &builder{in: in, zero: Zero(in.Incident), cites: newCitations(), journey: noJourney}
	if b.edgeKnown() {
		b.journey = follow(in.Telemetry.Edge, in.Telemetry.Grid, b.zero)
	}
	return b
}

// edgeKnown says that both queries of the edge's SLI were answered with at least one reading.
func (b *builder) edgeKnown() bool {
	e := b.in.Telemetry.Edge
	n := b.in.Telemetry.Grid.Len
	return n > 0 && e.All.Known() && e.Fast.Known() && len(e.Total) == n && len(e.Done) == n && len(e.Good) == n
}

// Zero is the moment from which a report counts: the start of the first alert, else the webhook, else the time zero.
func Zero(in incident.Incident) time.Time {
	var zero time.Time
	for _, a := range in.Alerts {
		if zero.IsZero() || a.StartsAt.Before(zero) {
			zero = a.StartsAt
		}
	}
	for _, stage := range []*time.Time{in.Stages.AlertStartsAt, in.Stages.WebhookReceived} {
		if zero.IsZero() && stage != nil {
			zero = *stage
		}
	}
	return zero
}
