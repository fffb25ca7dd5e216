package report

import (
	"fmt"
	"slices"
	"strings"

	"github.com/faultline-lab/faultline/autoheal/incident"
)

// view is what the template shows. All texts are Markdown already.
type view struct {
	Title     string
	Draft     bool
	Lead      string
	Facts     []pair // the first screen
	Stages    []stageRow
	StageNote string

	Impact   impactView
	Timeline []eventRow
	Record   string // mark of the record

	Cause    causeView
	Pools    poolView
	Trace    traceView
	Choices  []choiceRow
	Approval string
	Actions  []actionRow
	Cost     string
	Changes  []changeRow
	Recovery recoveryView
	Verdicts []verdictRow
	Items    string

	Alerts    []alertRow
	MoreFacts []roundView
	Seconds   []secondRow
	Audit     []eventRow
	AuditNote string
	Queries   []sourceRow
	WrittenAt string
	HealTrace string
}

type pair struct{ Name, Text string }

func (b *builder) view() view {
	in := b.in.Incident
	v := view{
		Title:     b.title(),
		Draft:     in.State.Open(),
		Lead:      b.lead(),
		Record:    b.cites.mark(b.in.Record, "incident", in.ID),
		Facts:     b.facts(),
		Stages:    b.stages(),
		StageNote: b.stageNote(),
		Impact:    b.impact(),
		Timeline:  b.timeline(),
		Cause:     b.cause(),
		Pools:     b.pools(),
		Trace:     b.trace(),
		Choices:   b.choices(),
		Approval:  b.approval(),
		Actions:   b.actions(),
		Cost:      b.cost(),
		Changes:   b.changes(),
		Recovery:  b.recovery(),
		Verdicts:  b.verdicts(),
		Items:     textOf(in).items,
		Alerts:    b.alerts(),
		MoreFacts: b.earlierRounds(),
		Seconds:   b.seconds(),
		WrittenAt: date(b.in.WrittenAt),
		HealTrace: inline(in.TraceID),
	}
	v.Audit, v.AuditNote = b.audit()
	v.Queries = b.cites.rows(b.zero) // last: everything has been cited by now
	return v
}

func (b *builder) title() string {
	in := b.in.Incident
	cause := string(in.Diagnosis.Cause)
	switch {
	case in.Outcome == incident.Harmless:
		cause = "a symptom that harmed nobody"
	case cause == "":
		cause = "cause not named"
	}
	return fmt.Sprintf("Postmortem: %s in %s, %s", inline(cause), inline(in.Workload), b.zero.UTC().Format("2006-01-02 15:04 UTC"))
}

// lead tells the incident in a few plain sentences.
func (b *builder) lead() string {
	in := b.in.Incident
	parts := []string{fmt.Sprintf("On %s %s fired for %s.", date(b.zero), alerts(b.alertNames()),
		list(inlineAll(in.Workloads)))}
	if in.Diagnosis.Summary != "" {
		parts = append(parts, "Autoheal's diagnosis: "+sentence(inline(in.Diagnosis.Summary)))
	}
	switch {
	case in.State == "":
		parts = append(parts, "The record does not say how it stands.")
	case in.State.Open():
		parts = append(parts, fmt.Sprintf("The incident is still open (%s): %s", in.State, sentence(inline(in.Reason))))
	case in.Outcome == incident.Recovered:
		parts = append(parts, b.healed())
	case in.Outcome == incident.SelfRecovered:
		parts = append(parts, "The symptom had gone before autoheal acted, so it did nothing: "+sentence(inline(in.Reason)))
	case in.Outcome == incident.Harmless:
		parts = append(parts, "No customer suffered from it, so it was let go: "+sentence(inline(in.Reason)))
	default:
		parts = append(parts, "Autoheal handed it over to a person: "+sentence(inline(in.Reason)))
	}
	return strings.Join(parts, " ")
}

func (b *builder) alertNames() []string {
	seen := map[string]bool{}
	var names []string
	for _, a := range b.in.Incident.Alerts {
		if name := inline(a.Name()); !seen[name] {
			seen[name] = true
			names = append(names, "**"+name+"**")
		}
	}
	if len(names) == 0 {
		return []string{"(none in the record)"}
	}
	return names
}

func (b *builder) facts() []pair {
	in := b.in.Incident
	cause := string(in.Diagnosis.Cause)
	if cause == "" {
		cause = "none named"
	} else if len(in.Diagnosis.Subjects) > 0 {
		cause += " on " + list(few(in.Diagnosis.Subjects))
	}
	if root := in.Diagnosis.Workload; root != "" && root != in.Workload && !slices.Contains(in.Diagnosis.Subjects, root) {
		cause += ", at the root: " + root
	}
	facts := []pair{
		{"Impact on clients", b.impactInShort()},
		{"Error budget", b.budget()},
		{"Cause", "**" + inline(cause) + "** " + b.cites.mark(b.in.Record, "cause", cause)},
		{"Remedy", b.remedyInShort()},
	}
	if changes := b.changesInShort(); changes != "" {
		facts = append(facts, pair{"Changes", changes})
	}
	if in.Approval != nil {
		facts = append(facts, pair{"Approval", b.answer()})
	}
	return append(facts, pair{"Proof", b.proofInShort()}, pair{"State", fmt.Sprintf("%s%s", in.State, outcome(in))})
}

// few names the first of many.
func few(names []string) []string {
	if more := len(names) - maxFigures; more > 0 {
		return append(slices.Clone(names[:maxFigures]), fmt.Sprintf("%d more", more))
	}
	return names
}

func outcome(in incident.Incident) string {
	if in.Outcome == "" {
		return ""
	}
	return ", " + string(in.Outcome)
}

// sentence ends a text with a full stop.
func sentence(text string) string {
	if text == "" || strings.HasSuffix(text, ".") {
		return text
	}
	return text + "."
}

func inlineAll(texts []string) []string {
	safe := make([]string, len(texts))
	for i, text := range texts {
		safe[i] = inline(text)
	}
	return safe
}

func alerts(names []string) string {
	if len(names) == 1 {
		return "the alert " + names[0]
	}
	return "the alerts " + list(names)
}
