package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/faultline-lab/faultline/autoheal/incident"
)

// show prints one incident for a person.
func show(out io.Writer, in incident.Incident, audit []incident.Entry) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "incident\t%s\n", in.ID)
	fmt.Fprintf(w, "state\t%s %s\n", in.State, in.Outcome)
	fmt.Fprintf(w, "reason\t%s\n", in.Reason)
	fmt.Fprintf(w, "root\t%s (alerts of %s)\n", in.Workload, strings.Join(in.Workloads, ", "))
	fmt.Fprintf(w, "diagnosis\t%s\n", in.Diagnosis.Summary)
	fmt.Fprintf(w, "trace\t%s\n", dash(in.TraceID))
	stages(w, in.Stages)
	for _, a := range in.Actions {
		fmt.Fprintf(w, "action\t%s on %s: %s: %s\n", a.Remedy, a.Target, dash(a.Result), a.Detail)
	}
	fmt.Fprintf(w, "readings\t%d of the edge, %d good in a row required\n", len(in.Verification.Readings), in.Verification.Required)
	if err := w.Flush(); err != nil {
		return err
	}
	facts(w, in)
	fmt.Fprintln(w, "\nAUDIT")
	for _, e := range audit {
		fmt.Fprintf(w, "%s\t%s\t%s\n", clock(e.At), e.Kind, e.Text)
	}
	return w.Flush()
}

func stages(w io.Writer, s incident.Stages) {
	for _, stage := range []struct {
		name string
		at   *time.Time
	}{
		{"alert starts", s.AlertStartsAt},
		{"webhook received", s.WebhookReceived},
		{"diagnosed", s.Diagnosed},
		{"decided", s.Decided},
		{"action started", s.ActionStarted},
		{"action finished", s.ActionFinished},
		{"verified", s.Verified},
		{"ended", s.Ended},
	} {
		if stage.at != nil {
			fmt.Fprintf(w, "%s\t%s\n", stage.name, clock(*stage.at))
		}
	}
}

// facts prints the last round of evidence; the JSON record has all of them.
func facts(w io.Writer, in incident.Incident) {
	last := 0
	for _, f := range in.Evidence {
		last = max(last, f.Round)
	}
	fmt.Fprintf(w, "\nEVIDENCE of round %d of %d\nSOURCE\tSUBJECT\tFACT\tVALUE\tUNIT\tDETAIL\n", last, last)
	for _, f := range in.Evidence {
		if f.Round != last {
			continue
		}
		value := "unknown"
		if f.Status == incident.Known {
			value = fmt.Sprintf("%.4g", f.Value)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", f.Source, f.Subject, f.Name, value, f.Unit, f.Detail)
	}
}

func clock(t time.Time) string { return t.UTC().Format("15:04:05.000") }
