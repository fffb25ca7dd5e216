package contract

import (
	"slices"
	"strings"
)

// CheckLogs holds the log records against the contract.
func (c Contract) CheckLogs(o Observed) []Violation {
	seen := map[string]map[string]bool{} // by program: its messages
	var all []Violation
	for _, record := range o.Logs {
		r := report{where: record.Program}
		if seen[record.Program] == nil {
			seen[record.Program] = map[string]bool{}
		}
		seen[record.Program][record.Message] = true
		if message, found := c.messageOf(&r, record); found {
			c.checkRecord(&r, message, record)
		}
		all = append(all, r.found...)
	}
	for _, program := range c.names(func(p Program) bool { return slices.Contains(p.Targets, o.Target) }) {
		r := report{where: program}
		for _, m := range c.Logs.Messages {
			if slices.Contains(m.Programs, program) && o.due(m.Seen) && !seen[program][m.Message] {
				r.add(Missing, "log "+m.Message, "%s did not log %q, which the contract lists as seen: %s", program, m.Message, m.Seen)
			}
		}
		all = append(all, r.found...)
	}
	return tidy(all)
}

func (c Contract) messageOf(r *report, record ObservedLog) (Message, bool) {
	var messages []string
	for _, m := range c.Logs.Messages {
		if !slices.Contains(m.Programs, record.Program) {
			continue
		}
		if m.Message == record.Message {
			return m, true
		}
		messages = append(messages, m.Message)
	}
	hint := "messages are constant; what varies is a field"
	if near, found := nearest(record.Message, messages); found {
		hint = "is it " + strings.TrimSpace(near) + " in other words?"
	}
	r.add(Extra, "log "+record.Message, "%s logs %q, which the contract does not list: add it to telemetry.yaml (%s)",
		r.where, record.Message, hint)
	return Message{}, false
}

func (c Contract) checkRecord(r *report, m Message, record ObservedLog) {
	what := "log " + m.Message
	if !slices.Contains(m.Levels, strings.ToLower(record.Level)) {
		r.add(WrongField, what+" level", "%s logs %q at %s, the contract says %s",
			r.where, m.Message, strings.ToLower(record.Level), strings.Join(m.Levels, " or "))
	}
	if m.Traced && record.TraceID == "" {
		r.add(WrongField, what+" trace", "%s logs %q without a trace: log it with the context of its request", r.where, m.Message)
	}
	required := slices.Concat(c.Logs.Resource, m.Fields)
	if record.TraceID != "" {
		required = slices.Concat(required, c.Logs.Context)
	}
	for _, field := range labelsOf(required) {
		if _, there := record.Fields[field]; !there {
			r.add(WrongField, what+" "+field, "%s logs %q without %s: add it, or move it to may_have", r.where, m.Message, field)
		}
	}
	allowed := labelsOf(required, c.Logs.MayHave, m.MayHave)
	for name := range record.Fields {
		if !slices.Contains(allowed, name) {
			r.add(WrongField, what+" "+name, "%s logs %q with the field %s, which the contract does not list: add it or take it out",
				r.where, m.Message, name)
		}
	}
	for name, value := range record.Fields {
		// The bridge to OpenTelemetry writes this of a type that it does not know, a named string for example.
		if strings.HasPrefix(value, "unhandled: (") {
			r.add(WrongField, what+" "+name, "%s logs %q with %s=%q: make it a plain string or number", r.where, m.Message, name, value)
		}
	}
	c.checkFieldValues(r, slices.Concat(required, m.MayHave), record)
}

func (c Contract) checkFieldValues(r *report, attributes []string, record ObservedLog) {
	for _, attribute := range attributes {
		value, there := record.Fields[label(attribute)]
		if values := c.Attributes[attribute].Values; there && len(values) > 0 && !slices.Contains(values, value) {
			r.add(WrongField, "log "+record.Message+" "+label(attribute), "%s logs %q with %s=%q, which is none of %s",
				r.where, record.Message, label(attribute), value, strings.Join(values, ", "))
		}
	}
}
