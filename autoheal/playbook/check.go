package playbook

import (
	"time"

	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/autoheal/remedy"
	"github.com/faultline-lab/faultline/observability/strictyaml"
)

// check is the check of one rung: where it stands, and what there is to hold it against.
type check struct {
	at    strictyaml.Document
	path  string
	cause incident.Cause
	known Known
}

func (c check) errorf(field, format string, args ...any) error {
	return c.at.Errorf(c.path+field, format, args...)
}

// harm is the warning about a rung that does harm; nil about others.
func (c check) harm(r Rung) error {
	why := c.known.Harmful(c.cause, r.Remedy)
	if why == "" {
		return nil
	}
	return c.errorf(".remedy", "%s makes %s worse: %s", r.Remedy, c.cause, why)
}

func (c check) rung(r rung, version int) (Rung, error) {
	known, there := c.known.remedy(r.Remedy)
	if !there {
		return Rung{}, c.errorf(".remedy", "unknown remedy %q; this healer has: %s", r.Remedy, c.known.names())
	}
	if version == 1 && (r.With != nil || r.Hold != nil || r.Guards != nil) {
		return Rung{}, c.errorf("", "with, hold and guards are of version 2: write version: 2 at the top of the file")
	}
	checked := Rung{Remedy: r.Remedy, With: r.With, Readings: r.Verify.Readings}
	for _, step := range []func() error{
		func() (err error) { checked.Timeout, err = c.duration(".timeout", r.Timeout); return err },
		func() (err error) { checked.Within, err = c.duration(".verify.within", r.Verify.Within); return err },
		func() error { return c.proof(checked) },
		func() (err error) { checked.Hold, err = c.hold(r.Hold, known.Traits(), r.Remedy); return err },
		func() error { return c.parameters(checked, known) },
		func() (err error) { checked.Guards, err = c.guards(r.Guards); return err },
	} {
		if err := step(); err != nil {
			return Rung{}, err
		}
	}
	return checked, nil
}

func (c check) proof(r Rung) error {
	if r.Readings < 1 {
		return c.errorf(".verify.readings", "readings is %d; at least one good reading must prove a heal", r.Readings)
	}
	if least := time.Duration(r.Readings) * time.Second; r.Within <= least {
		return c.errorf(".verify.within", "within is %s, but %d readings alone take %s: give it more", r.Within, r.Readings, least)
	}
	return nil
}

// The bounds of a time to live, which are those of the edge's control port (docs/contracts.md).
const (
	shortest = time.Second
	longest  = 30 * time.Minute
)

// hold is needed by a change that stands while the fault lasts, and by no other.
func (c check) hold(h *hold, traits remedy.Traits, name string) (Hold, error) {
	switch {
	case h == nil && !traits.Lasting:
		return Hold{}, nil
	case h == nil:
		return Hold{}, c.errorf("", "%s stands while the fault lasts, so it needs hold: {ttl: 15s, at_most: 30m}: how long it stands when nobody renews it, and when a person must look", name)
	case !traits.Lasting:
		return Hold{}, c.errorf(".hold", "%s leaves nothing that stands while the fault lasts, so there is nothing to hold: leave hold out", name)
	}
	ttl, err := c.duration(".hold.ttl", h.TimeToLive)
	if err != nil {
		return Hold{}, err
	}
	if ttl < shortest || ttl > longest {
		return Hold{}, c.errorf(".hold.ttl", "ttl is %s: write %s to %s, such as 15s", ttl, shortest, longest)
	}
	most, err := c.duration(".hold.at_most", h.AtMost)
	if err != nil {
		return Hold{}, err
	}
	if most < ttl {
		return Hold{}, c.errorf(".hold.at_most", "at_most is %s, which is less than ttl (%s): a change that may not be renewed needs no ttl; make at_most longer", most, ttl)
	}
	return Hold{TimeToLive: ttl, AtMost: most}, nil
}

func (c check) parameters(r Rung, known Remedy) error {
	if _, given := r.With["ttl"]; given {
		return c.errorf(".with.ttl", "ttl is no parameter here: write it as hold: {ttl: 15s, at_most: 30m}")
	}
	field, err := known.Check(r.With)
	switch {
	case err == nil:
		return nil
	case field == "":
		return c.errorf(".with", "%s: %v", r.Remedy, err)
	}
	return c.errorf(".with"+strictyaml.Key(field), "%s: %v", r.Remedy, err)
}

func (c check) duration(field, text string) (time.Duration, error) {
	d, err := time.ParseDuration(text)
	switch {
	case text == "":
		return 0, c.errorf(field, "%s is missing: write it as 15s or 500ms", field[1:])
	case err != nil || d <= 0:
		return 0, c.errorf(field, "%q is no duration above zero: write it as 15s or 500ms", text)
	}
	return d, nil
}
