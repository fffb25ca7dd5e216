package kubernetes

import (
	"fmt"
	"maps"
	"slices"
	"strconv"

	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/yaml"

	"github.com/faultline-lab/faultline/observability/stackconfig"
	"github.com/faultline-lab/faultline/slo/rules"
)

// Where the programs of the stack find their files and listen; the manifests in base mount and open the same.
const (
	everywhere       = "0.0.0.0"
	prometheusConfig = "/etc/prometheus/prometheus.yml"
	prometheusRules  = "/etc/prometheus-rules"
	prometheusData   = "/var/lib/prometheus/data"
	alertmanagerFile = "/etc/alertmanager/alertmanager.yml"
	alertmanagerData = "/var/lib/alertmanager/data"
	webhookTokenFile = "/etc/alertmanager-token/webhook-token"
	lokiConfig       = "/etc/loki/loki.yml"
	lokiData         = "/var/lib/loki/data"
	jaegerConfig     = "/etc/jaeger/jaeger.yml"

	prometheusPort, alertmanagerPort   = 9090, 9093
	lokiPort, lokiGRPCPort             = 3100, 9096
	otlpGRPCPort, otlpHTTPPort         = 4317, 4318
	jaegerPort, jaegerGRPCPort         = 16686, 16685
	jaegerMetricsPort, jaegerReadyPort = 8888, 13133
)

// generate makes the files of the component "generated" of an overlay, by their names in its folder: ConfigMaps of what the local
// stack gets as files, and patches with the flags that belong to them. ConfigMaps are named after their content, so that pods
// roll when it changes.
func (s settings) generate() (map[string][]byte, error) {
	ruleFiles, err := rules.Files(s.SLOProfile, s.ScrapeInterval.Duration)
	if err != nil {
		return nil, err
	}
	files := map[string][]byte{}
	for name, render := range map[string]func() ([]byte, error){
		"prometheus.yml": s.prometheus, "alertmanager.yml": s.alertmanager, "loki.yml": s.loki, "jaeger.yml": s.jaeger,
	} {
		if files[name], err = render(); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	component := types.Kustomization{
		TypeMeta: types.TypeMeta{APIVersion: types.ComponentVersion, Kind: types.ComponentKind},
		ConfigMapGenerator: []types.ConfigMapArgs{
			configMap("prometheus-config", "prometheus.yml"), configMap("alertmanager-config", "alertmanager.yml"),
			configMap("loki-config", "loki.yml"), configMap("jaeger-config", "jaeger.yml"),
			configMap("prometheus-rules", slices.Sorted(maps.Keys(ruleFiles))...),
		},
	}
	maps.Copy(files, ruleFiles)
	if component.Patches, err = s.patches(); err != nil {
		return nil, err
	}
	files["kustomization.yaml"], err = yaml.Marshal(component)
	return files, err
}

func configMap(name string, files ...string) types.ConfigMapArgs {
	return types.ConfigMapArgs{GeneratorArgs: types.GeneratorArgs{
		Name: name, KvPairSources: types.KvPairSources{FileSources: files},
	}}
}

func (s settings) prometheus() ([]byte, error) {
	return stackconfig.Prometheus(stackconfig.PrometheusParams{
		Interval: s.ScrapeInterval.Duration, Kubernetes: &stackconfig.KubernetesDiscovery{},
		RuleFiles:           []string{prometheusRules + "/*.yml"},
		AlertmanagerAddress: at("alertmanager", alertmanagerPort),
		StackTargets: []stackconfig.StackTarget{
			{Job: "prometheus", Address: at("127.0.0.1", prometheusPort)},
			{Job: "alertmanager", Address: at("alertmanager", alertmanagerPort)},
			{Job: "loki", Address: at("loki", lokiPort)},
			{Job: "jaeger", Address: at("jaeger", jaegerMetricsPort)},
		},
	})
}

func (s settings) alertmanager() ([]byte, error) {
	return stackconfig.Alertmanager(stackconfig.AlertmanagerParams{
		WebhookURL: "http://autoheal:8080/webhook/alertmanager", WebhookTokenFile: webhookTokenFile,
		GroupInterval: s.AlertGroupInterval.Duration,
	})
}

func (s settings) loki() ([]byte, error) {
	return stackconfig.Loki(stackconfig.LokiParams{
		Host: everywhere, HTTPPort: lokiPort, GRPCPort: lokiGRPCPort, DataDir: lokiData, Retention: s.Keep.Logs.Duration,
	})
}

func (s settings) jaeger() ([]byte, error) {
	return stackconfig.Jaeger(stackconfig.JaegerParams{
		Host: everywhere, OTLPGRPCPort: otlpGRPCPort, OTLPHTTPPort: otlpHTTPPort,
		QueryHTTPPort: jaegerPort, QueryGRPCPort: jaegerGRPCPort,
		MetricsPort: jaegerMetricsPort, HealthPort: jaegerReadyPort, MaxTraces: s.Keep.Traces,
	})
}

// patches give the programs their flags, and ours what depends on the overlay.
func (s settings) patches() ([]types.Patch, error) {
	share := strconv.FormatFloat(s.TraceSampleRatio, 'f', -1, 64)
	sampled, err := patch("ours", container{Env: []variable{{"FAULTLINE_TRACE_SAMPLE_RATIO", share}}})
	if err != nil {
		return nil, err
	}
	sampled.Target = &types.Selector{LabelSelector: "app.kubernetes.io/part-of=faultline"}
	sampled.Target.Kind = "Deployment"
	patches := []types.Patch{sampled}
	for _, p := range []struct {
		workload string
		main     container
	}{
		{"prometheus", container{Args: stackconfig.PrometheusArgsKeeping(
			s.Keep.Metrics.Duration, prometheusConfig, prometheusData, at(everywhere, prometheusPort))}},
		{"alertmanager", container{Args: stackconfig.AlertmanagerArgsKeeping(
			s.Keep.Alerts.Duration, alertmanagerFile, alertmanagerData, at(everywhere, alertmanagerPort))}},
		{"loki", container{Args: stackconfig.LokiArgs(lokiConfig)}},
		{"jaeger", container{Args: stackconfig.JaegerArgs(jaegerConfig)}},
		{"autoheal", container{Env: []variable{
			{"FAULTLINE_AUTONOMY", s.Autonomy},
			{"FAULTLINE_SCRAPE_INTERVAL", s.ScrapeInterval.Duration.String()},
			// Its traces are few, and each is the record of an incident.
			{"FAULTLINE_TRACE_SAMPLE_RATIO", "1"},
		}}},
	} {
		made, err := patch(p.workload, p.main)
		if err != nil {
			return nil, err
		}
		patches = append(patches, made)
	}
	return patches, nil
}

func patch(workload string, main container) (types.Patch, error) {
	main.Name = "main"
	text, err := yaml.Marshal(deploymentPatch(workload, main))
	if err != nil {
		return types.Patch{}, fmt.Errorf("patch of %s: %w", workload, err)
	}
	return types.Patch{Patch: string(text)}, nil
}

// container is the part of one that a patch changes.
type container struct {
	Name string     `json:"name"`
	Args []string   `json:"args,omitempty"`
	Env  []variable `json:"env,omitempty"`
}

type variable struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

func deploymentPatch(name string, main container) map[string]any {
	return map[string]any{
		"apiVersion": "apps/v1", "kind": "Deployment", "metadata": map[string]any{"name": name},
		"spec": map[string]any{"template": map[string]any{"spec": map[string]any{"containers": []container{main}}}},
	}
}

func at(host string, port int) string { return fmt.Sprintf("%s:%d", host, port) }
