// Package model is a service level objective after reading: one promise, what it is measured by, and whom to tell. It
// knows PromQL and nothing of OpenSLO.
package model

import (
	"time"

	"github.com/faultline-lab/faultline/observability/strictyaml"
	"github.com/faultline-lab/faultline/slo/profile"
)

// SLO is one promise. A file's SLO with several objectives is several of these.
type SLO struct {
	// Name is unique, a DNS label; it is the value of the label slo on every series and alert.
	Name        string
	Title       string // one line for people
	Description string
	// Workload is whose alerts these are: Alertmanager groups by it, and autoheal correlates by it.
	Workload string
	// Objective is the share of good events promised, strictly between 0 and 1.
	Objective float64
	// Objectives are those of profiles that promise something else, by profile.
	Objectives map[string]float64
	// Period is what the budget is for; rolling. A profile may compress it.
	Period    time.Duration
	Indicator Indicator
	Alerting  Alerting
	// Accepted are the lints that the file's author has accepted, each with its reason.
	Accepted map[string]string
	Labels   map[string]string
	Places   Places
}

// Alerting is whom to tell, and when not to.
type Alerting struct {
	// Severity is the highest severity of its alerts: Page or Ticket. Only pages reach the healer.
	Severity  Severity
	Runbook   string
	Dashboard string
	// Present is a PromQL expression that has a sample while the source is being measured; empty when nothing watches for
	// absent data.
	Present string
	// AbsentSeverity is that of the alert for absent data.
	AbsentSeverity Severity
	// IgnoreAbsent says that nobody wants to know about absent data.
	IgnoreAbsent bool
	// MinimumBad is how many bad events a short window must hold before anybody is told, whatever their share; negative
	// leaves it to the profile. It is for counted events only.
	MinimumBad float64
	// ExpectedRate is the traffic that is expected, in events a second; 0 when nobody has said.
	ExpectedRate float64
}

// Severity is how soon somebody must look.
type Severity = profile.Severity

// The severities.
const (
	Page   = profile.Page
	Ticket = profile.Ticket
)

// For is the objective in a profile.
func (s SLO) For(profileName string) float64 {
	if objective, there := s.Objectives[profileName]; there {
		return objective
	}
	return s.Objective
}

// Places are where the parts of an SLO stand, by the names below; annotations by their whole key.
type Places map[string]strictyaml.Place

// Parts of an SLO that have a place.
const (
	AtName      = "name"
	AtObjective = "objective"
	AtPeriod    = "period"
	AtSlice     = "slice"
	AtIndicator = "indicator"
	AtGood      = "good"
	AtBad       = "bad"
	AtTotal     = "total"
	AtRaw       = "raw"
	AtThreshold = "threshold"
)

// Of is where a part stands, or where the SLO's name does.
func (p Places) Of(part string) strictyaml.Place {
	if place, there := p[part]; there {
		return place
	}
	return p[AtName]
}
