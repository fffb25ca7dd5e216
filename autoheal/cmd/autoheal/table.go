package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/faultline-lab/faultline/autoheal/incident"
)

// columns are what a table of incidents can show.
var columns = []struct {
	name string
	text func(incident.Incident) string
}{
	{"id", func(in incident.Incident) string { return in.ID }},
	{"workload", func(in incident.Incident) string { return in.Workload }},
	{"state", func(in incident.Incident) string { return string(in.State) }},
	{"outcome", func(in incident.Incident) string { return string(in.Outcome) }},
	{"cause", func(in incident.Incident) string { return string(in.Diagnosis.Cause) }},
	{"actions", func(in incident.Incident) string { return strconv.Itoa(len(in.Actions)) }},
	{"changes", func(in incident.Incident) string { return strconv.Itoa(changes(in)) }},
	{"rung", func(in incident.Incident) string { return strconv.Itoa(in.Rung + 1) }},
	{"received", func(in incident.Incident) string { return moment(in.Stages.WebhookReceived) }},
	{"ended", func(in incident.Incident) string { return moment(in.Stages.Ended) }},
	{"took", took},
	{"trace", func(in incident.Incident) string { return in.TraceID }},
	{"reason", func(in incident.Incident) string { return in.Reason }},
}

func columnNames() string {
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = c.name
	}
	return strings.Join(names, ",")
}

func table(out io.Writer, incidents []incident.Incident, names []string) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, strings.ToUpper(strings.Join(names, "\t")))
	for _, in := range incidents {
		var cells []string
		for _, name := range names {
			for _, c := range columns {
				if c.name == name {
					cells = append(cells, dash(c.text(in)))
				}
			}
		}
		fmt.Fprintln(w, strings.Join(cells, "\t"))
	}
	return w.Flush()
}

// changes counts what the incident has changed and not taken back yet.
func changes(in incident.Incident) int {
	n := 0
	for _, a := range in.Actions {
		if a.Changed() {
			n++
		}
	}
	return n
}

func moment(t *time.Time) string {
	if t == nil {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// took is from the first webhook to the end.
func took(in incident.Incident) string {
	if in.Stages.WebhookReceived == nil || in.Stages.Ended == nil {
		return ""
	}
	return in.Stages.Ended.Sub(*in.Stages.WebhookReceived).Round(time.Millisecond).String()
}
