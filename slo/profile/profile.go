// Package profile is the windows over which error budgets are watched, and how fast they may burn.
package profile

import (
	"fmt"
	"strings"
	"time"
)

// Severity is how soon somebody must look.
type Severity string

// The severities. Only pages reach the healer.
const (
	Page   Severity = "page"
	Ticket Severity = "ticket"
)

// Profile is one set of windows.
type Profile struct {
	Name string
	// Faster is how many times as fast as in life everything is: an SLO's period is divided by it.
	Faster int
	// Alerts are those of one SLO, the most urgent first.
	Alerts []Alert
	// Fast is how often windows of up to FastUpTo are evaluated, and pages; Slow the longer ones, and tickets; Budget what
	// is left of the whole period.
	Fast, Slow, Budget time.Duration
	FastUpTo           time.Duration
	// Hold is how long an alert's condition must hold before it fires.
	Hold time.Duration
	// AbsentFor is how long a source may be silent before somebody is told, with which severity.
	AbsentFor      time.Duration
	AbsentSeverity Severity
	// MinimumBad is how many bad events a short window must hold before anybody is told: one customer's bad night at three
	// requests an hour is nobody's emergency.
	MinimumBad float64
}

// Alert fires when any of its pairs does.
type Alert struct {
	Severity Severity
	Pairs    []Pair
}

// Pair is a burn rate and two windows that must both exceed it: the long one is the evidence, and the short one ends the
// alert soon after the fault (SRE Workbook, chapter 5, "Multiwindow, Multi-Burn-Rate Alerts").
type Pair struct {
	BurnRate    float64
	Long, Short time.Duration
}

const day = 24 * time.Hour

// The names of the profiles.
const (
	Demo       = "demo"
	Production = "production"
)

// Names lists the profiles.
func Names() []string { return []string{Demo, Production} }

// Get is a profile by its name.
func Get(name string) (Profile, error) {
	switch name {
	case Demo:
		return demo(), nil
	case Production:
		return production(), nil
	default:
		return Profile{}, fmt.Errorf("there is no profile %q; use one of: %s", name, strings.Join(Names(), ", "))
	}
}

// production is the SRE Workbook's table 5-8: 2 % of a 30-day budget in an hour or 5 % in six hours page, 10 % in a day
// or in three days are a ticket.
func production() Profile {
	return Profile{
		Name: Production, Faster: 1,
		Alerts: []Alert{
			{Page, []Pair{{14.4, time.Hour, 5 * time.Minute}, {6, 6 * time.Hour, 30 * time.Minute}}},
			{Ticket, []Pair{{3, day, 2 * time.Hour}, {1, 3 * day, 6 * time.Hour}}},
		},
		Fast: 30 * time.Second, Slow: 2 * time.Minute, Budget: 2 * time.Minute, FastUpTo: time.Hour,
		AbsentFor: 2 * time.Minute, AbsentSeverity: Page,
		MinimumBad: 5,
	}
}

// demo is the first pair 120 times as fast: 30 s of a 6-hour period. Its short window would be 2.5 s; it is 5 s, because a
// rate over fewer than four scrapes is a guess (docs/decisions/0013). Nobody but the healer takes its pages, and the healer
// can do nothing about what is not measured, so that is a ticket.
func demo() Profile {
	return Profile{
		Name: Demo, Faster: 120,
		Alerts: []Alert{{Page, []Pair{{14.4, 30 * time.Second, 5 * time.Second}}}},
		Fast:   time.Second, Slow: time.Second, Budget: 15 * time.Second, FastUpTo: 30 * time.Second,
		AbsentFor: 30 * time.Second, AbsentSeverity: Ticket,
		// The pool's symptom alert says where to look, and the healer's evidence needs a second: it must come first.
		Hold: 2 * time.Second,
		// A stack that has just started, or a machine with much else to do, is slow for a moment: a tenth of the 200
		// checkouts in 5 s. An outage has as many in half a second.
		MinimumBad: 20,
	}
}

// Period is what a period of real life is in this profile.
func (p Profile) Period(life time.Duration) time.Duration { return life / time.Duration(p.Faster) }
