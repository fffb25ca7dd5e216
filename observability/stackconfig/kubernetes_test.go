package stackconfig_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/faultline-lab/faultline/observability/internal/stacktest"
	"github.com/faultline-lab/faultline/observability/stackconfig"
)

// onKubernetes is a Prometheus as an overlay wants it.
func onKubernetes(namespace string) stackconfig.PrometheusParams {
	return stackconfig.PrometheusParams{
		Kubernetes: &stackconfig.KubernetesDiscovery{Namespace: namespace}, AlertmanagerAddress: "alertmanager:9093",
		StackTargets: []stackconfig.StackTarget{{Job: "loki", Address: "loki:3100"}, {Job: "jaeger", Address: "jaeger:8888"}},
	}
}

// configuration is what the tests look at of prometheus.yml.
type configuration struct {
	ScrapeConfigs []map[string]any `yaml:"scrape_configs"`
}

func parse(t *testing.T, params stackconfig.PrometheusParams) (configuration, []byte) {
	t.Helper()
	rendered, err := stackconfig.Prometheus(params)
	if err != nil {
		t.Fatal(err)
	}
	var parsed configuration
	if err := yaml.Unmarshal(rendered, &parsed); err != nil {
		t.Fatalf("%v\n%s", err, rendered)
	}
	return parsed, rendered
}

// The Prometheus that is built for local mode does not know kubernetes_sd, so this looks at the file alone; whether a
// Prometheus takes it, the kind cluster shows.
func TestPodsAreLookedForInOneNamespaceAndByLabel(t *testing.T) {
	for name, test := range map[string]struct {
		namespace string
		want      map[string]any
	}{
		"in the namespace that is named":    {"faultline-staging", map[string]any{"names": []any{"faultline-staging"}}},
		"else in that of Prometheus itself": {"", map[string]any{"own_namespace": true}},
	} {
		t.Run(name, func(t *testing.T) {
			parsed, rendered := parse(t, onKubernetes(test.namespace))
			job := parsed.ScrapeConfigs[0]
			want, err := json.Marshal([]any{map[string]any{
				"role": "pod", "namespaces": test.want,
				"selectors": []any{map[string]any{"role": "pod", "label": "app.kubernetes.io/part-of=faultline"}},
			}})
			if err != nil {
				t.Fatal(err)
			}
			got, err := json.Marshal(job["kubernetes_sd_configs"])
			if err != nil || job["job_name"] != "services" || !bytes.Equal(got, want) {
				t.Errorf("kubernetes_sd_configs is %s, error %v; want %s in\n%s", got, err, want, rendered)
			}
		})
	}
}

// pods are what kubernetes_sd finds in a namespace: the meta labels of each container port.
func pods(address string) []map[string]any {
	pod := func(name, instance, port, phase, version string) map[string]any {
		return map[string]any{"targets": []string{address}, "labels": map[string]string{
			"__meta_kubernetes_namespace": "faultline", "__meta_kubernetes_pod_name": instance,
			"__meta_kubernetes_pod_phase": phase, "__meta_kubernetes_pod_container_port_name": port,
			"__meta_kubernetes_pod_label_app_kubernetes_io_name":    name,
			"__meta_kubernetes_pod_label_app_kubernetes_io_part_of": "faultline",
			"__meta_kubernetes_pod_label_app_kubernetes_io_version": version,
			"__meta_kubernetes_pod_node_name":                       "node-1",
		}}
	}
	standby := pod("orders-standby", "orders-standby-7c9d-abcde", "http", "Running", "v1")
	maps.Copy(standby["labels"].(map[string]string), map[string]string{
		"__meta_kubernetes_pod_label_faultline_dev_job": "orders", "__meta_kubernetes_pod_label_faultline_dev_group": "standby",
	})
	return []map[string]any{
		standby,
		pod("orders", "orders-6d4cf56db6-x7k2p", "http", "Running", "v1"),
		pod("orders", "orders-6d4cf56db6-old", "http", "Succeeded", "v1"),
		pod("orders", "orders-6d4cf56db6-bad", "http", "Failed", "v1"),
		pod("orders", "orders-6d4cf56db6-x7k2p", "debug", "Running", "v1"),
		pod("storefront", "storefront-75675f5897-8zl4q", "http", "Pending", "v2"), // its first probe is still to come
		pod("postgres", "postgres-0", "postgres", "Running", "18"),
		pod("loki", "loki-0", "http", "Running", "3"),
	}
}

// The relabelling is tried on the real Prometheus: the same rules, over an http_sd document that says of the pods what
// kubernetes_sd says.
func TestAPodsSeriesLookAsTheyDoLocally(t *testing.T) {
	var address string
	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	defer server.Close()
	address = strings.TrimPrefix(server.URL, "http://")
	mux.HandleFunc("/pods", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(pods(address)) // a failure shows in the targets
	})
	mux.HandleFunc("/metrics", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain")
	})

	parsed, _ := parse(t, onKubernetes("faultline"))
	job := parsed.ScrapeConfigs[0]
	delete(job, "kubernetes_sd_configs")
	job["http_sd_configs"] = []any{map[string]any{"url": server.URL + "/pods", "refresh_interval": "1s"}}
	config, err := yaml.Marshal(configuration{ScrapeConfigs: []map[string]any{job}})
	if err != nil {
		t.Fatal(err)
	}
	prometheus := prometheusWith(t, config)

	want := []map[string]string{
		{"job": "orders", "instance": "orders-standby-7c9d-abcde", "version": "v1", "group": "standby"},
		{"job": "orders", "instance": "orders-6d4cf56db6-x7k2p", "version": "v1"},
		{"job": "storefront", "instance": "storefront-75675f5897-8zl4q", "version": "v2"},
	}
	var got []map[string]string
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		if got = targets(t, prometheus.URL); len(got) > 0 {
			break
		}
	}
	if !slices.EqualFunc(got, want, maps.Equal) {
		t.Errorf("the targets are %v; want %v", got, want)
	}
}

// prometheusWith starts one with a configuration of the test's own.
func prometheusWith(t *testing.T, config []byte) stacktest.Process {
	t.Helper()
	binary, port := stacktest.Binary(t, "prometheus"), stacktest.FreePorts(t, 1)[0]
	args := stackconfig.PrometheusArgs(file(t, "prometheus.yml", config), t.TempDir(), fmt.Sprintf("127.0.0.1:%d", port))
	return stacktest.Start(t, binary, args, nil, "/-/ready", port, port)
}

func file(t *testing.T, name string, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// targets are the labels of all that a Prometheus scrapes, by job.
func targets(t *testing.T, url string) []map[string]string {
	t.Helper()
	var answer struct {
		Data struct {
			ActiveTargets []struct{ Labels map[string]string }
		}
	}
	get(t, url+"/api/v1/targets?state=active", &answer)
	var labels []map[string]string
	for _, target := range answer.Data.ActiveTargets {
		labels = append(labels, target.Labels)
	}
	slices.SortFunc(labels, func(a, b map[string]string) int { return strings.Compare(a["job"], b["job"]) })
	return labels
}

func get(t *testing.T, url string, into any) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if err := json.NewDecoder(response.Body).Decode(into); err != nil {
		t.Fatalf("%s: %s: %v", url, response.Status, err)
	}
}

// A ticket is for people: the healer, which would open an incident for it, is not told.
func TestTicketsAreKeptFromTheHealer(t *testing.T) {
	alertmanager := stacktest.Alertmanager(t, stackconfig.AlertmanagerParams{
		WebhookURL: "http://127.0.0.1:1/webhook/alertmanager",
	})
	body := `[{"labels":{"alertname":"A","workload":"orders","severity":"page"}},
	          {"labels":{"alertname":"B","workload":"orders","severity":"ticket"}}]`
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, alertmanager.URL+"/api/v2/alerts", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		t.Fatalf("the alerts were answered with %s", response.Status)
	}
	var alerts []struct {
		Labels    map[string]string
		Receivers []struct{ Name string }
	}
	get(t, alertmanager.URL+"/api/v2/alerts", &alerts)
	told := map[string]string{}
	for _, alert := range alerts {
		for _, receiver := range alert.Receivers {
			told[alert.Labels["severity"]] += receiver.Name
		}
	}
	if want := map[string]string{"page": "autoheal", "ticket": "tickets"}; !maps.Equal(told, want) {
		t.Errorf("told were %v; want %v", told, want)
	}
}

// What is kept for days must outlive Loki: the real one starts with a journal and a compactor, and finds both folders.
func TestALokiThatKeepsItsLogsStarts(t *testing.T) {
	dir := t.TempDir()
	binary, ports := stacktest.Binary(t, "loki"), stacktest.FreePorts(t, 2)
	config, err := stackconfig.Loki(stackconfig.LokiParams{
		HTTPPort: ports[0], GRPCPort: ports[1], DataDir: dir, Retention: 48 * time.Hour,
	})
	if err != nil {
		t.Fatal(err)
	}
	stacktest.Start(t, binary, stackconfig.LokiArgs(file(t, "loki.yml", config)), stackconfig.LokiEnv(), "/ready", ports[0], ports...)
	for _, folder := range []string{"wal", "compactor"} {
		path := filepath.Join(dir, folder)
		for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(50 * time.Millisecond) {
			if _, err := os.Stat(path); err == nil {
				break
			} else if time.Now().After(deadline) {
				t.Fatalf("Loki has not made its folder: %v", err)
			}
		}
	}
}

func TestRetentionIsAFlagOfBoth(t *testing.T) {
	for want, args := range map[string][]string{
		"--storage.tsdb.retention.time=6h":  stackconfig.PrometheusArgs("c", "d", "l"),
		"--storage.tsdb.retention.time=15d": stackconfig.PrometheusArgsKeeping(15*24*time.Hour, "c", "d", "l"),
		"--data.retention=6h0m0s":           stackconfig.AlertmanagerArgs("c", "d", "l"),
		"--data.retention=360h0m0s":         stackconfig.AlertmanagerArgsKeeping(15*24*time.Hour, "c", "d", "l"),
	} {
		if !slices.Contains(args, want) {
			t.Errorf("%v lacks %s", args, want)
		}
	}
}
