package kubernetes

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/yaml"

	dashboards "github.com/faultline-lab/faultline/observability/grafana"
)

// grafanaComponent is the folder of Grafana's component, among the components and where an overlay has its own around it.
const grafanaComponent = "grafana"

// Where Grafana finds its files and listens; components/grafana/grafana.yaml mounts and opens the same.
const (
	grafanaProvisioning = "/etc/grafana/provisioning"
	grafanaData         = "/var/lib/grafana"
	grafanaPort         = 3000
)

// grafana makes the files of the component components/grafana/generated: a ConfigMap of what the local Grafana gets as files,
// and a patch with its settings and with the paths at which those files appear.
func (s settings) grafana() (map[string][]byte, error) {
	provisioned, err := dashboards.Files(dashboards.Params{
		PrometheusURL: "http://" + at("prometheus", prometheusPort), LokiURL: "http://" + at("loki", lokiPort),
		JaegerURL: "http://" + at("jaeger", jaegerPort), DashboardsPath: grafanaProvisioning + "/dashboards",
		ScrapeInterval: s.ScrapeInterval.Duration,
	})
	if err != nil {
		return nil, fmt.Errorf("grafana: %w", err)
	}
	files, items := map[string][]byte{}, []map[string]string{}
	for _, path := range slices.Sorted(maps.Keys(provisioned)) {
		key := strings.ReplaceAll(path, "/", ".") // a ConfigMap knows no folders
		if _, twice := files[key]; twice {
			return nil, fmt.Errorf("grafana: %s has the key of another file", path)
		}
		files[key] = provisioned[path]
		items = append(items, map[string]string{"key": key, "path": path})
	}
	changes, err := yaml.Marshal(grafanaPatch(items))
	if err != nil {
		return nil, fmt.Errorf("patch of grafana: %w", err)
	}
	files["kustomization.yaml"], err = yaml.Marshal(types.Kustomization{
		TypeMeta:           types.TypeMeta{APIVersion: types.ComponentVersion, Kind: types.ComponentKind},
		ConfigMapGenerator: []types.ConfigMapArgs{configMap("grafana-provisioning", slices.Sorted(maps.Keys(files))...)},
		Patches:            []types.Patch{{Patch: string(changes)}},
	})
	return files, err
}

func grafanaPatch(items []map[string]string) map[string]any {
	environment := dashboards.Env(dashboards.EnvParams{
		Host: everywhere, Port: grafanaPort, DataDir: grafanaData, ProvisioningDir: grafanaProvisioning,
	})
	main := container{Name: "main"}
	for _, name := range slices.Sorted(maps.Keys(environment)) {
		main.Env = append(main.Env, variable{name, environment[name]})
	}
	made := deploymentPatch("grafana", main)
	made["spec"].(map[string]any)["template"].(map[string]any)["spec"].(map[string]any)["volumes"] = []any{
		map[string]any{"name": "provisioning", "configMap": map[string]any{"name": "grafana-provisioning", "items": items}},
	}
	return made
}
