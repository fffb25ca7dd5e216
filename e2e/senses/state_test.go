package senses

import (
	"fmt"
	"strings"
	"testing"

	"github.com/faultline-lab/faultline/chaos/control"
	"github.com/faultline-lab/faultline/e2e/internal/looptest"
)

func (s *live) process(t *testing.T, name string) looptest.Process {
	t.Helper()
	for _, process := range looptest.Processes(t, s.stack) {
		if process.Name == name {
			return process
		}
	}
	t.Fatalf("the supervisor lists no process %s", name)
	return looptest.Process{}
}

// healerState is all that a healer changes: how many incidents it has taken up, and which start each replica is. It is the same
// for as long as nobody acts.
func (s *live) healerState(t *testing.T) string {
	t.Helper()
	var list struct {
		Incidents []struct{} `json:"incidents"`
	}
	if err := looptest.GetJSON(t.Context(), s.stack.Endpoints.Autoheal+"/api/v1/incidents", &list); err != nil {
		t.Fatal(err)
	}
	supervisor, err := control.New(control.Config{BaseURL: s.stack.Endpoints.Control})
	if err != nil {
		t.Fatal(err)
	}
	workloads, err := supervisor.Workloads(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	state := []string{fmt.Sprintf("%d incidents", len(list.Incidents))}
	for _, workload := range workloads {
		for _, replica := range workload.Replicas {
			state = append(state, replica.ID+"="+replica.StartID)
		}
	}
	return strings.Join(state, " ")
}
