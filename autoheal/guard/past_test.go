package guard_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/faultline-lab/faultline/autoheal/guard"
	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/autoheal/remedy"
)

// endSession makes the request one to end an application's sessions.
func endSession(r *guard.Request) {
	r.Cause, r.Remedy, r.Traits = incident.LockContention, "end-session", remedy.Traits{Destructive: true}
	r.Target = incident.Target{Kind: incident.SessionsTarget, Workload: "orders", Name: "stock-count/1"}
	r.Failing = []string{"stock-count/1"}
}

func sessionsEnded(application string, ago time.Duration) incident.Effect {
	e := effect("other", application, incident.ResultDone, ago)
	e.Cause, e.Remedy = incident.LockContention, "end-session"
	return e
}

// accepted makes the request one for mode accept, which an incident had already made a moment ago.
func accepted(r *guard.Request, by string, now incident.ChangeState) {
	r.Cause, r.Remedy, r.Traits = incident.NetworkLatency, "accept", remedy.Traits{Lasting: true, Mitigates: true}
	r.Target = incident.Target{Kind: incident.EdgeTarget, Workload: "storefront", Name: "storefront", Is: "normal", To: "accept"}
	e := effect(by, "storefront", incident.ResultDone, time.Minute)
	e.Key, e.Cause, e.Remedy, e.Workload = by+"/1/0/storefront", incident.NetworkLatency, "accept", "storefront"
	r.Effects = []incident.Effect{e}
	if by == "me" {
		r.Prior = []incident.Action{{Key: e.Key, Remedy: "accept", Undo: &incident.Undo{Lasting: true, State: now}}}
	}
}

func TestGuardsOfThePast(t *testing.T) {
	judge(t, []row{
		{"actions-per-hour", "allows the sixth", func(r *guard.Request) { r.Effects = many(5, time.Minute) }, true, false},
		{"actions-per-hour", "refuses the seventh", func(r *guard.Request) { r.Effects = many(6, time.Minute) }, false, true},
		{"actions-per-hour", "forgets after an hour", func(r *guard.Request) { r.Effects = many(6, time.Hour) }, true, false},
		{"actions-per-hour", "counts what was intended before this hour and done within it", func(r *guard.Request) {
			r.Effects = many(6, 2*time.Hour)
			ended := now.Add(-time.Minute)
			for i := range r.Effects {
				r.Effects[i].FinishedAt = &ended
			}
		}, false, true},
		{"actions-per-hour", "counts what was intended before this hour and is under way", func(r *guard.Request) {
			r.Effects = many(6, 2*time.Hour)
			for i := range r.Effects {
				r.Effects[i].Result = ""
			}
		}, false, true},
		{"actions-per-hour", "counts the restarts of one rolling restart as one", func(r *guard.Request) {
			for i := range 10 {
				r.Effects = append(r.Effects, effect("other", fmt.Sprintf("orders-%d", i), incident.ResultDone, time.Minute))
			}
		}, true, false},
		{"actions-per-hour", "lets a rolling restart go on that is the sixth action", func(r *guard.Request) {
			r.Effects = append(many(5, time.Minute), effect("me", "orders-2", incident.ResultDone, time.Second))
		}, true, false},
		{"actions-per-hour", "counts what was done again to the same target as another action", func(r *guard.Request) {
			for range 6 {
				r.Effects = append(r.Effects, effect("other", "storefront", incident.ResultDone, time.Minute))
			}
		}, false, true},
		{"actions-per-hour", "counts what this incident did to this target before", func(r *guard.Request) {
			for range 6 {
				r.Effects = append(r.Effects, effect("me", "orders-1", incident.ResultDone, time.Minute))
			}
		}, false, true},
		{"actions-per-hour", "refuses when the past cannot be read", func(r *guard.Request) { r.Effects = nil }, false, true},

		{"cooldown", "refuses soon after a restart that worked", func(r *guard.Request) {
			r.Effects = []incident.Effect{effect("other", "orders-1", incident.ResultDone, time.Minute)}
		}, false, true},
		{"cooldown", "refuses soon after one that failed", func(r *guard.Request) {
			r.Effects = []incident.Effect{effect("other", "orders-1", incident.ResultFailed, time.Minute)}
		}, false, true},
		{"cooldown", "refuses soon after one whose end nobody knows", func(r *guard.Request) {
			r.Effects = []incident.Effect{effect("other", "orders-1", "", time.Minute)}
		}, false, true},
		{"cooldown", "allows after one that was skipped", func(r *guard.Request) {
			r.Effects = []incident.Effect{effect("other", "orders-1", incident.ResultSkipped, time.Minute)}
		}, true, false},
		{"cooldown", "allows the other replica of the same rolling restart", func(r *guard.Request) {
			r.Effects = []incident.Effect{effect("me", "orders-2", incident.ResultDone, time.Second)}
		}, true, false},
		{"cooldown", "refuses what took the place of the one that was restarted", func(r *guard.Request) {
			e := effect("other", "orders-0", incident.ResultDone, time.Minute)
			e.ReplacedBy = []string{"orders-1"}
			r.Effects = []incident.Effect{e}
		}, false, true},
		{"cooldown", "allows one that took no place of another", func(r *guard.Request) {
			e := effect("other", "orders-0", incident.ResultDone, time.Minute)
			e.ReplacedBy = []string{"orders-2"}
			r.Effects = []incident.Effect{e}
		}, true, false},
		{"cooldown", "refuses where what took the place is gone too: this may be what took the place after it", func(r *guard.Request) {
			e := effect("other", "orders-a", incident.ResultDone, time.Minute)
			e.ReplacedBy = []string{"orders-b"}
			r.Effects = []incident.Effect{e}
		}, false, true},
		{"cooldown", "refuses where a restart failed and what it acted on is gone: this may be what took its place", func(r *guard.Request) {
			r.Effects = []incident.Effect{effect("other", "orders-0", incident.ResultFailed, time.Minute)}
		}, false, true},
		{"cooldown", "allows where a restart of another one failed that is still there", func(r *guard.Request) {
			r.Effects = []incident.Effect{effect("other", "orders-2", incident.ResultFailed, time.Minute)}
		}, true, false},
		{"cooldown", "refuses what another session's end did not cure, for the same application", func(r *guard.Request) {
			endSession(r)
			r.Effects = []incident.Effect{sessionsEnded("stock-count/1", time.Minute)}
		}, false, true},
		{"cooldown", "allows to end the sessions of another application", func(r *guard.Request) {
			endSession(r)
			r.Effects = []incident.Effect{sessionsEnded("stock-count/2", time.Minute)}
		}, true, false},
		{"cooldown", "allows a lasting change anew that this incident took back too early", func(r *guard.Request) {
			accepted(r, "me", incident.Undone)
		}, true, false},
		{"cooldown", "refuses a lasting change that still stands", func(r *guard.Request) {
			accepted(r, "me", incident.Standing)
		}, false, true},
		{"cooldown", "refuses a lasting change that another incident took back a moment ago", func(r *guard.Request) {
			accepted(r, "other", incident.Undone)
		}, false, true},
		{"cooldown", "refuses anew what did not last and was undone because it did not help", func(r *guard.Request) {
			accepted(r, "me", incident.Undone)
			r.Prior[0].Undo.Lasting = false
		}, false, true},
		{"cooldown", "allows after five minutes", func(r *guard.Request) {
			r.Effects = []incident.Effect{effect("other", "orders-1", incident.ResultDone, 5*time.Minute)}
		}, true, false},
		{"cooldown", "refuses when the past cannot be read", func(r *guard.Request) { r.Effects = nil }, false, true},

		{"repeats", "allows the fourth heal of a kind", func(r *guard.Request) { r.Effects = repeated(3, 2*time.Hour) }, true, false},
		{"repeats", "refuses the fifth, effective or not", func(r *guard.Request) { r.Effects = repeated(4, 2*time.Hour) }, false, false},
		{"repeats", "forgets after three hours", func(r *guard.Request) { r.Effects = repeated(4, 3*time.Hour) }, true, false},
		{"repeats", "refuses when the past cannot be read", func(r *guard.Request) { r.Effects = nil }, false, true},
	})
}
