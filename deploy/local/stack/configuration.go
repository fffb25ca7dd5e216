package stack

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/faultline-lab/faultline/deploy/local/ports"
	"github.com/faultline-lab/faultline/observability/stackconfig"
	"github.com/faultline-lab/faultline/slo/rules"
)

// file is the configuration file of a program.
func (d definition) file(program string) string {
	return filepath.Join(d.state(program), program+".yml")
}

// configure writes the files that the programs read at their start.
func (d definition) configure(context.Context) error {
	ruleFiles, err := d.writeRules()
	if err != nil {
		return err
	}
	if err := d.provisionGrafana(); err != nil {
		return err
	}
	for path, content := range map[string]func() ([]byte, error){
		d.file("prometheus"):   func() ([]byte, error) { return d.prometheus(ruleFiles) },
		d.file("alertmanager"): d.alertmanager,
		d.file("loki"):         d.loki,
		d.file("jaeger"):       d.jaeger,
		d.proxiesFile():        d.proxies,
	} {
		data, err := content()
		if err != nil {
			return err
		}
		if err := write(path, data); err != nil {
			return err
		}
	}
	return nil
}

func write(path string, content []byte) error {
	return errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, content, 0o600))
}

func (d definition) prometheus(ruleFiles []string) ([]byte, error) {
	discovery := d.Ports.URL(ports.Control) + "/v1/discovery"
	if d.Blind {
		discovery = "" // answering a scrape is part of what telemetry costs
	}
	return stackconfig.Prometheus(stackconfig.PrometheusParams{
		DiscoveryURL:        discovery,
		RuleFiles:           ruleFiles,
		AlertmanagerAddress: d.Ports.Address(ports.Alertmanager),
		StackTargets: []stackconfig.StackTarget{
			{Job: "prometheus", Address: d.Ports.Address(ports.Prometheus)},
			{Job: "alertmanager", Address: d.Ports.Address(ports.Alertmanager)},
			{Job: "loki", Address: d.Ports.Address(ports.Loki)},
			{Job: "jaeger", Address: d.Ports.Address(ports.JaegerMetrics)},
		},
	})
}

func (d definition) alertmanager() ([]byte, error) {
	return stackconfig.Alertmanager(stackconfig.AlertmanagerParams{
		WebhookURL:       d.Ports.URL(ports.Autoheal) + "/webhook/alertmanager",
		WebhookTokenFile: d.Folders.WebhookToken,
		// In a study with 1 s the webhook came 0.37 s after the alert in the median, and in two with this 0.14 s. Probably a
		// group that Alertmanager still remembers from the last incident waits for this interval's tick; that was not
		// tested apart.
		GroupInterval: 200 * time.Millisecond,
	})
}

func (d definition) loki() ([]byte, error) {
	return stackconfig.Loki(stackconfig.LokiParams{
		HTTPPort: d.Ports[ports.Loki], GRPCPort: d.Ports[ports.LokiGRPC], DataDir: filepath.Join(d.state("loki"), "data"),
	})
}

func (d definition) jaeger() ([]byte, error) {
	return stackconfig.Jaeger(stackconfig.JaegerParams{
		OTLPGRPCPort: d.Ports[ports.OTLPGRPC], OTLPHTTPPort: d.Ports[ports.OTLPHTTP],
		QueryHTTPPort: d.Ports[ports.Jaeger], QueryGRPCPort: d.Ports[ports.JaegerGRPC],
		MetricsPort: d.Ports[ports.JaegerMetrics], HealthPort: d.Ports[ports.JaegerHealth], MaxTraces: 8000,
	})
}

// writeRules copies the rule files out of the binary to where Prometheus reads them, and returns their paths.
func (d definition) writeRules() ([]string, error) {
	var paths []string
	err := fs.WalkDir(rules.FS, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := fs.ReadFile(rules.FS, path)
		if err != nil {
			return err
		}
		paths = append(paths, filepath.Join(d.state("prometheus"), "rules", filepath.Base(path)))
		return write(paths[len(paths)-1], content)
	})
	if err == nil && len(paths) == 0 {
		err = fmt.Errorf("slo/rules has no rule file: nothing would ever alert")
	}
	return paths, err
}
