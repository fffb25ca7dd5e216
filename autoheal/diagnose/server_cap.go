package diagnose

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/faultline-lab/faultline/autoheal/evidence"
	"github.com/faultline-lab/faultline/autoheal/incident"
)

const (
	// strangersShare is the share of the server's slots from which strangers take the room in which connections turn over.
	strangersShare = 0.25
	// hogShare is the share from which one of them is a hog.
	hogShare = 0.1
)

// serverCap: sessions of no workload hold so many of the server's slots that a pool's connections cannot be replaced.
func serverCap(facts evidence.Facts, _ time.Duration) Finding {
	strangers, counted := facts.Get(evidence.ForeignSessions, "server")
	slots, known := facts.Get(evidence.ServerMaxConnections, "server")
	share := strangers.Value / max(slots.Value, 1)
	hogs := hogs(facts, hogShare*slots.Value)
	return likeliest(facts, incident.ServerCap, func(p pool) Finding {
		var s signs
		held := fmt.Sprintf("sessions of no workload hold %g of the server's %g slots, %s", strangers.Value, slots.Value, percent(share))
		s.decides(share >= strangersShare, counted && known && slots.Value > 0, held, held, evidence.ForeignSessions)
		names := applications(hogs)
		s.decides(len(hogs) > 0, counted, fmt.Sprintf("%d of them are of %s", len(hogs), strings.Join(names, ", ")),
			"none of their applications holds many", evidence.ForeignSession)
		refusals, watched := p.sum(evidence.PoolConnectRefusals)
		small, sized := p.shrunk()
		s.decides(refusals > 0 || small > 0, refusals > 0 || watched && sized,
			fmt.Sprintf("the server refused %g connects of %s (53300), and %g connections are missing in its pools", refusals, p.workload, small),
			"no connect of "+p.workload+" was refused, and its pools have their size", evidence.PoolConnectRefusals)
		p.suffers(&s)
		p.named(&s)
		f := s.finding(incident.ServerCap)
		f.Workload, f.Subjects, f.Sessions = p.workload, names, sessions(hogs)
		return f
	})
}

// shrunk is how many connections are missing to the pools' sizes.
func (p pool) shrunk() (float64, bool) {
	idle, a := p.sum(evidence.PoolIdle)
	used, b := p.sum(evidence.PoolUsed)
	size, c := p.sum(evidence.PoolMax)
	return max(0, size-idle-used), a && b && c
}

// hogs are the sessions of those strangers who have many, counted by the first part of their names: a job may number its
// workers.
func hogs(facts evidence.Facts, many float64) []incident.Fact {
	counts := map[string]float64{}
	job := func(f incident.Fact) string { name, _, _ := strings.Cut(f.Subject, "/"); return name }
	for _, f := range of(facts, evidence.ForeignSession) {
		counts[job(f)]++
	}
	return slices.DeleteFunc(of(facts, evidence.ForeignSession), func(f incident.Fact) bool {
		return counts[job(f)] < many || job(f) == ""
	})
}
