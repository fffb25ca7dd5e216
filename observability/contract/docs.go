package contract

import (
	"bytes"
	_ "embed"
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/template"
)

//go:embed telemetry.md.tmpl
var page string

// Markdown is the contract as a page for people: docs/telemetry.md.
func (c Contract) Markdown() ([]byte, error) {
	t, err := template.New("telemetry.md").Funcs(template.FuncMap{
		"list": func(values []string) string { return strings.Join(values, ", ") },
		"code": code,
		"cell": func(text string) string { return strings.ReplaceAll(strings.TrimSpace(text), "|", `\|`) },
		"names": func(programs map[string]Program) []string {
			return slices.Sorted(maps.Keys(programs))
		},
		"bound":  bound,
		"values": c.values,
		"by":     c.by,
		"seen":   seenIn,
		"sorted": func(attributes map[string]Attribute) []string { return slices.Sorted(maps.Keys(attributes)) },
	}).Parse(page)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	if err := t.Execute(&out, c); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

func code(names []string) string {
	quoted := make([]string, len(names))
	for i, name := range names {
		quoted[i] = "`" + name + "`"
	}
	return strings.Join(quoted, ", ")
}

// by shortens a list of all programs.
func (c Contract) by(programs []string) string {
	switch {
	case slices.Equal(programs, c.names(func(Program) bool { return true })):
		return "every program"
	case slices.Equal(programs, c.names(func(p Program) bool { return p.Scraped })):
		return "every scraped program"
	}
	return strings.Join(programs, ", ")
}

func bound(a Attribute) string {
	switch {
	case len(a.Values) > 0:
		return code(a.Values)
	case a.Max > 0 && a.Pattern != "":
		return fmt.Sprintf("at most %d, like ", a.Max) + code([]string{strings.ReplaceAll(a.Pattern, "|", `\|`)})
	case a.Max > 0:
		return fmt.Sprintf("at most %d", a.Max)
	}
	return ""
}

// values are a metric's labels with the values that it lists itself.
func (c Contract) values(m Metric) string {
	var parts []string
	for i, name := range slices.Concat(m.Labels, m.MayHave) {
		text := "`" + label(name) + "`"
		if own := m.Values[name]; len(own) > 0 {
			text += " (" + strings.Join(own, ", ") + ")"
		}
		if i >= len(m.Labels) {
			text += " sometimes"
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, "; ")
}

// seenIn tells in words when something is seen.
func seenIn(seen Seen, by map[string]Seen) string {
	words := map[Seen]string{Always: "", UnderFailure: "under failure", OnHeal: "on a healing", Rarely: "rarely"}
	parts := slices.DeleteFunc([]string{words[seen]}, func(s string) bool { return s == "" })
	for _, program := range slices.Sorted(maps.Keys(by)) {
		parts = append(parts, program+": "+words[by[program]])
	}
	return strings.Join(parts, "; ")
}
