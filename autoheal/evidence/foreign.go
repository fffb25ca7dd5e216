package evidence

import (
	"slices"

	"github.com/faultline-lab/faultline/autoheal/incident"
)

// healer is the first part of the application_name of the healer's own sessions.
const healer = "autoheal"

// foreign are the sessions of no workload. Who the workloads are is asked of the list: where it cannot be read, nobody
// knows who is a stranger.
func (p picture) foreign() []incident.Fact {
	names := slices.Clone(p.scope.Workloads)
	if p.scope.live != nil {
		all, err := p.scope.live()
		if err != nil {
			return []incident.Fact{unknown(Postgres, ForeignSessions, "server", p.Query, "who the workloads are is unknown: "+err.Error(), p.now)}
		}
		for _, w := range all {
			names = append(names, w.Name)
		}
	}
	stranger := func(s Session) bool { return !s.Own && s.owner() != healer && !slices.Contains(names, s.owner()) }
	facts := p.single(ForeignSession, 0, func(s Session) (float64, bool) { return s.InSession, stranger(s) })
	count := 0
	for _, s := range p.Sessions {
		if stranger(s) {
			count++
		}
	}
	return append(facts, p.fact(ForeignSessions, "server", "{session}", float64(count), float64(p.MaxConnections)/4, ""))
}
