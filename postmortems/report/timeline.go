package report

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/faultline-lab/faultline/autoheal/incident"
)

// event is one line of the timeline.
type event struct {
	at   time.Time
	what string
}

// eventRow is an event as the report shows it.
type eventRow struct {
	Clock, Relative, What string
}

// maxAlertEvents bounds the alerts listed one by one: an alert storm must not bury the rest.
const maxAlertEvents = 12

// timeline puts what the record and the edge say into one order.
func (b *builder) timeline() []eventRow {
	in := b.in.Incident
	events := alertEvents(in.Alerts)
	for _, a := range in.Actions {
		events = append(events, actionEvents(a)...)
		events = append(events, changeEvents(a)...)
	}
	events = append(events, approvalEvents(in.Approval)...)
	events = append(events, b.stageEvents()...) // after the changes, which end with the incident at the latest
	events = append(events, setbacks(b.in.Audit)...)
	events = append(events, b.journeyEvents()...)
	slices.SortStableFunc(events, func(x, y event) int { return x.at.Compare(y.at) })
	rows := make([]eventRow, 0, len(events))
	for _, e := range events {
		rows = append(rows, eventRow{Clock: clock(e.at), Relative: relative(e.at, b.zero), What: e.what})
	}
	return rows
}

func alertEvents(alerts []incident.Alert) []event {
	var events []event
	for i, a := range alerts {
		if i == maxAlertEvents {
			events = append(events, event{a.StartsAt, fmt.Sprintf("... and %d more alerts", len(alerts)-i)})
			break
		}
		events = append(events, event{a.StartsAt, fmt.Sprintf("alert **%s** starts%s", inline(a.Name()), about(a))})
		if a.EndsAt != nil && !a.EndsAt.IsZero() && a.Status == "resolved" {
			events = append(events, event{*a.EndsAt, fmt.Sprintf(
				"alert **%s** ends%s (reported, not taken as proof of recovery)", inline(a.Name()), about(a))})
		}
	}
	return events
}

// about names what an alert is about, from the labels that tell one alert from another.
func about(a incident.Alert) string {
	for _, label := range []string{"instance", "job", "service"} {
		if v := a.Labels[label]; v != "" {
			return " on " + inline(v)
		}
	}
	return ""
}

func (b *builder) stageEvents() []event {
	in := b.in.Incident
	var events []event
	add := func(at *time.Time, what string) {
		if at != nil {
			events = append(events, event{*at, what})
		}
	}
	add(in.Stages.WebhookReceived, "autoheal has the alert on disk")
	add(in.Stages.Diagnosed, "autoheal's first diagnosis stands")
	add(in.Stages.Decided, "autoheal has a remedy that every guard allows")
	if b.provedWithout() {
		add(in.Stages.Verified, "autoheal has taken back what stood for the time of the fault, and watches the edge without it")
	} else {
		add(in.Stages.Verified, "autoheal's proof is complete: "+b.proofInShort())
	}
	add(in.Stages.Ended, fmt.Sprintf("incident **%s**: %s", in.State, inline(in.Reason)))
	return events
}

// setbacks are the moments at which what had been done was found not to be enough, as the audit tells them: the record keeps only
// the last reason.
func setbacks(audit []incident.Entry) []event {
	var events []event
	for _, e := range audit {
		from, why, there := strings.Cut(e.Text, " -> "+string(incident.Received)+": ")
		acted := []incident.State{incident.Verifying, incident.Stabilising, incident.Holding, incident.Reverting}
		if e.Kind == "state" && there && slices.Contains(acted, incident.State(from)) && len(events) < maxFigures {
			events = append(events, event{e.At, "autoheal looks again: " + inline(why)})
		}
	}
	return events
}

func actionEvents(a incident.Action) []event {
	what := fmt.Sprintf("**%s** %s", inline(a.Remedy), aim(a))
	events := []event{{a.StartedAt, what + " begins"}}
	if a.FinishedAt != nil {
		end := what + ": " + inline(a.Result)
		if a.Detail != "" {
			end += " (" + inline(a.Detail) + ")"
		}
		events = append(events, event{*a.FinishedAt, end})
	}
	return events
}

func (b *builder) journeyEvents() []event {
	g, j := b.in.Telemetry.Grid, b.journey
	var events []event
	if j.firstBad >= 0 {
		events = append(events, event{g.Since(j.firstBad), "first bad second at the edge"})
	}
	if j.mitigated >= 0 {
		events = append(events, event{g.Since(j.mitigated), "first of 10 seconds running in which orders were completed or at least taken for later: **mitigated**"})
	}
	if j.recovered >= 0 {
		events = append(events, event{g.Since(j.recovered), "first of 10 good seconds running at the edge: **recovered**"})
	}
	if j.relapses > 0 {
		events = append(events, event{g.Since(j.lastBad), "last second after that which was not good: a **relapse**"})
	}
	return events
}
