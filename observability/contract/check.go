package contract

import (
	"maps"
	"slices"
)

// Check holds what was observed against the contract. No violation means that every program of the target was seen,
// emitted all that it must and nothing else. The three pillars can be checked one by one as well; each misses what it
// was not given.
func (c Contract) Check(o Observed) []Violation {
	all := c.CheckMetrics(o)
	all = append(all, c.CheckSpans(o)...)
	return tidy(append(all, c.CheckLogs(o)...))
}

// CheckMetrics holds the scrape pages against the contract.
func (c Contract) CheckMetrics(o Observed) []Violation {
	pages := map[string][]Page{}
	for _, name := range c.Scraped(o.Target) {
		pages[name] = nil
	}
	for _, i := range o.Instances {
		pages[i.Program] = append(pages[i.Program], i.Page)
	}
	var all []Violation
	for _, program := range slices.Sorted(maps.Keys(pages)) {
		r := report{where: program}
		switch {
		case !c.Programs[program].Scraped:
			r.add(Extra, program, "%s has a scrape page, which the contract does not say: list it among the programs", program)
		case len(pages[program]) == 0:
			r.add(Missing, program, "no page of %s was read: is it running, and scraped?", program)
		default:
			c.checkPages(&r, o, pages[program])
		}
		all = append(all, r.found...)
	}
	return tidy(all)
}

// checkPages holds the pages of one program's replicas against what the program emits.
func (c Contract) checkPages(r *report, o Observed, pages []Page) {
	listed := map[string]Metric{}
	for _, m := range c.Emits(r.where) {
		listed[family(m.prometheus)] = m
	}
	var missing []Metric
	extra := map[string]Family{}
	found := map[string][]Family{}
	for _, page := range pages {
		for name, f := range page {
			if len(f.Series) == 0 {
				continue
			}
			if _, known := listed[name]; !known {
				extra[name] = f
				continue
			}
			found[name] = append(found[name], f)
		}
	}
	for name, m := range listed {
		if len(found[name]) == 0 && o.due(m.seenBy(r.where)) {
			missing = append(missing, m)
		}
		for _, f := range found[name] {
			c.checkFamily(r, m, f)
		}
		checkExemplars(r, m, found[name])
	}
	compare(r, missing, extra)
}
