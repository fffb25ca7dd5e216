package engine

import (
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/faultline-lab/faultline/autoheal/incident"
)

func TestAChangeIsCountedAsStandingUntilItIsTakenBack(t *testing.T) {
	registry := prometheus.NewRegistry()
	m, err := newMetrics(registry, []string{"accept", "scale-out"})
	if err != nil {
		t.Fatal(err)
	}
	open := func(state incident.ChangeState) []incident.Incident {
		return []incident.Incident{{State: incident.Holding, Actions: []incident.Action{
			{Remedy: "accept", Undo: &incident.Undo{State: state}}, {Remedy: "restart-replicas"},
		}}}
	}
	for _, step := range []struct {
		name string
		open []incident.Incident
		want float64
	}{
		{"before anything", nil, 0},
		{"while it stands", open(incident.Standing), 1},
		{"while it is being taken back", open(incident.Undoing), 1},
		{"when it is undone", open(incident.Undone), 0},
		{"again", open(incident.Standing), 1},
		{"when its incident has ended", nil, 0},
	} {
		m.setOpen(step.open)
		if got := standing(t, registry, "accept"); got != step.want {
			t.Errorf("%s: %g changes stand, want %g", step.name, got, step.want)
		}
		if got := standing(t, registry, "scale-out"); got != 0 {
			t.Errorf("%s: %g changes of a remedy stand that changed nothing", step.name, got)
		}
	}
}

func standing(t *testing.T, registry *prometheus.Registry, remedy string) float64 {
	t.Helper()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		for _, metric := range family.GetMetric() {
			if family.GetName() == "autoheal_standing_changes" && metric.GetLabel()[0].GetValue() == remedy {
				return metric.GetGauge().GetValue()
			}
		}
	}
	t.Fatalf("no series autoheal_standing_changes of %s", remedy)
	return 0
}
