package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/faultline-lab/faultline/autoheal/incident"
)

// show prints one incident for a person, what he needs first coming first.
func show(out io.Writer, in incident.Incident, audit []incident.Entry) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, part := range []func(io.Writer, incident.Incident){head, stages, approval, actions, verdicts, facts} {
		part(w, in)
		if err := w.Flush(); err != nil { // each part has columns of its own
			return err
		}
	}
	fmt.Fprintln(w, "\nAUDIT")
	for _, e := range audit {
		fmt.Fprintf(w, "%s\t%s\t%s\n", clock(e.At), e.Kind, e.Text)
	}
	return w.Flush()
}

func head(w io.Writer, in incident.Incident) {
	fmt.Fprintf(w, "incident\t%s\n", in.ID)
	fmt.Fprintf(w, "state\t%s %s\n", in.State, in.Outcome)
	fmt.Fprintf(w, "reason\t%s\n", in.Reason)
	fmt.Fprintf(w, "root\t%s (alerts of %s)\n", in.Workload, strings.Join(in.Workloads, ", "))
	fmt.Fprintf(w, "diagnosis\t%s\n", in.Diagnosis.Summary)
	fmt.Fprintf(w, "ladder\trung %d%s\n", in.Rung+1, chosen(in))
	fmt.Fprintf(w, "readings\t%d of the edge, %d good in a row required\n", len(in.Verification.Readings), in.Verification.Required)
	fmt.Fprintf(w, "trace\t%s\n", dash(in.TraceID))
}

// chosen is the last choice: which remedy for what, and what came of it.
func chosen(in incident.Incident) string {
	if len(in.Decisions) == 0 {
		return ", nothing chosen yet"
	}
	d := in.Decisions[len(in.Decisions)-1]
	text := ""
	if d.Remedy != "" {
		text = ", " + d.Remedy
	}
	if len(d.Targets) > 0 {
		text += " on " + strings.Join(d.Targets, ", ")
	}
	return text + ": " + dash(d.Result)
}

func stages(w io.Writer, in incident.Incident) {
	fmt.Fprint(w, "\nSTAGES\n")
	for _, stage := range []struct {
		name string
		at   *time.Time
	}{
		{"alert starts", in.Stages.AlertStartsAt},
		{"webhook received", in.Stages.WebhookReceived},
		{"diagnosed", in.Stages.Diagnosed},
		{"decided", in.Stages.Decided},
		{"action started", in.Stages.ActionStarted},
		{"action finished", in.Stages.ActionFinished},
		{"verified", in.Stages.Verified},
		{"ended", in.Stages.Ended},
	} {
		if stage.at != nil {
			fmt.Fprintf(w, "%s\t%s\n", stage.name, clock(*stage.at))
		}
	}
}

// approval prints the question, and how to answer where nobody has.
func approval(w io.Writer, in incident.Incident) {
	a := in.Approval
	if a == nil {
		return
	}
	fmt.Fprint(w, "\nAPPROVAL\n")
	fmt.Fprintf(w, "asked\t%s, until %s\n", a.AskedAt.UTC().Format(time.RFC3339Nano), a.Expires.UTC().Format(time.RFC3339))
	fmt.Fprintf(w, "question\t%s on %s, because of %s?\n", a.Remedy, strings.Join(a.Targets, ", "), a.Cause)
	switch {
	case a.Answer != "":
		fmt.Fprintf(w, "answer\t%s by %s: %s\n", a.Answer, dash(a.By), dash(a.Comment))
	case in.State == incident.Awaiting:
		fmt.Fprintf(w, "answer\tautoheal approve %s --by=..., or autoheal deny\n", in.ID)
	}
}

// actions prints what was done, and what has become of the changes that it made.
func actions(w io.Writer, in incident.Incident) {
	if len(in.Actions) == 0 {
		return
	}
	fmt.Fprint(w, "\nACTIONS\nRUNG\tREMEDY\tTARGET\tBEGAN\tRESULT\tDETAIL\n")
	for _, a := range in.Actions {
		fmt.Fprintf(w, "%d\t%s\t%s\t%s\t%s\t%s\n", a.Rung+1, a.Remedy, a.Target, clock(a.StartedAt), dash(a.Result), a.Detail)
	}
	changed := false
	for _, a := range in.Actions {
		u := a.Undo
		if u == nil {
			continue
		}
		if !changed {
			fmt.Fprint(w, "\nCHANGES\nOF\tWHAT\tFROM\tTO\tIS NOW\tDETAIL\n")
			changed = true
		}
		state := string(u.State)
		if u.Until != nil && a.Changed() {
			state += ", at most until " + clock(*u.Until)
		}
		fmt.Fprintf(w, "%s\t%s %s\t%s\t%s\t%s\t%s\n", a.Remedy, u.Target.Kind, u.Target.Name, dash(u.Target.Is), dash(u.Target.To), state, u.Detail)
	}
}

// verdicts prints what the guards said about each action, the last time that they were asked: refusals with their reasons,
// and consents in one line.
func verdicts(w io.Writer, in incident.Incident) {
	type action struct{ remedy, target string }
	var asked []action
	last := map[action][]incident.Verdict{}
	for _, v := range in.Verdicts {
		of := action{v.Remedy, v.Target}
		said := last[of]
		switch {
		case len(said) == 0:
			asked = append(asked, of)
		case !said[0].At.Equal(v.At):
			said = nil
		}
		last[of] = append(said, v)
	}
	if len(asked) > 0 {
		fmt.Fprint(w, "\nVERDICTS, the last of each action\n")
	}
	for _, of := range asked {
		var yes []string
		fmt.Fprintf(w, "%s on %s\t%s\n", of.remedy, of.target, clock(last[of][0].At))
		for _, v := range last[of] {
			if v.Allowed {
				yes = append(yes, v.Guard)
			} else {
				fmt.Fprintf(w, "  no\t%s: %s\n", v.Guard, v.Reason)
			}
		}
		if len(yes) > 0 {
			fmt.Fprintf(w, "  yes\t%s\n", strings.Join(yes, ", "))
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
