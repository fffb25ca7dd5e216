package trial

import (
	"context"
	"time"

	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/e2e/record"
)

// aftermathBound is how long the healer may take to notice that the fault has passed, to take its changes back and to close.
const aftermathBound = 75 * time.Second

// aftermath takes the fault away under the eyes of a healer that holds a change for as long as the fault lasts, and watches
// what it makes of that. Without such a change there is none, and the fault stays for putBack.
func (t *trial) aftermath(ctx context.Context, r *record.Record, w *watched) error {
	if _, incidents := w.snapshot(); !standing(incidents) {
		return nil
	}
	t.tell(Restoring, time.Now(), "the fault passes, while the healer still holds what it changed")
	if err := t.runner.Restore(ctx); err != nil {
		return err
	}
	after := &record.Aftermath{FaultRemoved: time.Now().UTC()}
	r.Aftermath = after
	for over := after.FaultRemoved.Add(aftermathBound); time.Now().Before(over); {
		_, incidents := w.snapshot()
		after.Undone, after.Ended, after.Changes = ends(incidents)
		client := t.seconds.since(after.FaultRemoved)
		after.Recovered, after.Requests, after.Failed = client.Recovered, client.Requests, client.Failed
		if after.Undone != nil && after.Ended != nil && after.Recovered != nil {
			return nil
		}
		if err := pause(ctx, lookInterval); err != nil {
			return err
		}
	}
	r.Notes = append(r.Notes, "the aftermath was not over after "+aftermathBound.String())
	return nil
}

// standing says whether an open incident has a change in the world.
func standing(incidents []incident.Incident) bool {
	for _, in := range incidents {
		for _, action := range in.Actions {
			if in.State.Open() && action.Changed() {
				return true
			}
		}
	}
	return false
}

// ends says when the last change had been taken back and when the last incident had ended, nil while one has not, and how
// many lasting changes were made.
func ends(incidents []incident.Incident) (undone, ended *time.Time, changes int) {
	open := false
	for _, in := range incidents {
		open = open || in.State.Open()
		ended = latest(ended, in.Stages.Ended)
		for _, action := range in.Actions {
			if action.Undo == nil || !action.Undo.Lasting || action.Result == incident.ResultSkipped {
				continue
			}
			changes++
			open = open || action.Changed()
			if action.Undo.State == incident.Undone {
				undone = latest(undone, action.Undo.FinishedAt)
			}
		}
	}
	if open {
		return nil, nil, changes
	}
	return undone, ended, changes
}

func latest(known, at *time.Time) *time.Time {
	if known == nil || at != nil && at.After(*known) {
		return at
	}
	return known
}
