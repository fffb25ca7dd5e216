package profile

import (
	"fmt"
	"slices"
	"time"

	"github.com/faultline-lab/faultline/slo/burnrate"
)

// Scrapes is how many samples the shortest window must hold: a rate over fewer is a guess.
const Scrapes = 4

// Windows lists every window of the alerts once, the shortest first.
func (p Profile) Windows() []time.Duration {
	var all []time.Duration
	for _, alert := range p.Alerts {
		for _, pair := range alert.Pairs {
			all = append(all, pair.Short, pair.Long)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// Shortest is the shortest window.
func (p Profile) Shortest() time.Duration { return p.Windows()[0] }

// Longest is the longest window: Prometheus must keep at least that much.
func (p Profile) Longest() time.Duration {
	windows := p.Windows()
	return windows[len(windows)-1]
}

// Fastest is the pair that detects an outage first: the short windows of dashboards are its.
func (p Profile) Fastest() Pair { return p.Alerts[0].Pairs[0] }

// For leaves the alerts up to a severity: all of them, or only the tickets. Where the profile has none, what would have
// been a page is a ticket.
func (p Profile) For(highest Severity) []Alert {
	if highest != Ticket {
		return p.Alerts
	}
	var tickets []Alert
	for _, alert := range p.Alerts {
		if alert.Severity == Ticket {
			tickets = append(tickets, alert)
		}
	}
	if len(tickets) > 0 {
		return tickets
	}
	for _, alert := range p.Alerts {
		tickets = append(tickets, Alert{Ticket, alert.Pairs})
	}
	return tickets
}

// Burns are the alert's pairs, for arithmetic.
func (a Alert) Burns() []burnrate.Pair {
	var burns []burnrate.Pair
	for _, pair := range a.Pairs {
		burns = append(burns, burnrate.Pair(pair))
	}
	return burns
}

// CheckInterval refuses a scrape interval that the profile's windows cannot be measured with.
func (p Profile) CheckInterval(interval time.Duration) error {
	window := p.Shortest()
	switch {
	case interval <= 0 || interval%time.Second != 0:
		return fmt.Errorf("the scrape interval is %s: use whole seconds, 1s or more", interval)
	case interval*Scrapes > window:
		return fmt.Errorf("profile %s has a window of %s, which must hold %d scrapes: scrape every %s or more often",
			p.Name, window, Scrapes, (window / Scrapes).Truncate(time.Second))
	}
	return nil
}
