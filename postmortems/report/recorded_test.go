package report_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/postmortems/report"
)

// TestRecordedIncidentsAreTold renders records of real runs on the local stack, as GET /api/v1/incidents/{id} gave them, with every
// other source gone.
func TestRecordedIncidentsAreTold(t *testing.T) {
	files, err := filepath.Glob("testdata/recorded/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no recorded incident: %v", err)
	}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var in incident.Incident
		if err := json.Unmarshal(raw, &in); err != nil {
			t.Fatal(err)
		}
		input := told(in, 0)
		input.Telemetry = missingTelemetry().Telemetry
		input.WrittenAt = in.Stages.Ended.Add(time.Minute)
		name := strings.TrimSuffix(filepath.Base(file), ".json")
		got, err := report.Render(input)
		if err != nil {
			t.Fatal(err)
		}
		golden(t, filepath.Join("recorded", name+".md"), got)
	}
}
