package record

import (
	"encoding/json"
	"fmt"
	"os"

	"github.com/faultline-lab/faultline/autoheal/incident"
)

// File reads one record from a JSON file: what GET /api/v1/incidents/{id} answers.
func File(path string) (incident.Incident, error) {
	var in incident.Incident
	data, err := os.ReadFile(path)
	if err != nil {
		return in, fmt.Errorf("read the incident: %w", err)
	}
	if err := json.Unmarshal(data, &in); err != nil {
		return in, fmt.Errorf("%s is not an incident of autoheal (save one with `curl http://127.0.0.1:8090/api/v1/incidents/ID > FILE.json`): %w", path, err)
	}
	if in.ID == "" {
		return in, fmt.Errorf("%s holds no incident: it has no id (save one with `curl http://127.0.0.1:8090/api/v1/incidents/ID > FILE.json`)", path)
	}
	return in, nil
}
