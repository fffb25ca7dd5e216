package evidence

import (
	"fmt"
	"time"

	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/autoheal/workload"
)

// replicaFacts tells of every replica whether it is ready and how old this start of it is. The query
// is what the list was asked with.
func replicaFacts(workloads []workload.Workload, query string, now time.Time) []incident.Fact {
	var facts []incident.Fact
	for _, w := range workloads {
		for _, r := range w.Replicas {
			detail := fmt.Sprintf("%s, %s, version %s, start %s", w.Name, r.State, r.Version, r.StartID)
			ready := 0.0
			if r.State == workload.Ready {
				ready = 1
			}
			facts = append(facts, incident.Fact{
				Name: ReplicaReady, Source: Workloads, Subject: r.ID, Query: query, Status: incident.Known,
				Value: ready, Unit: "1", Threshold: 1, Detail: detail, At: now,
			})
			facts = append(facts, said(ReplicaWorkload, r.ID, query, w.Name, now), said(ReplicaVersion, r.ID, query, r.Version, now))
			if r.StartedAt.IsZero() {
				facts = append(facts, unknown(Workloads, ReplicaAge, r.ID, query, "it has not started", now))
				continue
			}
			facts = append(facts, incident.Fact{
				Name: ReplicaAge, Source: Workloads, Subject: r.ID, Query: query, Status: incident.Known,
				Value: now.Sub(r.StartedAt).Seconds(), Unit: "s", Threshold: LongestHold.Seconds(), Detail: detail, At: now,
			})
		}
	}
	return facts
}

// said is a fact whose value is a word.
func said(name, replica, query, word string, now time.Time) incident.Fact {
	return incident.Fact{
		Name: name, Source: Workloads, Subject: replica, Query: query, Status: incident.Known, Value: 1, Unit: "1", Detail: word, At: now,
	}
}
