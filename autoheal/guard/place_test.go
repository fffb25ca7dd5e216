package guard_test

import (
	"testing"
	"time"

	"github.com/faultline-lab/faultline/autoheal/guard"
	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/autoheal/workload"
)

func TestGuardsOfThePlaceAndTheMoment(t *testing.T) {
	judge(t, []row{
		{"kill-switch", "allows with the switch off", func(*guard.Request) {}, true, false},
		{"kill-switch", "refuses with the switch on", func(r *guard.Request) { r.Switch = guard.SwitchOn }, false, true},
		{"kill-switch", "refuses when the switch cannot be read", func(r *guard.Request) { r.Switch = guard.SwitchUnknown }, false, true},

		{"opt-in", "refuses without the label", func(r *guard.Request) { r.Workload.Labels = nil }, false, false},
		{"opt-in", "refuses another value than enabled", func(r *guard.Request) {
			r.Workload.Labels = map[string]string{workload.OptInLabel: "true"}
		}, false, false},
		{"opt-in", "refuses when the workload cannot be read", func(r *guard.Request) { r.Workload = nil }, false, true},
		{"opt-in", "refuses an empty target: it means none, never all", func(r *guard.Request) { r.Target.Name = "" }, false, true},
		{"opt-in", "refuses the label of another workload", func(r *guard.Request) { r.Workload.Name = "payments" }, false, false},

		{"harm-list", "allows a restart in a connection leak", func(*guard.Request) {}, true, false},
		{"harm-list", "refuses to scale out in a connection leak", func(r *guard.Request) { r.Remedy = guard.ScaleOut }, false, false},
		{"harm-list", "refuses to end backends in a connection leak", func(r *guard.Request) { r.Remedy = guard.EndBackends }, false, false},
		{"harm-list", "refuses to wait longer in a connection leak", func(r *guard.Request) { r.Remedy = guard.WaitLonger }, false, false},
		{"harm-list", "refuses without a diagnosis", func(r *guard.Request) { r.Cause = incident.Inconclusive }, false, false},

		{"one-in-flight", "allows its own lease", func(r *guard.Request) {
			r.Leases = []incident.Lease{{Target: "orders", Holder: "me", ExpiresAt: now.Add(time.Minute)}}
		}, true, false},
		{"one-in-flight", "refuses while another incident acts", func(r *guard.Request) {
			r.Leases = []incident.Lease{{Target: "orders", Holder: "you", ExpiresAt: now.Add(time.Minute)}}
		}, false, true},
		{"one-in-flight", "allows after the lease of a dead healer expired", func(r *guard.Request) {
			r.Leases = []incident.Lease{{Target: "orders", Holder: "you", ExpiresAt: now}}
		}, true, false},
		{"one-in-flight", "refuses when the leases cannot be read", func(r *guard.Request) { r.Leases = nil }, false, true},

		{"global-in-flight", "allows one other", func(r *guard.Request) {
			r.Leases = []incident.Lease{{Target: "a", Holder: "x", ExpiresAt: now.Add(1)}}
		}, true, false},
		{"global-in-flight", "refuses beside two others", func(r *guard.Request) {
			r.Leases = []incident.Lease{{Target: "a", Holder: "x", ExpiresAt: now.Add(1)}, {Target: "b", Holder: "y", ExpiresAt: now.Add(1)}}
		}, false, true},
		{"global-in-flight", "refuses when the leases cannot be read", func(r *guard.Request) { r.Leases = nil }, false, true},

		{"harm-list", "allows to look without a diagnosis", func(r *guard.Request) {
			r.Cause, r.Remedy = incident.Inconclusive, guard.HealthCheck
		}, true, false},
		{"harm-list", "allows to do nothing without a diagnosis", func(r *guard.Request) { r.Cause, r.Remedy = "", guard.None }, true, false},
		{"harm-list", "refuses to wait longer without a diagnosis", func(r *guard.Request) { r.Cause, r.Remedy = "", guard.WaitLonger }, false, false},

		{"storm", "allows beside four others", func(r *guard.Request) { r.OpenIncidents = 4 }, true, false},
		{"storm", "refuses beside five others, and does not wait for them to end", func(r *guard.Request) { r.OpenIncidents = 5 }, false, false},
		{"storm", "refuses when the others could not be counted", func(r *guard.Request) { r.OpenIncidents = -1 }, false, true},
	})
}
