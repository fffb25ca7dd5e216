package stackconfig

import (
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/prometheus/common/model"
)

// LokiParams are what differs between one Loki and another.
type LokiParams struct {
	Host               string // empty means 127.0.0.1
	HTTPPort, GRPCPort int
	// DataDir is an absolute path, written to by Loki alone.
	DataDir string
	// Retention is how long log lines are kept, at least a day and across restarts; 0 means that they go when DataDir is
	// wiped, which it is at every start.
	Retention time.Duration
}

// leastRetention is what Loki's compactor deletes by: its index has a table a day.
const leastRetention = 24 * time.Hour

// Loki renders loki.yml.
func Loki(p LokiParams) ([]byte, error) {
	if p.Host == "" {
		p.Host = "127.0.0.1"
	}
	if !filepath.IsAbs(p.DataDir) {
		return nil, errors.New("stackconfig: Loki: DataDir must be an absolute path: Loki's parts join paths to it")
	}
	if p.Retention != 0 && p.Retention < leastRetention {
		return nil, fmt.Errorf("stackconfig: Loki: Retention is %s: use at least %s, or 0 where the data does not outlive Loki",
			p.Retention, leastRetention)
	}
	if err := errors.Join(validPort("Loki's HTTPPort", p.HTTPPort), validPort("Loki's GRPCPort", p.GRPCPort)); err != nil {
		return nil, err
	}
	return render("loki.yml.tmpl", map[string]any{
		"Host": p.Host, "HTTPPort": p.HTTPPort, "GRPCPort": p.GRPCPort, "DataDir": p.DataDir,
		"Retention": model.Duration(p.Retention), "Durable": p.Retention > 0,
	})
}

// LokiArgs are Loki's flags.
func LokiArgs(configFile string) []string {
	return []string{"-config.file=" + configFile}
}

// LokiEnv is Loki's environment: a Go heap that is collected early. Half of Loki's resident memory is its program
// file, so the heap is the half that can be kept small.
func LokiEnv() []string { return []string{"GOGC=40", "GOMEMLIMIT=120MiB"} }
