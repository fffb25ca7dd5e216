package trial

import (
	"testing"
	"time"

	"github.com/faultline-lab/faultline/autoheal/incident"
)

func TestTheAftermathIsOverWhenEveryChangeIsTakenBackAndEveryIncidentHasEnded(t *testing.T) {
	noon := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	late := noon.Add(time.Second)
	lasting := func(state incident.ChangeState, finished *time.Time) incident.Action {
		return incident.Action{Result: incident.ResultDone, Undo: &incident.Undo{Lasting: true, State: state, FinishedAt: finished}}
	}
	held := incident.Incident{State: incident.Holding, Actions: []incident.Action{lasting(incident.Standing, nil)}}
	if !standing([]incident.Incident{held}) {
		t.Error("a change that is held does not stand")
	}
	if undone, ended, changes := ends([]incident.Incident{held}); undone != nil || ended != nil || changes != 1 {
		t.Errorf("while it is held: undone %v, ended %v, %d changes", undone, ended, changes)
	}
	over := incident.Incident{
		State: incident.Closed, Stages: incident.Stages{Ended: &late},
		Actions: []incident.Action{lasting(incident.Undone, &noon), lasting(incident.Undone, &late)},
	}
	if standing([]incident.Incident{over}) {
		t.Error("what was taken back stands")
	}
	undone, ended, changes := ends([]incident.Incident{over})
	if undone == nil || !undone.Equal(late) || ended == nil || !ended.Equal(late) || changes != 2 {
		t.Errorf("afterwards: undone %v, ended %v, %d changes; want %s, %s, 2", undone, ended, changes, late, late)
	}
}
