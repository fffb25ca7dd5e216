package guard

// The remedies that the harm list speaks of, by the names they have in playbooks and records.
const (
	HealthCheck     = "health-check"
	RestartReplicas = "restart-replicas"
	ScaleOut        = "scale-out"
	EndBackends     = "end-backends"
	WaitLonger      = "wait-longer"
	None            = "none"
)
