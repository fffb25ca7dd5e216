package guard

import (
	"fmt"
	"time"

	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/autoheal/remedy"
	"github.com/faultline-lab/faultline/autoheal/workload"
	"github.com/faultline-lab/faultline/slo/policy"
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
	// Storm is how many other incidents may be open before the healer does nothing at all any more.
	Storm int
	// OwnDamage is the share of the error budget that the healer's own actions may cost before it must ask.
	OwnDamage float64
	// Autonomy is how much the healer may do by itself.
	Autonomy Autonomy
	// AskFirst means that a person must approve even what can be taken back.
	AskFirst bool
}

// Defaults are the limits of a healer of which nothing but its autonomy was said: that must be, since none fits everywhere.
func Defaults(autonomy Autonomy) Limits {
	return Limits{
		Cooldown: 5 * time.Minute, InFlight: 2, PerHour: 6, Repeats: 4, RepeatsWithin: 3 * time.Hour, Floor: 1,
		Storm: 5, OwnDamage: 0.1, Autonomy: autonomy,
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
	// Prior are the actions of this incident so far, with what became of their changes.
	Prior  []incident.Action
	Switch Switch
	Limits Limits

	// OpenIncidents counts the other groups of workloads with an incident that is open, or was handed over moments ago: a
	// storm is not over because people were told of it. Below zero: it could not be counted.
	OpenIncidents int
	// Budget is how bold one may be with what is left of the error budgets, the strictest of them.
	Budget *policy.Verdict
	// Damage is the share of the error budget that the healer's own actions have cost lately; not a number: nobody knows.
	Damage float64
	// Approved is who has approved exactly this remedy for this cause; empty: nobody.
	Approved string
	// Room is what the database server has left. Only what adds replicas needs it.
	Room *Room
}

// untold says that nobody has told what the remedy does: what is not known of it is taken to be bad.
func (r Request) untold() bool { return r.Traits == (remedy.Traits{}) }

// destroys says whether the remedy destroys what cannot be brought back, as far as anybody knows.
func (r Request) destroys() bool { return r.Traits.Destructive || r.untold() }

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
	// Person means that a person's approval lifts its refusals, unless the healer may do nothing at all.
	Person bool
	// OneRemedy means that its refusals are about this remedy alone: another one may be right here and now.
	OneRemedy bool
}

// Rules is the table of contents: every guard, in the order in which they are asked.
func Rules() []Rule {
	return []Rule{
		{Name: "kill-switch", Check: killSwitch},
		{Name: "storm", Check: storm},
		{Name: "opt-in", Check: optIn},
		{Name: "harm-list", Check: harmList, OneRemedy: true},
		{Name: "one-in-flight", Check: oneInFlight},
		{Name: "global-in-flight", Check: globalInFlight},
		{Name: "actions-per-hour", Check: actionsPerHour},
		{Name: "cooldown", Check: cooldown},
		{Name: "repeats", Check: repeats},
		{Name: "healthy-floor", Check: healthyFloor},
		{Name: "connection-room", Check: connectionRoom, OneRemedy: true},
		{Name: "error-budget", Check: errorBudget, Person: true},
		{Name: "own-damage", Check: ownDamage, Person: true},
		{Name: "autonomy", Check: autonomy, Person: true},
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
	// Withheld means that it is only not the healer's to decide: every guard allows it but those of which a person's approval
	// is the key (Rule.Person). At observe nobody is asked, and it would have been done.
	Withheld bool
	// NextRung means that only rules about this remedy alone refuse it (Rule.OneRemedy): where the server has no room for one
	// more replica, the ladder goes on.
	NextRung bool
}

// Ask asks every rule, even after a refusal: the audit holds all verdicts.
func Ask(r Request) Decision {
	d := Decision{Allowed: true}
	final, people, oneRemedy := false, true, true
	for _, rule := range Rules() {
		answer := rule.Check(r)
		d.Verdicts = append(d.Verdicts, incident.Verdict{
			Guard: rule.Name, Remedy: r.Remedy, Target: r.Target.Name, Allowed: answer.Allowed, Reason: answer.Reason, At: r.At,
		})
		if answer.Allowed {
			continue
		}
		people, oneRemedy = people && rule.Person, oneRemedy && rule.OneRemedy
		if d.Allowed {
			d.Allowed, d.Reason = false, rule.Name+": "+answer.Reason
		}
		final = final || answer.Until.IsZero() && !answer.Soon
		d.Soon = d.Soon || answer.Soon
		if answer.Until.After(d.Until) {
			d.Until = answer.Until
		}
	}
	d.Withheld, d.NextRung = !d.Allowed && people, !d.Allowed && oneRemedy
	if final {
		d.Until, d.Soon = time.Time{}, false
	}
	return d
}
