package contract

import (
	"maps"
	"slices"
)

// compare reports what a program does not emit and what it should not, and guesses which of them are the same thing
// under another name.
func compare(r *report, missing []Metric, extra map[string]Family) {
	missing = slices.DeleteFunc(missing, func(m Metric) bool { return otherUnit(r, m, extra) })
	names := map[string]string{} // of what is missing, by family
	for _, m := range missing {
		names[family(m.prometheus)] = m.prometheus
	}
	candidates := slices.Sorted(maps.Keys(extra))
	for _, m := range missing {
		hint := ""
		if near, found := nearest(family(m.prometheus), candidates); found {
			hint = "; " + onPage(near, extra[near]) + " is there instead: if it was renamed, change telemetry.yaml and every query"
		}
		r.add(Missing, m.prometheus, "%s does not emit %s, which the contract lists as seen: %s%s", r.where, m.prometheus, m.seenBy(r.where), hint)
	}
	listed := slices.Sorted(maps.Keys(names))
	for _, name := range candidates {
		what, hint := onPage(name, extra[name]), "add it to telemetry.yaml or take it out"
		if near, found := nearest(name, listed); found {
			hint = "is it " + names[near] + ", which is missing, under another name?"
		}
		r.add(Extra, what, "%s emits %s, which the contract does not list: %s", r.where, what, hint)
	}
}

// otherUnit takes a missing metric and an extra one together that differ in nothing but the unit.
func otherUnit(r *report, m Metric, extra map[string]Family) bool {
	base, unit := splitUnit(family(m.prometheus))
	for _, name := range slices.Sorted(maps.Keys(extra)) {
		f := extra[name]
		if otherBase, other := splitUnit(name); otherBase != base || other == unit || f.Type != m.Type {
			continue
		}
		r.add(WrongUnit, m.prometheus, "%s emits %s where the contract has %s (unit %s): mend the unit, or change telemetry.yaml and every query",
			r.where, onPage(name, f), m.prometheus, m.Unit)
		delete(extra, name)
		return true
	}
	return false
}

// onPage is a family's name as queries have it.
func onPage(name string, f Family) string {
	if f.Type == Counter {
		return name + "_total"
	}
	return name
}

// nearest is the candidate that is most like a name: at most a third of the longer one is different. So two names find
// each other or neither does.
func nearest(name string, candidates []string) (best string, found bool) {
	least := 0
	for _, candidate := range candidates {
		d := distance(name, candidate)
		if d <= max(len(name), len(candidate))/3 && (!found || d < least) {
			best, least, found = candidate, d, true
		}
	}
	return best, found
}

// distance is Levenshtein's: how many letters must be put in, taken out or exchanged.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			exchanged := diagonal
			if a[i] != b[j] {
				exchanged++
			}
			diagonal = row[j+1]
			row[j+1] = min(exchanged, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
