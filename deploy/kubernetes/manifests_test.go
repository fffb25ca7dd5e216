package kubernetes

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/faultline-lab/faultline/deploy/local/postgres"
)

const optIn = "faultline.dev/autoheal"

// templates are the pod templates of an overlay, by the name of their workload.
func templates(t *testing.T, objects []*unstructured.Unstructured) map[string]corev1.PodTemplateSpec {
	t.Helper()
	found := map[string]corev1.PodTemplateSpec{}
	for name, d := range all[appsv1.Deployment](t, objects, "Deployment") {
		found[name] = d.Spec.Template
	}
	for name, s := range all[appsv1.StatefulSet](t, objects, "StatefulSet") {
		found[name] = s.Spec.Template
	}
	return found
}

// each runs a check on every overlay.
func each(t *testing.T, check func(t *testing.T, overlay string, objects []*unstructured.Unstructured)) {
	for _, overlay := range Overlays() {
		t.Run(overlay, func(t *testing.T) { check(t, overlay, rendered(t, overlay)) })
	}
}

func TestTheHealersListOfWorkloadsIsThatOfTheOptInLabels(t *testing.T) {
	each(t, func(t *testing.T, overlay string, objects []*unstructured.Unstructured) {
		var labelled []string
		for name, d := range all[appsv1.Deployment](t, objects, "Deployment") {
			onIt, onPods := d.Labels[optIn] == "enabled", d.Spec.Template.Labels[optIn] == "enabled"
			if onIt != onPods {
				t.Errorf("%s: opted in %v, its pods %v", name, onIt, onPods)
			}
			if onIt {
				labelled = append(labelled, name)
			}
		}
		slices.Sort(labelled)
		if want := []string{"inventory", "orders", "orders-standby", "payments", "storefront"}; !slices.Equal(labelled, want) {
			t.Errorf("opted in are %v, want the patient: %v", labelled, want)
		}
		role, ok := all[rbacv1.Role](t, objects, "Role")["autoheal-acts"]
		if !ok {
			return // it observes; the test of its rights says in which overlay
		}
		for _, rule := range role.Rules {
			if slices.Contains(rule.APIGroups, "apps") && !slices.Equal(slices.Sorted(slices.Values(rule.ResourceNames)), labelled) {
				t.Errorf("role autoheal-acts lists %v for %v, but opted in are %v", rule.ResourceNames, rule.Resources, labelled)
			}
			for _, resource := range rule.Resources {
				if strings.HasPrefix(resource, "deployments") && len(rule.ResourceNames) == 0 {
					t.Errorf("role autoheal-acts names nobody for %s, which is everybody", resource)
				}
			}
		}
	})
}

func TestOurProgramsAreWhatPrometheusAndTheHealerLookFor(t *testing.T) {
	each(t, func(t *testing.T, overlay string, objects []*unstructured.Unstructured) {
		want := []string{"autoheal", "inventory", "orders", "orders-standby", "payments", "storefront"}
		if overlay != "prod" {
			want = []string{"autoheal", "inventory", "loadgen", "orders", "orders-standby", "payments", "storefront"}
		}
		var ours []string
		for name, template := range templates(t, objects) {
			if template.Labels["app.kubernetes.io/part-of"] != "faultline" {
				continue
			}
			ours = append(ours, name)
			main := template.Spec.Containers[0]
			if template.Labels["app.kubernetes.io/name"] != name || template.Labels["app.kubernetes.io/version"] == "" {
				t.Errorf("%s: labels %v", name, template.Labels)
			}
			open := map[string]int32{}
			for _, port := range main.Ports {
				open[port.Name] = port.ContainerPort
			}
			want := map[string]int32{"http": 8080}
			if name == "storefront" {
				want["control"] = 8081
			}
			if !maps.Equal(open, want) {
				t.Errorf("%s: ports %v, want %v", name, open, want)
			}
			if main.StartupProbe == nil || main.ReadinessProbe == nil || main.LivenessProbe == nil {
				t.Errorf("%s has not all three probes", name)
			}
		}
		slices.Sort(ours)
		if !slices.Equal(ours, want) {
			t.Errorf("part of faultline are %v, want %v", ours, want)
		}
	})
}

func TestWhateverHasSeveralReplicasHasABudgetThatLetsOneGo(t *testing.T) {
	each(t, func(t *testing.T, overlay string, objects []*unstructured.Unstructured) {
		budgets := all[policyv1.PodDisruptionBudget](t, objects, "PodDisruptionBudget")
		for name, d := range all[appsv1.Deployment](t, objects, "Deployment") {
			budget, has := budgets[name]
			if has != (*d.Spec.Replicas > 1) {
				t.Errorf("%s: %d replicas, a budget: %v", name, *d.Spec.Replicas, has)
			}
			if !has {
				continue
			}
			if minimum := budget.Spec.MinAvailable; minimum != nil && minimum.IntVal >= *d.Spec.Replicas {
				t.Errorf("%s: %d of %d must stay: nobody could ever be restarted", name, minimum.IntVal, *d.Spec.Replicas)
			}
			if policy := budget.Spec.UnhealthyPodEvictionPolicy; policy == nil || *policy != policyv1.AlwaysAllow {
				t.Errorf("%s: sick pods could not be evicted", name)
			}
			if !maps.Equal(budget.Spec.Selector.MatchLabels, d.Spec.Selector.MatchLabels) {
				t.Errorf("%s: the budget selects %v", name, budget.Spec.Selector.MatchLabels)
			}
		}
	})
}

// flagValue is the value of --name=N on a container's command line.
func flagValue(t *testing.T, template corev1.PodTemplateSpec, name string) int {
	t.Helper()
	for _, arg := range template.Spec.Containers[0].Args {
		if text, ok := strings.CutPrefix(arg, "--"+name+"="); ok {
			n, err := strconv.Atoi(text)
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
	}
	t.Fatalf("there is no --%s among %v", name, template.Spec.Containers[0].Args)
	return 0
}

// probe is the connection on which a replica measures its round trips.
const probe = 1

func TestThePoolsOfAllReplicasFitIntoTheServer(t *testing.T) {
	each(t, func(t *testing.T, overlay string, objects []*unstructured.Unstructured) {
		pods := templates(t, objects)
		server := pods["postgres"]
		room := flagValue(t, server, "max_connections") - flagValue(t, server, "superuser_reserved_connections") -
			flagValue(t, server, "reserved_connections")
		if flagValue(t, server, "reserved_connections") < 2 {
			t.Error("the healer has no slot of its own")
		}
		var sum int
		for name, d := range all[appsv1.Deployment](t, objects, "Deployment") {
			if name != "orders" && name != "inventory" {
				continue
			}
			// One more while rolling out: a quarter of the replicas, rounded up, is Kubernetes' default.
			surge := (int(*d.Spec.Replicas) + 3) / 4
			sum += (int(*d.Spec.Replicas) + surge) * (flagValue(t, pods[name], "pool-max") + probe)
		}
		if sum > room {
			t.Errorf("the pools want %d connections while rolling out, and there are %d", sum, room)
		}
	})
}

func TestPostgresOfDevHasTheSettingsOfTheLocalOne(t *testing.T) {
	var local []string
	for _, arg := range postgres.ContainerArguments(postgres.Config{}) {
		if arg != "-c" {
			local = append(local, "--"+arg)
		}
	}
	dev := slices.Sorted(slices.Values(templates(t, rendered(t, "dev"))["postgres"].Spec.Containers[0].Args))
	slices.Sort(local)
	if !slices.Equal(dev, local) {
		t.Errorf("dev has\n\t%s\nand the local one\n\t%s", strings.Join(dev, "\n\t"), strings.Join(local, "\n\t"))
	}
}

func TestEveryNetworkPolicyNamesPodsAndPortsThatThereAre(t *testing.T) {
	each(t, func(t *testing.T, overlay string, objects []*unstructured.Unstructured) {
		pods := templates(t, objects)
		policies := all[networkingv1.NetworkPolicy](t, objects, "NetworkPolicy")
		if nobody := policies["nobody"]; len(nobody.Spec.Ingress) != 0 || len(nobody.Spec.PodSelector.MatchLabels) != 0 {
			t.Errorf("what no policy allows is allowed: %+v", nobody.Spec)
		}
		for name, policy := range policies {
			for _, ingress := range policy.Spec.Ingress {
				for _, port := range ingress.Ports {
					if !hasPort(pods, policy.Spec.PodSelector.MatchLabels, *port.Port) {
						t.Errorf("%s: no pod that it is about has port %s", name, port.Port)
					}
				}
				for _, from := range ingress.From {
					if from.PodSelector != nil && !anyMatches(pods, from.PodSelector.MatchLabels) {
						t.Errorf("%s: nobody is %v", name, from.PodSelector.MatchLabels)
					}
				}
			}
		}
	})
}

func anyMatches(pods map[string]corev1.PodTemplateSpec, labels map[string]string) bool {
	for _, template := range pods {
		if selects(labels, template.Labels) {
			return true
		}
	}
	return false
}

func hasPort(pods map[string]corev1.PodTemplateSpec, labels map[string]string, port intstr.IntOrString) bool {
	for _, template := range pods {
		for _, p := range template.Spec.Containers[0].Ports {
			if selects(labels, template.Labels) && p.Name == port.StrVal {
				return true
			}
		}
	}
	return false
}

func TestOnlyDevOpensTheNodesPortsAndTheyAreThoseOfTheContract(t *testing.T) {
	contract := map[string]int32{
		"storefront:8080": 30080, "autoheal:8080": 30090, "loadgen:8080": 30131, "postgres:5432": 30433,
		"alertmanager:9093": 30093, "loki:3100": 30100, "jaeger-page:16686": 30686, "prometheus:9090": 30190,
		"jaeger-page:4318": 30418, "grafana:3000": 30300,
	}
	each(t, func(t *testing.T, overlay string, objects []*unstructured.Unstructured) {
		open := map[string]int32{}
		for name, service := range all[corev1.Service](t, objects, "Service") {
			for _, port := range service.Spec.Ports {
				if port.NodePort != 0 {
					open[at(name, int(port.Port))] = port.NodePort
				}
				if port.NodePort == 0 && service.Spec.Type == corev1.ServiceTypeNodePort {
					t.Errorf("%s: port %s is given any port of the node", name, port.Name)
				}
			}
		}
		if overlay != "dev" {
			contract = map[string]int32{}
		}
		if !maps.Equal(open, contract) {
			t.Errorf("open are %v, want %v", open, contract)
		}
	})
}

func TestEveryFileAndAccountOfAPodIsThere(t *testing.T) {
	secrets := []string{"postgres", "autoheal", "storefront"} // made by `stack kind up`, or by whoever applies the overlay
	each(t, func(t *testing.T, overlay string, objects []*unstructured.Unstructured) {
		maps, claims := all[corev1.ConfigMap](t, objects, "ConfigMap"), all[corev1.PersistentVolumeClaim](t, objects, "PersistentVolumeClaim")
		accounts := all[corev1.ServiceAccount](t, objects, "ServiceAccount")
		for name, template := range templates(t, objects) {
			if account, ok := accounts[template.Spec.ServiceAccountName]; !ok || *account.AutomountServiceAccountToken {
				t.Errorf("%s: account %q: there %v, or with a token for everybody", name, template.Spec.ServiceAccountName, ok)
			}
			for _, volume := range template.Spec.Volumes {
				switch {
				case volume.ConfigMap != nil:
					if _, ok := maps[volume.ConfigMap.Name]; !ok {
						t.Errorf("%s: there is no ConfigMap %s", name, volume.ConfigMap.Name)
					}
				case volume.PersistentVolumeClaim != nil:
					if _, ok := claims[volume.PersistentVolumeClaim.ClaimName]; !ok {
						t.Errorf("%s: there is no claim %s", name, volume.PersistentVolumeClaim.ClaimName)
					}
				case volume.Secret != nil:
					if !slices.Contains(secrets, volume.Secret.SecretName) {
						t.Errorf("%s: nobody makes secret %s", name, volume.Secret.SecretName)
					}
				}
			}
			if mounted, wants := *orFalse(template.Spec.AutomountServiceAccountToken), slices.Contains(
				[]string{"storefront", "prometheus", "autoheal"}, name); mounted != wants {
				t.Errorf("%s: has a token of the API server: %v, want %v", name, mounted, wants)
			}
		}
	})
}

func orFalse(b *bool) *bool {
	if b == nil {
		return new(false)
	}
	return b
}

func TestNoSecretStandsInAManifest(t *testing.T) {
	each(t, func(t *testing.T, overlay string, objects []*unstructured.Unstructured) {
		for _, object := range objects {
			if object.GetKind() == "Secret" {
				t.Errorf("%s is rendered", describe(object))
			}
		}
		for name, template := range templates(t, objects) {
			for _, env := range template.Spec.Containers[0].Env {
				if strings.Contains(env.Name, "PASSWORD") && env.Value != "" {
					t.Errorf("%s: %s has a value", name, env.Name)
				}
			}
		}
	})
}

// What is asked for is the soft limit of Go's heap, so it must lie clearly below the hard one.
func TestEveryContainerHasRequestsAndALimitAboveThem(t *testing.T) {
	each(t, func(t *testing.T, overlay string, objects []*unstructured.Unstructured) {
		for name, template := range templates(t, objects) {
			resources := template.Spec.Containers[0].Resources
			request, limit := resources.Requests.Memory().Value(), resources.Limits.Memory().Value()
			if request == 0 || limit < 2*request-1 && name != "postgres" || resources.Requests.Cpu().IsZero() || resources.Limits.Cpu().IsZero() {
				t.Errorf("%s: asks for %v, is allowed %v", name, resources.Requests, resources.Limits)
			}
		}
	})
}

func TestWhatIsPrunedIsEveryKindThatThereIsButDataAndTheNamespace(t *testing.T) {
	keep := []string{"Namespace", "PersistentVolumeClaim"}
	known := map[string]bool{}
	for _, kind := range prunable() {
		known[fmt.Sprint(kind.GroupVersion(), "/", kind.Kind)] = true
	}
	each(t, func(t *testing.T, overlay string, objects []*unstructured.Unstructured) {
		for _, object := range objects {
			kind := object.GroupVersionKind()
			pruned, kept := known[fmt.Sprint(kind.GroupVersion(), "/", kind.Kind)], slices.Contains(keep, kind.Kind)
			if pruned == kept {
				t.Errorf("%s: pruned when it is gone %v, to be kept %v", describe(object), pruned, kept)
			}
			if object.GetLabels()[managedBy] != FieldManager {
				t.Errorf("%s has no label %s: a later apply would not find it", describe(object), managedBy)
			}
			if ofCluster(kind) != (object.GetNamespace() == "" && kind.Kind != "Namespace") {
				t.Errorf("%s: namespace %q", describe(object), object.GetNamespace())
			}
			if ofCluster(kind) && (object.GetLabels()[inNamespace] != Namespace(objects) || !strings.HasPrefix(object.GetName(), Namespace(objects)+"-")) {
				t.Errorf("%s does not say whose it is: another overlay would take it over", describe(object))
			}
			if object.GetNamespace() != "" && object.GetNamespace() != Namespace(objects) {
				t.Errorf("%s is in namespace %s, not %s", describe(object), object.GetNamespace(), Namespace(objects))
			}
		}
	})
}
