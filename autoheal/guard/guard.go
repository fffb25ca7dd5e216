package guard

import (
	"fmt"
	"time"

	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/autoheal/remedy"
	"github.com/faultline-lab/faultline/autoheal/workload"
)

// Limits are the numbers that the guards hold actions against.
type Limits struct {
	// Cooldown is how long a replica is left alone after a remedy; at least the alerts' own look-back window.
	Cooldown time.Duration
	// InFlight is how many workloads may be acted on at once.
	InFlight int
	// PerHour is how many actions an hour may have; the restarts of one rolling restart are one.
	PerHour int
	// Repeats is how often the same heal of one workload may be tried within RepeatsWithin, effective or not.
	Repeats       int
	RepeatsWithin time.Duration
	// Floor is how many replicas must go on serving while one that serves is taken away.
	Floor int
	// Autonomy is how much the healer may do by itself.
	Autonomy Autonomy
}

// Defaults are the limits of a healer of which nothing but its autonomy was said: that must be, since none fits everywhere.
func Defaults(autonomy Autonomy) Limits {
	return Limits{
		Cooldown: 5 * time.Minute, InFlight: 2, PerHour: 6, Repeats: 4, RepeatsWithin: 3 * time.Hour, Floor: 1,
		Autonomy: autonomy,
	}
}

// LookBack is how far into the past Request.Effects must reach.
func (l Limits) LookBack() time.Duration { return max(time.Hour, l.Cooldown, l.RepeatsWithin) }

// Switch is the state of the kill switch.
type Switch int

// The states of the kill switch. The zero value is the one that stops everything.
const (
	SwitchUnknown Switch = iota
	SwitchOff            // actions are allowed
	SwitchOn             // all actions are stopped
)

// Request is one action that wants to happen, with all that the guards may look at. Nil means "could not be read".
type Request struct {
	At         time.Time
	IncidentID string
	Rung       int
	Cause      incident.Cause
	Remedy     string
	Traits     remedy.Traits
	Target     incident.Target

	// Workload is the live workload of the target.
	Workload *workload.Workload
	// Failing are the replicas that fail their users by the evidence of this moment.
	Failing []string
	// Effects are the actions of the last Limits.LookBack; Leases those that have not expired.
	Effects []incident.Effect
	Leases  []incident.Lease
	Switch  Switch
	Limits  Limits
}

// sameAction says whether an effect belongs to the action that the request is a part of.
func (r Request) sameAction(e incident.Effect) bool {
	return e.IncidentID == r.IncidentID && e.Rung == r.Rung && e.Remedy == r.Remedy
}

// happened says whether an effect reached, or may have reached, the world.
func happened(e incident.Effect) bool { return e.Result != incident.ResultSkipped }

// Answer is what a rule says.
type Answer struct {
	Allowed bool
	Reason  string
	// Until is when a refusal may be lifted: zero means never by waiting, unless Soon.
	Until time.Time
	// Soon means that the refusal may be lifted at any moment.
	Soon bool
}

func yes(format string, args ...any) Answer {
	return Answer{Allowed: true, Reason: fmt.Sprintf(format, args...)}
}

func never(format string, args ...any) Answer { return Answer{Reason: fmt.Sprintf(format, args...)} }

func soon(format string, args ...any) Answer {
	return Answer{Reason: fmt.Sprintf(format, args...), Soon: true}
}

func until(t time.Time, format string, args ...any) Answer {
	return Answer{Reason: fmt.Sprintf(format, args...), Until: t}
}

// Rule is one guard.
type Rule struct {
	Name  string
	Check func(Request) Answer
}

const autonomyName = "autonomy"

// Rules is the table of contents: every guard, in the order in which they are asked.
func Rules() []Rule {
	return []Rule{
		{"kill-switch", killSwitch},
		{"opt-in", optIn},
		{"harm-list", harmList},
		{"one-in-flight", oneInFlight},
		{"global-in-flight", globalInFlight},
		{"actions-per-hour", actionsPerHour},
		{"cooldown", cooldown},
		{"repeats", repeats},
		{"healthy-floor", healthyFloor},
		{autonomyName, autonomy},
	}
}

// Decision is what all guards together say.
type Decision struct {
	Allowed  bool
	Verdicts []incident.Verdict
	// Reason is the first refusal's, or empty.
	Reason string
	// Until and Soon are those of the refusal that lasts longest. Both zero: waiting does not help.
	Until time.Time
	Soon  bool
	// Withheld means that every guard allows it but autonomy: it would have been done.
	Withheld bool
}

// Ask asks every rule, even after a refusal: the audit holds all verdicts.
func Ask(r Request) Decision {
	d := Decision{Allowed: true}
	final, refusals := false, 0
	for _, rule := range Rules() {
		answer := rule.Check(r)
		d.Verdicts = append(d.Verdicts, incident.Verdict{
			Guard: rule.Name, Remedy: r.Remedy, Target: r.Target.Name, Allowed: answer.Allowed, Reason: answer.Reason, At: r.At,
		})
		if answer.Allowed {
			continue
		}
		refusals++
		d.Withheld = refusals == 1 && rule.Name == autonomyName
		if d.Allowed {
			d.Allowed, d.Reason = false, rule.Name+": "+answer.Reason
		}
		final = final || answer.Until.IsZero() && !answer.Soon
		d.Soon = d.Soon || answer.Soon
		if answer.Until.After(d.Until) {
			d.Until = answer.Until
		}
	}
	if final {
		d.Until, d.Soon = time.Time{}, false
	}
	return d
}
