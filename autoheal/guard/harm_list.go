package guard

import "github.com/faultline-lab/faultline/autoheal/incident"

// Remedies that a harm list can name, whether this healer has them or not.
const (
	RestartReplicas = "restart-replicas"
	ScaleOut        = "scale-out"
	EndBackends     = "end-backends"
	WaitLonger      = "wait-longer"
)

// Harmful says why a remedy makes a cause worse; "" when it is not known to.
func Harmful(cause incident.Cause, remedy string) string {
	return map[incident.Cause]map[string]string{
		incident.ConnectionLeak: {
			ScaleOut:    "a new replica leaks as well, and takes further connections from the server",
			EndBackends: "the pool goes on counting the forgotten connections as used, so nothing is freed",
			WaitLonger:  "a forgotten connection never comes back; longer waits only pile up callers",
		},
	}[cause][remedy]
}

// harmList refuses what the diagnosed cause makes worse, even when a playbook names it.
func harmList(r Request) Answer {
	if r.Cause == "" || r.Cause == incident.Inconclusive {
		return never("there is no diagnosis, so nobody can say what would do harm")
	}
	if why := Harmful(r.Cause, r.Remedy); why != "" {
		return never("%s does harm in a %s: %s", r.Remedy, r.Cause, why)
	}
	return yes("%s is not known to harm in a %s", r.Remedy, r.Cause)
}
