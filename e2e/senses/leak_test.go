package senses

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/e2e/internal/looptest"
	"github.com/faultline-lab/faultline/observability/endpoints"
)

// fault is one connection leak that the healer has healed.
type fault struct {
	began    time.Time // no earlier than this
	incident incident.Incident
}

// window is how long chaos watches: longer than the healer takes to close the incident, so that all that either can say is
// said.
const window = 25 * time.Second

// leak runs the experiment as a person would, with the program: what that emits is part of the contract.
func (s *live) leak(t *testing.T, root string) fault {
	t.Helper()
	s.steady(t)
	f := fault{began: time.Now()}
	chaos := exec.CommandContext(t.Context(), filepath.Join(root, ".faultline", "bin", "chaos"), "run", "connection-leak",
		"--stack-file="+filepath.Join(root, endpoints.DefaultFile), "--duration="+window.String())
	log := looptest.Log{T: t}
	chaos.Stdout, chaos.Stderr = log, log
	if err := chaos.Run(); err != nil {
		t.Fatalf("the experiment: %v; its own words are above", err)
	}
	looptest.Eventually(t, "the healer to have healed the leak", func() error {
		var list struct {
			Incidents []incident.Incident `json:"incidents"`
		}
		since := f.began.UTC().Format(time.RFC3339Nano)
		if err := looptest.GetJSON(t.Context(), s.stack.Endpoints.Autoheal+"/api/v1/incidents?since="+since, &list); err != nil {
			return err
		}
		for _, f.incident = range list.Incidents {
			if len(f.incident.Actions) > 0 && f.incident.Outcome == incident.Recovered {
				return nil
			}
		}
		return fmt.Errorf("of %d incidents none has been acted on and recovered", len(list.Incidents))
	})
	return f
}
