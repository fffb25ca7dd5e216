package abuse

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/chaos/control"
	"github.com/faultline-lab/faultline/e2e/internal/looptest"
)

// readyAgain says why no healer serves.
func (l lab) readyAgain(t *testing.T) error {
	t.Helper()
	workload, err := l.Control.Workload(t.Context(), "autoheal")
	if err != nil {
		return err
	}
	for _, replica := range workload.Replicas {
		if replica.State == control.Ready {
			var list struct{ Incidents []incident.Incident }
			return looptest.GetJSON(t.Context(), l.Stack.Endpoints.Autoheal+"/api/v1/incidents", &list)
		}
	}
	return fmt.Errorf("no healer is ready: %+v", workload.Replicas)
}

// holdOn waits until the healer that came after holds the change of the one before.
func (l lab) holdOn(t *testing.T) {
	t.Helper()
	l.Await(t, "the change to be held again", time.Minute, func() error {
		all, err := l.Incidents(t.Context())
		if err != nil {
			return err
		}
		for _, one := range all {
			if one.State == incident.Holding {
				return nil
			}
		}
		return errors.New("nothing is held")
	})
}

// explain logs the audit of every incident of a test that has failed.
func (l lab) explain(t *testing.T, ended []incident.Incident) {
	t.Helper()
	if !t.Failed() {
		return
	}
	for _, one := range ended {
		entries, err := l.Audit(context.WithoutCancel(t.Context()), one.ID)
		if err != nil {
			t.Log(err)
		}
		for _, entry := range entries {
			t.Logf("%s %s %s: %s", entry.At.Format("15:04:05.000"), one.ID, entry.Kind, entry.Text)
		}
	}
}

// checkEdge sees to it that the edge is as it was: no mode and no weights outlive their incident.
func (l lab) checkEdge(t *testing.T, ended []incident.Incident) {
	t.Helper()
	if l.Stack.Endpoints.EdgeControl == "" {
		t.Fatal("the stack names no control port of the edge")
	}
	var state struct {
		Mode    string         `json:"mode"`
		Weights map[string]int `json:"weights"`
	}
	if err := looptest.GetJSON(t.Context(), l.Stack.Endpoints.EdgeControl+"/v1/state", &state); err != nil {
		t.Fatal(err)
	}
	if state.Mode != "normal" || state.Weights["stable"] != 100 {
		t.Errorf("after %s the edge is left in mode %s with weights %v", ended[0].ID, state.Mode, state.Weights)
	}
}
