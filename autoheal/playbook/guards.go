package playbook

import (
	"time"

	"github.com/faultline-lab/faultline/autoheal/guard"
)

// Guards are what a rung tightens of the guards' limits; the zero value tightens nothing.
type Guards struct {
	// Approval means that a person must approve the rung, whatever the healer's autonomy.
	Approval bool
	// Cooldown is the least cooldown; Floor the least number of replicas that must go on serving.
	Cooldown time.Duration
	Floor    int
	// PerHour is the largest number of actions an hour; zero: the healer's own.
	PerHour int
}

// Tighten gives the limits under which the rung is tried. None of them is looser than before, whatever the file says.
func (r Rung) Tighten(limits guard.Limits) guard.Limits {
	limits.AskFirst = limits.AskFirst || r.Guards.Approval
	limits.Cooldown = max(limits.Cooldown, r.Guards.Cooldown)
	limits.Floor = max(limits.Floor, r.Guards.Floor)
	if r.Guards.PerHour > 0 {
		limits.PerHour = min(limits.PerHour, r.Guards.PerHour)
	}
	return limits
}

// guards may only tighten what the healer has anyway.
func (c check) guards(g *guards) (Guards, error) {
	var tight Guards
	limits := c.known.Limits
	if g == nil {
		return tight, nil
	}
	if g.Approval != nil {
		if *g.Approval != "required" {
			return tight, c.errorf(".guards.approval", "approval is %q: write required, or leave it out", *g.Approval)
		}
		tight.Approval = true
	}
	if g.Cooldown != nil {
		cooldown, err := c.duration(".guards.cooldown", *g.Cooldown)
		if err == nil && cooldown < limits.Cooldown {
			err = c.looser(".guards.cooldown", "cooldown", cooldown, limits.Cooldown, "longer")
		}
		if err != nil {
			return tight, err
		}
		tight.Cooldown = cooldown
	}
	if g.Floor != nil {
		if *g.Floor < max(1, limits.Floor) {
			return tight, c.looser(".guards.floor", "floor", *g.Floor, limits.Floor, "higher")
		}
		tight.Floor = *g.Floor
	}
	if g.PerHour != nil {
		if *g.PerHour < 1 || limits.PerHour > 0 && *g.PerHour > limits.PerHour {
			return tight, c.looser(".guards.per_hour", "per_hour", *g.PerHour, limits.PerHour, "lower, and at least 1")
		}
		tight.PerHour = *g.PerHour
	}
	return tight, nil
}

func (c check) looser(field, name string, given, own any, way string) error {
	return c.errorf(field, "%s is %v, and this healer's own is %v: a rung may only tighten it; make it %s, or leave it out", name, given, own, way)
}
