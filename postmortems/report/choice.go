package report

import (
	"fmt"

	"github.com/faultline-lab/faultline/autoheal/incident"
)

// choiceRow is one choice on the ladder as it was made.
type choiceRow struct{ Clock, Relative, Rung, Remedy, Targets, Result, Reason string }

// choices are the steps on the playbook's ladder; none in records from before they were kept.
func (b *builder) choices() []choiceRow {
	decisions := b.in.Incident.Decisions
	rows := make([]choiceRow, 0, len(decisions))
	for _, d := range decisions[max(len(decisions)-maxRows, 0):] {
		row := choiceRow{
			Clock: clock(d.At), Relative: relative(d.At, b.zero), Rung: number(float64(d.Rung + 1)), Remedy: inline(d.Remedy),
			Targets: list(inlineAll(few(d.Targets))), Result: inline(d.Result), Reason: inline(d.Reason),
		}
		if d.Remedy == "" {
			row.Rung, row.Remedy = "none left", "none"
		}
		rows = append(rows, row)
	}
	return rows
}

// approval tells what a person was last asked and what came of it; empty where nobody was.
func (b *builder) approval() string {
	a := b.in.Incident.Approval
	if a == nil {
		return ""
	}
	return fmt.Sprintf("At %s (%s) a person was asked for **%s** on %s, because of %s, with an answer due by %s: %s.", clock(a.AskedAt),
		relative(a.AskedAt, b.zero), inline(a.Remedy), list(inlineAll(few(a.Targets))), inline(string(a.Cause)), clock(a.Expires), b.answer())
}

// answer is what a person said, who it was and when.
func (b *builder) answer() string {
	a := b.in.Incident.Approval
	text := "no answer in the record"
	switch {
	case a.Answer == incident.Expired:
		text = "nobody answered in time, which is a no"
	case a.Answer != "" && a.By == "":
		text = "**" + inline(a.Answer) + "**, the record does not say by whom"
	case a.Answer != "":
		text = "**" + inline(a.Answer) + "** by " + inline(a.By)
	}
	if a.At != nil {
		text += fmt.Sprintf(" at %s, after %s", clock(*a.At), took(a.At.Sub(a.AskedAt)))
	}
	if a.Comment != "" {
		text += ": " + inline(a.Comment)
	}
	return text + " " + b.cites.mark(b.in.Record, "approval", a.Answer)
}

func approvalEvents(a *incident.Approval) []event {
	if a == nil {
		return nil
	}
	events := []event{{a.AskedAt, fmt.Sprintf("a person is asked for **%s** on %s", inline(a.Remedy), list(inlineAll(few(a.Targets))))}}
	if a.At != nil {
		by := ""
		if a.By != "" {
			by = " by " + inline(a.By)
		}
		events = append(events, event{*a.At, fmt.Sprintf("**%s** is %s%s", inline(a.Remedy), inline(a.Answer), by)})
	}
	return events
}

// sessionRow is one database session that the cause consists of.
type sessionRow struct{ PID, Application, Began, Statement string }

// maxSessions bounds them: a full server has many of a kind.
const maxSessions = 12

func (b *builder) sessions() []sessionRow {
	sessions := b.in.Incident.Diagnosis.Sessions
	var rows []sessionRow
	for i, s := range sessions {
		if i == maxSessions {
			rows = append(rows, sessionRow{PID: fmt.Sprintf("... and %d more", len(sessions)-i)})
			break
		}
		rows = append(rows, sessionRow{
			PID: fmt.Sprint(s.PID), Application: inline(s.Application), Began: date(s.BackendStart), Statement: code(s.Statement),
		})
	}
	return rows
}
