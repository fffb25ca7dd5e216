package kubernetes

import (
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	dashboards "github.com/faultline-lab/faultline/observability/grafana"
)

func TestGrafanaCanBeLeftOutAndNothingElseGoesWithIt(t *testing.T) {
	each(t, func(t *testing.T, overlay string, with []*unstructured.Unstructured) {
		without, err := Render(Options{Overlay: overlay, WithoutGrafana: true})
		if err != nil {
			t.Fatal(err)
		}
		rest := map[string]bool{}
		for _, object := range without {
			rest[describe(object)] = true
		}
		for _, object := range with {
			if name := describe(object); rest[name] == strings.Contains(name, "/grafana") {
				t.Errorf("%s: without Grafana it is there: %v", name, rest[name])
			}
		}
		if len(with) == len(without) {
			t.Error("there is no Grafana anyway")
		}
	})
}

func TestGrafanaGetsTheFilesOfTheLocalOneWhereItLooksForThem(t *testing.T) {
	each(t, func(t *testing.T, overlay string, objects []*unstructured.Unstructured) {
		main := templates(t, objects)["grafana"].Spec
		volume := main.Volumes[slices.IndexFunc(main.Volumes, func(v corev1.Volume) bool { return v.Name == "provisioning" })].ConfigMap
		data := all[corev1.ConfigMap](t, objects, "ConfigMap")[volume.Name].Data
		if len(volume.Items) != len(data) {
			t.Errorf("%d files, and %d are mounted", len(data), len(volume.Items))
		}
		content := map[string]string{}
		for _, item := range volume.Items {
			content[item.Path] = data[item.Key]
		}
		for _, board := range dashboards.Dashboards() {
			if content["dashboards/"+board.File] != string(board.JSON) {
				t.Errorf("dashboard %s is not what observability/grafana has", board.File)
			}
		}
		if sources := content["datasources/faultline.yaml"]; !strings.Contains(sources, "http://prometheus:9090") {
			t.Errorf("the data sources are\n%s", sources)
		}
		at := slices.IndexFunc(main.Containers[0].VolumeMounts, func(m corev1.VolumeMount) bool { return m.Name == "provisioning" })
		provisioning := corev1.EnvVar{Name: "GF_PATHS_PROVISIONING", Value: main.Containers[0].VolumeMounts[at].MountPath}
		if !slices.Contains(main.Containers[0].Env, provisioning) {
			t.Errorf("its files are mounted at %s, and it is not told so", provisioning.Value)
		}
	})
}
