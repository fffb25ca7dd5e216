package gather

import (
	"time"

	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/postmortems/report"
)

const (
	before = 30 * time.Second // of normal life ahead of the first alert, to compare with
	after  = 15 * time.Second // beyond the end: a recovery is ten good seconds running
	// handedOver is how long clients are followed after the healer gave up: the incident itself goes on.
	handedOver = 5 * time.Minute
	maxPoints  = 600 // of one range query; a longer incident is read more coarsely
)

// grid returns the instants to look at: whole seconds around the incident, all of which have been scraped by now.
func grid(in incident.Incident, scrape time.Duration, now time.Time) report.Grid {
	// A sample of the last scrape may still be on its way: one question would see it and the next not, and a second would look
	// bad that was not.
	now = now.Add(-scrape)
	start := report.Zero(in).Add(-before).Truncate(time.Second)
	end := lastMoment(in).Add(after)
	switch {
	case in.State.Open():
		end = now
	case in.State == incident.Escalated:
		end = lastMoment(in).Add(handedOver)
	}
	if end.After(now) {
		end = now
	}
	step := max(scrape, time.Second)
	if points := end.Sub(start) / step; points > maxPoints {
		step = (end.Sub(start)/maxPoints + time.Second - 1).Truncate(time.Second)
	}
	if !end.After(start) {
		return report.Grid{Start: start.UTC(), Step: step}
	}
	return report.Grid{Start: start.UTC(), Step: step, Len: int(end.Sub(start)/step) + 1}
}

// lastMoment is the last time that the record knows of, besides the alert's own end: alerts resolve late.
func lastMoment(in incident.Incident) time.Time {
	last := report.Zero(in)
	s := in.Stages
	for _, stage := range []*time.Time{s.WebhookReceived, s.Diagnosed, s.Decided, s.ActionStarted, s.ActionFinished, s.Verified, s.Ended} {
		if stage != nil && stage.After(last) {
			last = *stage
		}
	}
	for _, a := range in.Actions {
		if a.FinishedAt != nil && a.FinishedAt.After(last) {
			last = *a.FinishedAt
		}
	}
	return last
}
