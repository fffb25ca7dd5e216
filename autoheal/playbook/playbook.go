package playbook

import (
	"maps"
	"slices"
	"time"

	"github.com/faultline-lab/faultline/autoheal/incident"
)

// Playbook is a checked playbook.
type Playbook struct {
	// Warnings are the rungs that do harm, each with its place and the reason. The harm list refuses them whenever they are
	// tried, so a healer can be started with them; whoever checks a playbook takes them for errors.
	Warnings []error

	ladders map[incident.Cause][]Rung
}

// Rung is one remedy of a ladder with its limits.
type Rung struct {
	Remedy string
	// With are the remedy's parameters.
	With map[string]string
	// Timeout bounds the remedy for one target.
	Timeout time.Duration
	// Readings is how many good readings in a row prove the heal; Within is how long they may take to come.
	Readings int
	Within   time.Duration
	// Hold is for a change that stands while the fault lasts: it is renewed with TimeToLive, and a person gets the incident when it has
	// stood for AtMost.
	Hold Hold
	// Guards are what this rung tightens of the guards' limits.
	Guards Guards
}

// Hold bounds a change that stands while the fault lasts.
type Hold struct{ TimeToLive, AtMost time.Duration }

// Ladder returns the rungs for a cause; none for a cause the playbook does not know.
func (p Playbook) Ladder(cause incident.Cause) []Rung { return p.ladders[cause] }

// Causes returns the causes the playbook has a ladder for, sorted.
func (p Playbook) Causes() []incident.Cause { return slices.Sorted(maps.Keys(p.ladders)) }
