package kubernetes

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/duration"
)

const header = `# What differs between the overlays

Read from what ` + "`stack render`" + ` writes, by a test of deploy/kubernetes; ` + "`make generate`" + ` rewrites it. These are the main
differences; ` + "`stack render`" + ` shows all, such as sizes of what is not named here.

`

// facet is one line of the table.
type facet struct {
	name string
	of   func(o overlay) string
}

// overlay is what a facet looks at.
type overlay struct {
	*testing.T
	settings
	objects []*unstructured.Unstructured
	pods    map[string]corev1.PodTemplateSpec
}

func facets() []facet {
	list := []facet{
		{"namespace", func(o overlay) string { return Namespace(o.objects) }},
		{"SLO profile", func(o overlay) string { return o.SLOProfile }},
		{"scrape and rule interval", func(o overlay) string { return o.ScrapeInterval.Duration.String() }},
		{"pool alert looks back", overlay.poolWindow},
		{"healer", func(o overlay) string { return o.Autonomy }},
		{"healer's rights to evict, scale, roll back", overlay.rightsToAct},
		{"synthetic load", func(o overlay) string { return yesNo(o.pods["loadgen"].Spec.Containers != nil) }},
	}
	for _, name := range []string{"storefront", "orders", "inventory", "payments"} {
		list = append(list, facet{"replicas of " + name, func(o overlay) string { return o.replicas(name) }})
	}
	list = append(
		list,
		facet{"disruption budgets", overlay.budgets},
		facet{"connections: orders, inventory, server", overlay.connections},
		facet{"spread over nodes and zones", func(o overlay) string { return yesNo(len(o.pods["orders"].Spec.TopologySpreadConstraints) > 0) }},
	)
	for _, name := range []string{"orders", "autoheal", "postgres", "prometheus", "loki", "jaeger"} {
		list = append(list, facet{"CPU and memory of " + name, func(o overlay) string { return o.resources(name) }})
	}
	return append(
		list,
		facet{"Postgres survives a power cut", overlay.durable},
		facet{"data that outlives its pod", overlay.storage},
		facet{"metrics kept", func(o overlay) string { return long(o.Keep.Metrics.Duration) }},
		facet{"alerts kept", func(o overlay) string { return long(o.Keep.Alerts.Duration) }},
		facet{"logs kept", overlay.logs},
		facet{"share of traces kept, of orders", overlay.sampled},
		facet{"traces kept", func(o overlay) string { return fmt.Sprint(o.Keep.Traces) }},
		facet{"ports of the node", overlay.nodePorts},
		facet{"network policies of its own", overlay.policies},
	)
}

func TestTheTableOfDifferencesIsUpToDateAndTheOverlaysTrulyDiffer(t *testing.T) {
	var seen []overlay
	for _, name := range Overlays() {
		objects := rendered(t, name)
		path := filepath.Join("overlays", name, "settings.yaml")
		data, err := tree.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		set, err := parseSettings(path, data)
		if err != nil {
			t.Fatal(err)
		}
		seen = append(seen, overlay{t, set, objects, templates(t, objects)})
	}
	var out strings.Builder
	fmt.Fprintf(&out, "%s| | %s |\n|---|%s\n", header, strings.Join(Overlays(), " | "), strings.Repeat("---|", len(seen)))
	for _, f := range facets() {
		var cells []string
		for _, o := range seen {
			cells = append(cells, f.of(o))
		}
		if len(slices.Compact(slices.Clone(cells))) == 1 {
			t.Errorf("%s is %q everywhere: take it out of the table", f.name, cells[0])
		}
		fmt.Fprintf(&out, "| %s | %s |\n", f.name, strings.Join(cells, " | "))
	}
	golden(t, "../../docs/kubernetes.md", []byte(out.String()))
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

func long(d time.Duration) string { return duration.HumanDuration(d) }

// poolWindow is read from the rule itself.
func (o overlay) poolWindow() string {
	o.Helper()
	for name, m := range all[corev1.ConfigMap](o.T, o.objects, "ConfigMap") {
		if strings.HasPrefix(name, "prometheus-rules-") {
			_, rest, _ := strings.Cut(m.Data["pool.rules.yml"], "increase(db_client_connection_timeouts_total[")
			window, _, ok := strings.Cut(rest, "]")
			if !ok {
				o.Fatal("the pool's rule has no window")
			}
			return window
		}
	}
	o.Fatal("there are no rules")
	return ""
}

func (o overlay) rightsToAct() string {
	_, has := all[rbacv1.Role](o.T, o.objects, "Role")["autoheal-acts"]
	if has != (o.Autonomy != "observe") {
		o.Errorf("autonomy is %s, and the role to act is there: %v", o.Autonomy, has)
	}
	for _, env := range o.pods["autoheal"].Spec.Containers[0].Env {
		if env.Name == "FAULTLINE_AUTONOMY" && env.Value != o.Autonomy {
			o.Errorf("autonomy is %s, and the healer is told %s", o.Autonomy, env.Value)
		}
	}
	return yesNo(has)
}

func (o overlay) replicas(name string) string {
	return fmt.Sprint(*all[appsv1.Deployment](o.T, o.objects, "Deployment")[name].Spec.Replicas)
}

func (o overlay) budgets() string {
	var cells []string
	budgets := all[policyv1.PodDisruptionBudget](o.T, o.objects, "PodDisruptionBudget")
	for _, name := range slices.Sorted(maps.Keys(budgets)) {
		switch spec := budgets[name].Spec; {
		case spec.MinAvailable != nil:
			cells = append(cells, fmt.Sprintf("%s: %s stay", name, spec.MinAvailable))
		case spec.MaxUnavailable != nil:
			cells = append(cells, fmt.Sprintf("%s: %s may go", name, spec.MaxUnavailable))
		}
	}
	return strings.Join(cells, ", ")
}

func (o overlay) connections() string {
	return fmt.Sprintf("%s x %d, %s x %d, %d", o.replicas("orders"), flagValue(o.T, o.pods["orders"], "pool-max"),
		o.replicas("inventory"), flagValue(o.T, o.pods["inventory"], "pool-max"), flagValue(o.T, o.pods["postgres"], "max_connections"))
}

func (o overlay) resources(name string) string {
	r := o.pods[name].Spec.Containers[0].Resources
	return fmt.Sprintf("%s to %s, %s to %s", r.Requests.Cpu(), r.Limits.Cpu(), r.Requests.Memory(), r.Limits.Memory())
}

func (o overlay) durable() string {
	return yesNo(!slices.Contains(o.pods["postgres"].Spec.Containers[0].Args, "--fsync=off"))
}

func (o overlay) storage() string {
	claims := all[corev1.PersistentVolumeClaim](o.T, o.objects, "PersistentVolumeClaim")
	var cells []string
	for _, name := range slices.Sorted(maps.Keys(claims)) {
		asked := claims[name].Spec.Resources.Requests
		cells = append(cells, fmt.Sprintf("%s %s", name, asked.Storage()))
	}
	return strings.Join(cells, ", ")
}

// sampled is what the edge is told; the traces of the healer are all kept everywhere.
func (o overlay) sampled() string {
	shares := map[string]string{}
	for name, template := range o.pods {
		for _, env := range template.Spec.Containers[0].Env {
			if env.Name == "FAULTLINE_TRACE_SAMPLE_RATIO" {
				shares[name] = env.Value
			}
		}
	}
	for name, template := range o.pods {
		ours, want := template.Labels["app.kubernetes.io/part-of"] == "faultline", shares["storefront"]
		if name == "autoheal" {
			want = "1"
		}
		if share, has := shares[name]; has != ours || ours && share != want {
			o.Errorf("%s is told to keep %q of its traces, want %q", name, share, want)
		}
	}
	return shares["storefront"]
}

func (o overlay) logs() string {
	if o.Keep.Logs.Duration == 0 {
		return "as long as Loki's pod"
	}
	return long(o.Keep.Logs.Duration)
}

func (o overlay) nodePorts() string {
	open := 0
	for _, service := range all[corev1.Service](o.T, o.objects, "Service") {
		for _, port := range service.Spec.Ports {
			if port.NodePort != 0 {
				open++
			}
		}
	}
	return fmt.Sprint(open)
}

// policies are those that overlay prod has not, which has those of the base only.
func (o overlay) policies() string {
	base := all[networkingv1.NetworkPolicy](o.T, rendered(o.T, "prod"), "NetworkPolicy")
	var own []string
	for name := range all[networkingv1.NetworkPolicy](o.T, o.objects, "NetworkPolicy") {
		if _, ok := base[name]; !ok {
			own = append(own, name)
		}
	}
	slices.Sort(own)
	if len(own) == 0 {
		return "none"
	}
	return strings.Join(own, ", ")
}
