package decide

import (
	"slices"

	"github.com/faultline-lab/faultline/autoheal/correlate"
	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/autoheal/remedy"
)

// Root finds the workload at the root, by evidence: of those that show the cause, the one that the others lean on. Its
// replicas come first; those of another workload are found by a later look. It returns the diagnosis with the replicas of the
// root alone, and the root; that is the incident's present one where the evidence names none.
func Root(seen remedy.Sight, lean correlate.Map, present string) (incident.Diagnosis, string) {
	diagnosis := seen.Diagnosis
	owners := map[string]string{}
	var found []string
	for _, replica := range diagnosis.Subjects {
		for _, w := range seen.Workloads {
			if _, there := w.Replica(replica); there {
				owners[replica] = w.Name
				found = append(found, w.Name)
			}
		}
	}
	if len(found) == 0 {
		// What it is seen on are no replicas: the diagnosis says whose trouble it is.
		if slices.Contains(lean.Group(present), diagnosis.Workload) {
			return diagnosis, diagnosis.Workload
		}
		return diagnosis, present
	}
	root := lean.Deepest(found)
	diagnosis.Subjects = slices.DeleteFunc(slices.Clone(diagnosis.Subjects), func(replica string) bool { return owners[replica] != root })
	return diagnosis, root
}
