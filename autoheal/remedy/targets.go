package remedy

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/faultline-lab/faultline/autoheal/incident"
)

// sickReplicas are the replicas of the diagnosis' subjects that are there.
func (s Sight) sickReplicas() ([]incident.Target, string) {
	var targets []incident.Target
	for _, subject := range s.Diagnosis.Subjects {
		for _, w := range s.Workloads {
			if live, there := w.Replica(subject); there {
				targets = append(targets, incident.Target{
					Kind: incident.ReplicaTarget, Workload: w.Name, Name: live.ID, Is: live.StartID, State: live.State,
				})
			}
		}
	}
	if len(targets) == 0 {
		return nil, "no replica that shows the cause is in the workload list"
	}
	return targets, ""
}

// rootless is why there is no target where the diagnosis names no workload.
const rootless = "the diagnosis names no workload"

// root is the workload at the root, for remedies that change nothing.
func (s Sight) root() ([]incident.Target, string) {
	name := s.Diagnosis.Workload
	if name == "" {
		return nil, rootless
	}
	w, there := s.Workload(name)
	if !there {
		return nil, name + " is not in the workload list"
	}
	return []incident.Target{{
		Kind: incident.WorkloadTarget, Workload: name, Name: name, State: fmt.Sprintf("%d of %d replicas are ready", w.Ready(), w.Desired),
	}}, ""
}

// sessions are the sessions that the cause consists of, one target for each application.
func (s Sight) sessions() ([]incident.Target, string) {
	byApplication := map[string][]incident.Session{}
	for _, one := range s.Diagnosis.Sessions {
		if one.Application == "" {
			continue // whose it is, nobody can say: a person must
		}
		byApplication[one.Application] = append(byApplication[one.Application], one)
	}
	var targets []incident.Target
	for application, all := range byApplication {
		slices.SortFunc(all, func(a, b incident.Session) int { return cmp.Compare(a.PID, b.PID) })
		targets = append(targets, incident.Target{
			Kind: incident.SessionsTarget, Workload: s.Diagnosis.Workload, Name: application, Sessions: all, Is: identities(all),
			State: fmt.Sprintf("%s; the first runs or ran: %s", sessionsCount(len(all)), cmp.Or(all[0].Statement, "nothing that is known")),
		})
	}
	slices.SortFunc(targets, func(a, b incident.Target) int { return cmp.Compare(a.Name, b.Name) })
	switch {
	case len(targets) == 0:
		return nil, "the diagnosis names no database session that says whose it is (application_name)"
	case s.Diagnosis.Workload == "":
		return nil, rootless
	}
	return targets, ""
}

// identities says who sessions are, in the form of a precondition: pid and start of the backend, and of the statement where it
// is known. What Postgres knows is as fine as microseconds.
func identities(sessions []incident.Session) string {
	const fine = "2006-01-02T15:04:05.999999Z"
	all := make([]string, len(sessions))
	for i, s := range sessions {
		all[i] = fmt.Sprintf("%d@%s", s.PID, s.BackendStart.UTC().Format(fine))
		if !s.QueryStart.IsZero() {
			all[i] += "/" + s.QueryStart.UTC().Format(fine)
		}
	}
	return strings.Join(all, " ")
}

func sessionsCount(n int) string {
	if n == 1 {
		return "1 session"
	}
	return fmt.Sprintf("%d sessions", n)
}

// by is who asks, as the edge keeps it.
func (a Application) by() string { return "autoheal/" + a.IncidentID }

// defaultTTL is how long a change stands where nobody says otherwise.
const defaultTTL = 30 * time.Second

func (a Application) ttl() time.Duration { return cmp.Or(a.TimeToLive, defaultTTL) }

// failed is an effect that could not be had.
func failed(format string, args ...any) Effect {
	return Effect{Result: incident.ResultFailed, Detail: fmt.Sprintf(format, args...)}
}

// skipped is the effect of leaving alone what is not as it was judged.
func skipped(format string, args ...any) Effect {
	return Effect{Result: incident.ResultSkipped, Detail: fmt.Sprintf(format, args...)}
}

func done(format string, args ...any) Effect {
	return Effect{Result: incident.ResultDone, Detail: fmt.Sprintf(format, args...)}
}

func (e Effect) until(t *time.Time) Effect {
	e.Until = t
	return e
}
