package stack

import (
	"path/filepath"
	"time"

	"github.com/faultline-lab/faultline/deploy/local/ports"
	"github.com/faultline-lab/faultline/deploy/local/process"
	"github.com/faultline-lab/faultline/deploy/local/supervisor"
	"github.com/faultline-lab/faultline/observability/stackconfig"
)

// observability is Prometheus, Alertmanager, Loki and Jaeger, after their configuration files.
func (d definition) observability() []supervisor.Part {
	tool := func(name, binary string, limitMiB int, args []string, ready string) supervisor.Part {
		return supervisor.Part{
			Name: name, Kind: supervisor.Stack, Needs: []string{"configuration"},
			Process: &process.Spec{
				Path: binary, Args: args, Env: d.environment(d.state(name), small(limitMiB)), Dir: d.state(name),
				Probe: process.HTTP(ready),
				// What they hold is thrown away at the next start, so there is little to wait for.
				StopTimeout: 2 * time.Second,
			},
		}
	}
	at := d.Ports
	return []supervisor.Part{
		{Name: "configuration", Task: d.configure},
		tool("prometheus", d.Tools.Prometheus, 160,
			stackconfig.PrometheusArgs(d.file("prometheus"), filepath.Join(d.state("prometheus"), "data"), at.Address(ports.Prometheus)),
			at.URL(ports.Prometheus)+"/-/ready"),
		tool("alertmanager", d.Tools.Alertmanager, 48,
			stackconfig.AlertmanagerArgs(d.file("alertmanager"), filepath.Join(d.state("alertmanager"), "data"), at.Address(ports.Alertmanager)),
			at.URL(ports.Alertmanager)+"/-/ready"),
		tool("loki", d.Tools.Loki, 160, stackconfig.LokiArgs(d.file("loki")), at.URL(ports.Loki)+"/ready"),
		tool("jaeger", d.Tools.Jaeger, 256, stackconfig.JaegerArgs(d.file("jaeger")), at.URL(ports.JaegerHealth)+"/status"),
	}
}
