package kubernetes

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// renderings remembers each overlay: rendering takes a tenth of a second, and many tests ask.
var renderings sync.Map

// rendered is an overlay's objects, for the test to do with as it likes.
func rendered(t *testing.T, overlay string) []*unstructured.Unstructured {
	t.Helper()
	once, _ := renderings.LoadOrStore(overlay, sync.OnceValues(func() ([]*unstructured.Unstructured, error) {
		return Render(Options{Overlay: overlay})
	}))
	objects, err := once.(func() ([]*unstructured.Unstructured, error))()
	if err != nil {
		t.Fatal(err)
	}
	copies := make([]*unstructured.Unstructured, len(objects))
	for i, object := range objects {
		copies[i] = object.DeepCopy()
	}
	return copies
}

// all gives the objects of a kind as what they are.
func all[T any](t *testing.T, objects []*unstructured.Unstructured, kind string) map[string]T {
	t.Helper()
	found := map[string]T{}
	for _, object := range objects {
		if object.GetKind() != kind {
			continue
		}
		var typed T
		if err := runtime.DefaultUnstructuredConverter.FromUnstructuredWithValidation(object.Object, &typed, true); err != nil {
			t.Fatalf("%s: %v", describe(object), err)
		}
		found[object.GetName()] = typed
	}
	return found
}

// golden compares with a committed file, or rewrites it.
func golden(t *testing.T, path string, got []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v: `make generate` writes it", err)
	}
	if bytes.Equal(want, got) {
		return
	}
	gotLines, wantLines := strings.Split(string(got), "\n"), strings.Split(string(want), "\n")
	for i, line := range gotLines {
		if i >= len(wantLines) || line != wantLines[i] {
			t.Fatalf("%s is stale from line %d on: it should read\n\t%s\n`make generate` rewrites it; look at the difference before you commit it",
				path, i+1, line)
		}
	}
	t.Fatalf("%s is stale: it is longer than what is rendered; `make generate` rewrites it", path)
}

func TestTheOverlaysRenderAsTheirGoldenFilesSay(t *testing.T) {
	for _, overlay := range Overlays() {
		t.Run(overlay, func(t *testing.T) {
			text, err := YAML(withoutDashboards(rendered(t, overlay)))
			if err != nil {
				t.Fatal(err)
			}
			text = regexp.MustCompile(`grafana-provisioning-\w+`).ReplaceAll(text, []byte("grafana-provisioning-HASH"))
			golden(t, filepath.Join("testdata", overlay+".yaml"), text)
		})
	}
}

// withoutDashboards leaves out what has golden files of its own, in observability/grafana.
func withoutDashboards(objects []*unstructured.Unstructured) []*unstructured.Unstructured {
	for _, object := range objects {
		data, _, _ := unstructured.NestedMap(object.Object, "data") // what is no ConfigMap has none
		for key := range data {
			if strings.HasPrefix(key, "dashboards.") && strings.HasSuffix(key, ".json") {
				object.Object["data"].(map[string]any)[key] = "..."
			}
		}
	}
	return objects
}

func TestAnOverlayThatThereIsNotIsRefusedWithThoseThatThereAre(t *testing.T) {
	_, err := Render(Options{Overlay: "production"})
	if err == nil || !strings.Contains(err.Error(), "dev, staging, prod") {
		t.Errorf("got %v", err)
	}
}

func TestAnImageIsReplacedWhollyAndNoOther(t *testing.T) {
	for reference, want := range map[string]string{
		"faultline.local/postgres:18-abc":           "faultline.local/postgres:18-abc",
		"127.0.0.1:5000/x/postgres:18":              "127.0.0.1:5000/x/postgres:18",
		"postgres@sha256:" + strings.Repeat("0", 4): "postgres@sha256:0000",
		"postgres:18@sha256:0000":                   "postgres@sha256:0000",
	} {
		objects, err := Render(Options{Overlay: "dev", Images: map[string]string{"docker.io/library/postgres": reference}})
		if err != nil {
			t.Errorf("%s: %v", reference, err)
			continue
		}
		images := map[string]string{}
		for _, object := range objects {
			for _, c := range containers(t, object) {
				images[object.GetName()] = c["image"].(string)
			}
		}
		if images["postgres"] != want || images["prometheus"] != "docker.io/prom/prometheus:v3.16.0" {
			t.Errorf("%s gave %v", reference, images)
		}
	}
}

func TestAnImageThatIsNotSaidExactlyIsRefused(t *testing.T) {
	for name, reference := range map[string]string{
		"faultline.dev/orders": "orders", "faultline.dev/inventory": "registry.example:5000/inventory",
		"faultline.dev/payments": "payments:latest", "faultline.dev/storefront": "", "faultline.dev/order": "orders:1",
	} {
		if _, err := Render(Options{Overlay: "dev", Images: map[string]string{name: reference}}); err == nil {
			t.Errorf("%s=%s was taken", name, reference)
		}
	}
}

func containers(t *testing.T, object *unstructured.Unstructured) []map[string]any {
	t.Helper()
	list, _, err := unstructured.NestedSlice(object.Object, "spec", "template", "spec", "containers")
	if err != nil {
		t.Fatal(err)
	}
	var found []map[string]any
	for _, c := range list {
		found = append(found, c.(map[string]any))
	}
	return found
}

func TestSettingsThatCannotWorkAreRefusedWithTheirFile(t *testing.T) {
	const good = "scrapeInterval: 5s\nsloProfile: production\nautonomy: act\nalertGroupInterval: 1s\ntraceSampleRatio: 0.1\n" +
		"keep: {metrics: 96h, alerts: 6h, traces: 10}\n"
	if set, err := parseSettings("good", []byte(good)); err != nil || set.Keep.Metrics.Duration != 96*time.Hour {
		t.Fatalf("%+v, %v", set, err)
	}
	for name, change := range map[string][2]string{
		"a key that there is not":                     {"autonomy:", "autonmy:"},
		"a level that there is not":                   {"act", "acts"},
		"a profile that there is not":                 {"production", "prod"},
		"fewer samples than the rules look back over": {"96h", "48h"},
		"no trace at all":                             {"Ratio: 0.1", "Ratio: 0"},
		"more traces than there are":                  {"Ratio: 0.1", "Ratio: 10"},
		"no bound on traces":                          {"traces: 10", "traces: 0"},
		"no retention of alerts":                      {"alerts: 6h, ", ""},
	} {
		text := strings.Replace(good, change[0], change[1], 1)
		if _, err := parseSettings("overlays/x/settings.yaml", []byte(text)); err == nil || !strings.Contains(err.Error(), "overlays/x/settings.yaml") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
