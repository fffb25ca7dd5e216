package senses

import (
	"slices"
	"strings"
	"testing"

	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/e2e/internal/looptest"
	"github.com/faultline-lab/faultline/observability/query"
)

// checkIncident looks at the trace that the healer made of its own work on the leak.
func (s *live) checkIncident(t *testing.T, f fault) {
	in := f.incident
	root := hop{"autoheal", query.Internal, "autoheal.incident"}
	var trace query.Trace
	looptest.Eventually(t, "the incident's trace "+in.TraceID+" with a span of each stage and of the restart", func() error {
		var err error
		if trace, err = s.jaeger.Trace(t.Context(), in.TraceID); err != nil {
			return err
		}
		for _, stage := range []incident.State{
			incident.Received, incident.Diagnosed, incident.Decided, incident.Verifying, incident.Stabilising,
		} {
			if _, err := path(trace, root, hop{"autoheal", query.Internal, "autoheal." + string(stage)}); err != nil {
				return err
			}
		}
		_, err = path(trace, root, hop{"autoheal", query.Client, "POST"}, hop{"supervisor", query.Server, "POST *"})
		return err
	})
	s.thereAndBack(t, trace, "autoheal")

	restarts := 0
	for _, span := range trace.Spans {
		if span.Service == "supervisor" && strings.Contains(span.Name, "restart") && span.Kind == query.Server {
			restarts++
		}
	}
	if restarts != len(in.Actions) {
		t.Errorf("the healer acted %d times and the supervisor's part is on the trace %d times:\n%s", len(in.Actions), restarts, outline(trace))
	}
	if slices.ContainsFunc(trace.Spans, func(span query.Span) bool { return span.Service == "loadgen" || span.Service == "chaos" }) {
		t.Errorf("the healer's trace has spans of those of whom it must know nothing:\n%s", outline(trace))
	}
}
