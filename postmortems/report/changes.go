package report

import (
	"fmt"
	"strings"

	"github.com/faultline-lab/faultline/autoheal/incident"
)

// changeRow is one change that an action left in the world, and what has become of it.
type changeRow struct{ Remedy, Of, Change, Since, Stood, Became string }

func (b *builder) changes() []changeRow {
	var rows []changeRow
	for _, a := range b.in.Incident.Actions {
		if a.Undo == nil {
			continue
		}
		rows = append(rows, changeRow{
			Remedy: inline(a.Remedy), Of: inline(a.Target), Change: inline(a.Undo.Target.Is + " -> " + a.Undo.Target.To),
			Since: clock(a.StartedAt) + " (" + relative(a.StartedAt, b.zero) + ")", Stood: stood(a), Became: became(*a.Undo),
		})
	}
	return rows
}

// stood is for how long a change was there, until it began to be taken back, lapsed, or was left.
func stood(a incident.Action) string {
	end := a.Undo.StartedAt
	if end == nil {
		end = a.Undo.FinishedAt
	}
	if end == nil || a.Undo.State == incident.Kept {
		return "to the end of the record"
	}
	return took(end.Sub(a.StartedAt))
}

// became says in words what has become of a change.
func became(u incident.Undo) string {
	text := becameInShort(u)
	switch u.State {
	case incident.Undone:
		if !lapsed(u) {
			text += map[bool]string{true: ", because the fault had passed", false: ", because it did not help or could not stay"}[u.Passed]
		}
	case incident.Kept:
		text += ": it is no matter of time"
	case incident.Left:
		text += ": a person owns it"
	case incident.Standing, incident.Undoing:
		if u.Until != nil {
			text += ", and lapses by itself at " + clock(*u.Until) + " unless it is renewed"
		}
	}
	if u.Detail != "" {
		text += " (" + inline(u.Detail) + ")"
	}
	return text
}

func becameInShort(u incident.Undo) string {
	switch {
	case lapsed(u):
		return "lapsed"
	case u.State == incident.Undoing:
		return "**being undone**"
	case u.State == incident.Standing, u.State == incident.Left:
		return "**" + string(u.State) + "**"
	case u.State == "":
		return "unknown: the record does not say"
	default:
		return string(u.State)
	}
}

// lapsed says that the change ended with its time to live: nobody began to take it back.
func lapsed(u incident.Undo) bool {
	return u.State == incident.Undone && u.StartedAt == nil && u.FinishedAt != nil
}

// provedWithout says that the last proof began when a change had been taken back because its fault had passed: the record keeps the
// time of the last proof only.
func (b *builder) provedWithout() bool {
	verified := b.in.Incident.Stages.Verified
	for _, a := range b.in.Incident.Actions {
		u := a.Undo
		if verified != nil && u != nil && u.State == incident.Undone && u.Passed && !lapsed(*u) && u.FinishedAt != nil && !u.FinishedAt.After(*verified) {
			return true
		}
	}
	return false
}

// changesInShort is for the first screen; empty where nothing was changed.
func (b *builder) changesInShort() string {
	var parts []string
	for _, a := range b.in.Incident.Actions {
		if a.Undo != nil {
			parts = append(parts, fmt.Sprintf("%s of %s: %s", inline(a.Remedy), inline(a.Target), becameInShort(*a.Undo)))
		}
	}
	if len(parts) == 0 {
		return ""
	}
	return strings.Join(parts, "; ") + " " + b.cites.mark(b.in.Record, "changes", number(float64(len(parts))))
}

func changeEvents(a incident.Action) []event {
	if a.Undo == nil {
		return nil
	}
	what := fmt.Sprintf("**%s** of %s", inline(a.Remedy), inline(a.Target))
	var events []event
	if a.Undo.StartedAt != nil {
		events = append(events, event{*a.Undo.StartedAt, what + " is being taken back"})
	}
	if a.Undo.FinishedAt != nil {
		events = append(events, event{*a.Undo.FinishedAt, what + ": " + became(*a.Undo)})
	}
	return events
}
