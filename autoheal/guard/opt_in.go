package guard

import "github.com/faultline-lab/faultline/autoheal/workload"

// optIn lets the healer touch only what its owners gave into its hands. No label means no.
func optIn(r Request) Answer {
	switch {
	case r.Workload == nil || r.Target.Workload == "" || r.Target.Name == "":
		return soon("the workload and its labels could not be read")
	case r.Workload.Name != r.Target.Workload:
		return never("the target is of %s, but the labels are of %s", r.Target.Workload, r.Workload.Name)
	case r.Workload.Labels[workload.OptInLabel] != "enabled":
		return never("%s is not labelled %s=enabled: its owners have not given it into the healer's hands",
			r.Target.Workload, workload.OptInLabel)
	}
	return yes("%s is labelled %s=enabled", r.Target.Workload, workload.OptInLabel)
}
