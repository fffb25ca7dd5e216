package engine

import (
	"context"
	"fmt"
	"slices"

	"github.com/faultline-lab/faultline/autoheal/decide"
	"github.com/faultline-lab/faultline/autoheal/incident"
)

// look gathers evidence and diagnoses it: received -> diagnosed.
func (w *work) look(ctx context.Context) error {
	if _, err := w.moreAlerts(ctx); err != nil {
		return err
	}
	if w.progress.Rounds >= maxRounds {
		return w.escalate(ctx, "%d gatherings have not led to an end", w.progress.Rounds)
	}
	w.progress.Rounds++
	w.progress.Looks++
	if w.progress.Looks == 1 || w.progress.LookingSince.IsZero() {
		w.progress.LookingSince = w.cfg.Now()
	}
	seen := w.examine(ctx)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	w.seen = seen
	w.in.Evidence = append(w.in.Evidence, seen.Facts...)
	w.in.Diagnosis, w.in.Workload = decide.Root(seen.sight(), w.cfg.Map, w.in.Workload)
	w.note("evidence", "round %d: %s", w.progress.Rounds, inventory(seen.Facts))
	w.offenders(ctx, seen.Offenders)
	w.note("diagnosis", "%s", w.in.Diagnosis.Summary)
	return w.move(ctx, incident.Diagnosed, "%s", w.in.Diagnosis.Summary)
}

// inventory says in a line how much was found out, by source.
func inventory(facts []incident.Fact) string {
	known, unknown := map[string]int{}, map[string]int{}
	var sources []string
	for _, f := range facts {
		if !slices.Contains(sources, f.Source) {
			sources = append(sources, f.Source)
		}
		if f.Status == incident.Known {
			known[f.Source]++
		} else {
			unknown[f.Source]++
		}
	}
	slices.Sort(sources)
	text := ""
	for _, s := range sources {
		text += fmt.Sprintf("%s %d facts, %d unknown; ", s, known[s], unknown[s])
	}
	return text
}
