// Package bench is what a run of `make bench` came to, for machines and for people.
package bench

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"time"

	"github.com/faultline-lab/faultline/e2e/bench/onstack"
	"github.com/faultline-lab/faultline/e2e/bench/repository"
)

// Results are the parts that were measured; the others are nil.
type Results struct {
	StartedAt time.Time `json:"started_at"`
	Machine   Machine   `json:"machine"`

	Telemetry  *onstack.Cost      `json:"telemetry,omitempty"`
	Repository *repository.Result `json:"repository,omitempty"`
	Path       *onstack.Path      `json:"path,omitempty"`
	Capacity   *onstack.Capacity  `json:"capacity,omitempty"`
	// Failures are the parts that broke off, with why.
	Failures map[string]string `json:"failures,omitempty"`
}

// Missed says in sentences which goals were missed.
func (r Results) Missed() []string {
	var missed []string
	if r.Telemetry != nil && !r.Telemetry.Met() {
		missed = append(missed, telemetrySentence(*r.Telemetry))
	}
	if r.Repository != nil && !r.Repository.Met() {
		missed = append(missed, repositorySentence(*r.Repository))
	}
	if r.Capacity != nil && !r.Capacity.Met() {
		missed = append(missed, capacitySentence(*r.Capacity))
	}
	return missed
}

// Save writes results.json and table.md.
func (r Results) Save(folder string) error {
	data, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return errors.Join(
		os.WriteFile(filepath.Join(folder, "results.json"), append(data, '\n'), 0o644),
		os.WriteFile(filepath.Join(folder, "table.md"), []byte(Table(r)), 0o644),
	)
}
