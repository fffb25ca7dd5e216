package remedy

import (
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
