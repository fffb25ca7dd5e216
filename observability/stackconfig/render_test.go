package stackconfig_test

import (
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/faultline-lab/faultline/observability/stackconfig"
)

func TestAConfigurationThatCannotWorkIsRefused(t *testing.T) {
	jaeger := stackconfig.JaegerParams{
		OTLPGRPCPort: 1, OTLPHTTPPort: 2, QueryHTTPPort: 3, QueryGRPCPort: 4, MetricsPort: 5, HealthPort: 6,
	}
	unbounded, portless := jaeger, jaeger
	unbounded.MaxTraces, portless.HealthPort = -1, 0
	for name, render := range map[string]func() ([]byte, error){
		"Alertmanager with nobody to tell": func() ([]byte, error) {
			return stackconfig.Alertmanager(stackconfig.AlertmanagerParams{})
		},
		"Alertmanager that repeats faster than it groups": func() ([]byte, error) {
			return stackconfig.Alertmanager(stackconfig.AlertmanagerParams{
				WebhookURL: "http://127.0.0.1:1/", GroupInterval: time.Minute, RepeatInterval: time.Second,
			})
		},
		"Prometheus with a negative interval": func() ([]byte, error) {
			return stackconfig.Prometheus(stackconfig.PrometheusParams{Interval: -time.Second})
		},
		"Prometheus with a nameless target": func() ([]byte, error) {
			return stackconfig.Prometheus(stackconfig.PrometheusParams{StackTargets: []stackconfig.StackTarget{{Address: "a:1"}}})
		},
		"Prometheus that would find each service twice": func() ([]byte, error) {
			return stackconfig.Prometheus(stackconfig.PrometheusParams{
				DiscoveryURL: "http://127.0.0.1:1/", Kubernetes: &stackconfig.KubernetesDiscovery{},
			})
		},
		"Loki that keeps less than a day": func() ([]byte, error) {
			return stackconfig.Loki(stackconfig.LokiParams{HTTPPort: 1, GRPCPort: 2, DataDir: "/data", Retention: time.Hour})
		},
		"Loki with a relative folder": func() ([]byte, error) {
			return stackconfig.Loki(stackconfig.LokiParams{HTTPPort: 1, GRPCPort: 2, DataDir: "data"})
		},
		"Loki on any port": func() ([]byte, error) {
			return stackconfig.Loki(stackconfig.LokiParams{HTTPPort: 1, DataDir: "/data"})
		},
		"Jaeger without a bound": func() ([]byte, error) { return stackconfig.Jaeger(unbounded) },
		"Jaeger on any port":     func() ([]byte, error) { return stackconfig.Jaeger(portless) },
	} {
		t.Run(name, func(t *testing.T) {
			if config, err := render(); err == nil {
				t.Errorf("it was rendered:\n%s", config)
			}
		})
	}
}

// A path may hold anything; none of it may become YAML.
func TestTextFromOutsideStaysText(t *testing.T) {
	nasty := `/data/a "b": [c] # d` + "\n  evil: true\\"
	config, err := stackconfig.Prometheus(stackconfig.PrometheusParams{RuleFiles: []string{nasty}})
	if err != nil {
		t.Fatal(err)
	}
	var parsed struct {
		RuleFiles []string `yaml:"rule_files"`
		Evil      any      `yaml:"evil"`
	}
	if err := yaml.Unmarshal(config, &parsed); err != nil {
		t.Fatalf("%v\n%s", err, config)
	}
	if len(parsed.RuleFiles) != 1 || parsed.RuleFiles[0] != nasty || parsed.Evil != nil {
		t.Errorf("rule_files is %q", parsed.RuleFiles)
	}
}

func TestWhatIsLeftOutIsLeftOut(t *testing.T) {
	config, err := stackconfig.Prometheus(stackconfig.PrometheusParams{})
	if err != nil {
		t.Fatal(err)
	}
	for _, section := range []string{"rule_files", "alerting", "http_sd_configs"} {
		if strings.Contains(string(config), section) {
			t.Errorf("%s is there without anything in it:\n%s", section, config)
		}
	}
	config, err = stackconfig.Alertmanager(stackconfig.AlertmanagerParams{WebhookURL: "http://127.0.0.1:1/"})
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(config), "authorization") {
		t.Errorf("a token is asked for without a file:\n%s", config)
	}
}
