package stackconfig

import (
	"errors"
	"path/filepath"
)

// LokiParams are what differs between one Loki and another.
type LokiParams struct {
	Host               string // empty means 127.0.0.1
	HTTPPort, GRPCPort int
	// DataDir is an absolute path, written to by Loki alone.
	DataDir string
}

// Loki renders loki.yml.
func Loki(p LokiParams) ([]byte, error) {
	if p.Host == "" {
		p.Host = "127.0.0.1"
	}
	if !filepath.IsAbs(p.DataDir) {
		return nil, errors.New("stackconfig: Loki: DataDir must be an absolute path: Loki's parts join paths to it")
	}
	if err := errors.Join(validPort("Loki's HTTPPort", p.HTTPPort), validPort("Loki's GRPCPort", p.GRPCPort)); err != nil {
		return nil, err
	}
	return render("loki.yml.tmpl", p)
}

// LokiArgs are Loki's flags.
func LokiArgs(configFile string) []string {
	return []string{"-config.file=" + configFile}
}

// LokiEnv is Loki's environment: a Go heap that is collected early. Half of Loki's resident memory is its program
// file, so the heap is the half that can be kept small.
func LokiEnv() []string { return []string{"GOGC=40", "GOMEMLIMIT=120MiB"} }
