package stack

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Every program of ours is told, and asked for nothing: both are what telemetry costs.
func TestABlindStackTellsEveryWorkloadAndReadsNoneOfThem(t *testing.T) {
	for _, blind := range []bool{false, true} {
		cfg := config(t)
		cfg.Blind = blind
		all := parts(t, cfg)
		for _, name := range Programs() {
			if told := slices.Contains(first(all[name]).Args, "--telemetry=off"); told != blind {
				t.Errorf("blind %v: %s is told so: %v", blind, name, told)
			}
		}
		if err := all["configuration"].Task(t.Context()); err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(filepath.Join(cfg.Folders.State, "prometheus", "prometheus.yml"))
		if err != nil {
			t.Fatal(err)
		}
		if reads := strings.Contains(string(text), "/v1/discovery"); reads == blind {
			t.Errorf("blind %v: Prometheus looks for our programs: %v", blind, reads)
		}
		if !strings.Contains(string(text), `job_name: "loki"`) {
			t.Errorf("blind %v: Prometheus does not read the stack's own programs", blind)
		}
	}
}
