package stack

import (
	"errors"
	"maps"
	"os"
	"path/filepath"
	"time"

	"github.com/faultline-lab/faultline/deploy/local/ports"
	"github.com/faultline-lab/faultline/deploy/local/process"
	"github.com/faultline-lab/faultline/deploy/local/supervisor"
	dashboards "github.com/faultline-lab/faultline/observability/grafana"
)

// Grafana is one that was found on this machine.
type Grafana struct {
	Binary string
	Home   string // its pages and defaults
}

// grafana is for people: no part needs it, so it is ready when it is ready.
func (d definition) grafana() []supervisor.Part {
	if d.Tools.Grafana == nil {
		return nil
	}
	settings := small(160)
	maps.Copy(settings, dashboards.Env(dashboards.EnvParams{
		Host: ports.Host, Port: d.Ports[ports.Grafana], DataDir: d.grafanaData(), ProvisioningDir: d.grafanaProvisioning(),
	}))
	return []supervisor.Part{{
		Name: "grafana", Kind: supervisor.Stack, Needs: []string{"configuration"}, Optional: true,
		Process: &process.Spec{
			Path: d.Tools.Grafana.Binary, Args: []string{"server", "--homepath=" + d.Tools.Grafana.Home},
			Env: d.environment(d.state("grafana"), settings), Dir: d.state("grafana"),
			Probe:       process.HTTP(d.Ports.URL(ports.Grafana) + "/api/health"),
			StopTimeout: 2 * time.Second,
		},
	}}
}

func (d definition) grafanaData() string { return filepath.Join(d.state("grafana"), "data") }

func (d definition) grafanaProvisioning() string {
	return filepath.Join(d.state("grafana"), "provisioning")
}

// provisionGrafana writes data sources and dashboards to where Grafana reads them at its start.
func (d definition) provisionGrafana() error {
	if d.Tools.Grafana == nil {
		return nil
	}
	files, err := dashboards.Files(dashboards.Params{
		PrometheusURL: d.Ports.URL(ports.Prometheus), LokiURL: d.Ports.URL(ports.Loki), JaegerURL: d.Ports.URL(ports.Jaeger),
		DashboardsPath: filepath.Join(d.grafanaProvisioning(), "dashboards"),
	})
	if err != nil {
		return err
	}
	errs := []error{os.MkdirAll(d.grafanaData(), 0o700)}
	for name, content := range files {
		errs = append(errs, write(filepath.Join(d.grafanaProvisioning(), filepath.FromSlash(name)), content))
	}
	return errors.Join(errs...)
}
