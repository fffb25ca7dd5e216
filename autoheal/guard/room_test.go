package guard_test

import (
	"testing"

	"github.com/faultline-lab/faultline/autoheal/guard"
	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/autoheal/remedy"
	"github.com/faultline-lab/faultline/autoheal/workload"
)

// scaleOut makes the request one for two more replicas, which the server just has room for: 40 - 3 - 17 = 2 x 10.
func scaleOut(r *guard.Request) {
	r.Cause, r.Remedy, r.Traits = incident.TrafficSurge, guard.ScaleOut, remedy.Traits{Lasting: true, Adds: true}
	r.Target = incident.Target{Kind: incident.WorkloadTarget, Workload: "orders", Name: "orders", Is: "2", To: "4"}
	r.Workload.Max = 4
	r.Room = &guard.Room{Sessions: 17, MaxConnections: 40, Reserved: 3, PerReplica: 10}
}

// rollBack makes the request one back to v1, with orders-1 of the bad v2.
func rollBack(r *guard.Request) {
	r.Cause, r.Remedy, r.Traits = incident.BadRelease, "roll-back", remedy.Traits{Destructive: true, EndsRequests: true}
	r.Target = incident.Target{Kind: incident.WorkloadTarget, Workload: "orders", Name: "orders", Is: "v2", To: "v1"}
	r.Workload.Replicas[0].Version, r.Workload.Replicas[1].Version = "v2", "v1"
}

func TestGuardsOfWhatServes(t *testing.T) {
	judge(t, []row{
		{"healthy-floor", "allows a failing replica even when no other serves", func(r *guard.Request) {
			r.Failing = []string{"orders-1", "orders-2"}
		}, true, false},
		{"healthy-floor", "refuses a serving replica when no other serves", func(r *guard.Request) {
			r.Failing = []string{"orders-2"}
		}, false, true},
		{"healthy-floor", "allows a serving replica above the floor", func(r *guard.Request) { r.Failing = nil }, true, false},
		{"healthy-floor", "refuses while another replica is stopping", func(r *guard.Request) {
			r.Workload.Replicas[1].State = workload.Stopping
		}, false, true},
		{"healthy-floor", "refuses while another replica is starting", func(r *guard.Request) {
			r.Workload.Replicas[1].State = workload.Starting
		}, false, true},
		{"healthy-floor", "does not count a crashed replica as serving", func(r *guard.Request) {
			r.Failing = nil
			r.Workload.Replicas[1].State = workload.Crashed
		}, false, true},
		{"healthy-floor", "refuses when the replicas cannot be read", func(r *guard.Request) { r.Workload = nil }, false, true},

		{"healthy-floor", "does not ask about what ends no requests", func(r *guard.Request) {
			r.Failing, r.Traits = []string{"orders-2"}, remedy.Traits{Lasting: true}
		}, true, false},
		{"healthy-floor", "asks about a remedy of which nobody has told what it does", func(r *guard.Request) {
			r.Failing, r.Traits = []string{"orders-2"}, remedy.Traits{}
		}, false, true},
		{"healthy-floor", "allows to roll back what fails, even when no other serves", func(r *guard.Request) {
			rollBack(r)
			r.Workload.Replicas[1].State = workload.Crashed
		}, true, false},
		{"healthy-floor", "allows to roll back while the rollout is still under way", func(r *guard.Request) {
			rollBack(r)
			r.Workload.Replicas[0].State = workload.Starting
		}, true, false},
		{"healthy-floor", "refuses to roll back the only replica that serves", func(r *guard.Request) {
			rollBack(r)
			r.Workload.Replicas = r.Workload.Replicas[:1]
			r.Failing = nil
		}, false, true},
		{"healthy-floor", "allows to roll back what serves while enough others do", func(r *guard.Request) {
			rollBack(r)
			r.Failing = nil
		}, true, false},

		{"connection-room", "does not ask about what adds nothing", func(r *guard.Request) { r.Room = nil }, true, false},
		{"connection-room", "asks about a remedy of which nobody has told what it does", func(r *guard.Request) { r.Traits = remedy.Traits{} }, false, false},
		{"connection-room", "allows what the server just has room for", scaleOut, true, false},
		{"connection-room", "refuses one session too many", func(r *guard.Request) { scaleOut(r); r.Room.Sessions++ }, false, false},
		{"connection-room", "counts the slots that nobody may have", func(r *guard.Request) { scaleOut(r); r.Room.Reserved++ }, false, false},
		{"connection-room", "allows fewer replicas where there is less room", func(r *guard.Request) {
			scaleOut(r)
			r.Room.Sessions, r.Target.To = 27, "3"
		}, true, false},
		{"connection-room", "refuses more replicas than there may be", func(r *guard.Request) { scaleOut(r); r.Workload.Max = 3 }, false, false},
		{"connection-room", "knows no limit of replicas where nobody gives one", func(r *guard.Request) { scaleOut(r); r.Workload.Max = 0 }, true, false},
		{"connection-room", "allows to take replicas away, whatever the server has left", func(r *guard.Request) {
			scaleOut(r)
			r.Room, r.Target.Is, r.Target.To = nil, "4", "2"
		}, true, false},
		{"connection-room", "refuses when nobody knows the server's room", func(r *guard.Request) { scaleOut(r); r.Room = nil }, false, true},
		{"connection-room", "refuses when nobody knows what a replica takes", func(r *guard.Request) { scaleOut(r); r.Room.PerReplica = 0 }, false, true},
		{"connection-room", "refuses when the server's limit is unknown", func(r *guard.Request) { scaleOut(r); r.Room.MaxConnections = 0 }, false, true},
		{"connection-room", "refuses when the replicas cannot be counted", func(r *guard.Request) { scaleOut(r); r.Target.To = "many" }, false, false},
		{"connection-room", "refuses when the workload cannot be read", func(r *guard.Request) { scaleOut(r); r.Workload = nil }, false, false},
		{"connection-room", "refuses what adds replicas to nobody can tell what", func(r *guard.Request) {
			scaleOut(r)
			r.Target.Kind = incident.SessionsTarget
		}, false, false},
		{"connection-room", "allows what goes to a standby that is there, whatever the server has left", func(r *guard.Request) {
			r.Remedy, r.Traits, r.Room = "shift-traffic", remedy.Traits{Lasting: true, Adds: true}, nil
			r.Target = incident.Target{Kind: incident.EdgeTarget, Workload: "storefront", Name: "storefront", Is: "100:0", To: "0:100"}
		}, true, false},
	})
}
