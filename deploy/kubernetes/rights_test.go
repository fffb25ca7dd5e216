package kubernetes

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	authv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

// as is the API server seen by a service account.
func as(t *testing.T, config *rest.Config, namespace, account string) *kubernetes.Clientset {
	t.Helper()
	config = rest.CopyConfig(config)
	config.Impersonate = rest.ImpersonationConfig{
		UserName: "system:serviceaccount:" + namespace + ":" + account,
		Groups:   []string{"system:serviceaccounts", "system:serviceaccounts:" + namespace, "system:authenticated"},
	}
	return clientOf(t, config)
}

// question is one `kubectl auth can-i`.
type question struct{ verb, group, resource, name string }

func (q question) String() string {
	return strings.Join([]string{q.verb, q.group, q.resource, q.name}, " ")
}

func canI(t *testing.T, client *kubernetes.Clientset, namespace string, q question) bool {
	t.Helper()
	resource, subresource, _ := strings.Cut(q.resource, "/")
	review, err := client.AuthorizationV1().SelfSubjectAccessReviews().Create(t.Context(), &authv1.SelfSubjectAccessReview{
		Spec: authv1.SelfSubjectAccessReviewSpec{ResourceAttributes: &authv1.ResourceAttributes{
			Namespace: namespace, Verb: q.verb, Group: q.group, Resource: resource, Subresource: subresource, Name: q.name,
		}},
	}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return review.Status.Allowed
}

var (
	sees = []question{
		{"list", "", "pods", ""},
		{"get", "", "pods", "orders-1"},
		{"list", "apps", "deployments", ""},
		{"list", "apps", "replicasets", ""},
		{"get", "apps", "deployments", "postgres"},
		{"get", "", "configmaps", "autoheal-off"},
		{"create", "", "events", ""},
		{"patch", "", "events", "x"},
	}
	acts = []question{
		{"create", "", "pods/eviction", "orders-1"},
		{"patch", "apps", "deployments", "orders"},
		{"patch", "apps", "deployments", "storefront"},
		{"patch", "apps", "deployments", "orders-standby"},
	}
	never = []question{
		{"get", "", "secrets", "postgres"},
		{"list", "", "secrets", ""},
		{"delete", "", "pods", "orders-1"},
		{"create", "", "pods", ""},
		{"patch", "", "pods", "orders-1"},
		{"create", "", "pods/exec", "orders-1"},
		{"get", "", "pods/log", "orders-1"},
		{"create", "", "pods/portforward", "orders-1"},
		{"patch", "apps", "deployments", "autoheal"},
		{"patch", "apps", "deployments", "prometheus"},
		{"patch", "apps", "deployments", ""},
		{"update", "apps", "deployments", "orders"},
		{"update", "apps", "deployments/scale", "orders"},
		{"patch", "apps", "deployments/scale", "orders"},
		{"patch", "apps", "deployments", "loadgen"},
		{"delete", "apps", "deployments", "orders"},
		{"create", "apps", "deployments", ""},
		{"patch", "apps", "statefulsets", "postgres"},
		{"update", "apps", "statefulsets/scale", "postgres"},
		{"patch", "apps", "replicasets", "orders-1"},
		{"create", "apps", "daemonsets", ""},
		{"create", "batch", "jobs", ""},
		{"get", "", "configmaps", "prometheus-rules"},
		{"list", "", "configmaps", ""},
		{"create", "", "configmaps", ""},
		{"delete", "", "configmaps", "autoheal-off"},
		{"patch", "", "configmaps", "autoheal-off"},
		{"patch", "policy", "poddisruptionbudgets", "orders"},
		{"delete", "policy", "poddisruptionbudgets", "orders"},
		{"patch", "", "services", "orders"},
		{"delete", "", "persistentvolumeclaims", "postgres"},
		{"create", "", "serviceaccounts/token", "autoheal"},
		{"impersonate", "", "serviceaccounts", "storefront"},
		{"patch", "rbac.authorization.k8s.io", "roles", "autoheal-acts"},
		{"create", "rbac.authorization.k8s.io", "rolebindings", ""},
		{"delete", "networking.k8s.io", "networkpolicies", "nobody"},
		{"list", "", "nodes", ""},
		{"list", "", "namespaces", ""},
		{"delete", "admissionregistration.k8s.io", "validatingadmissionpolicies", "faultline-autoheal-evicts"},
	}
)

// observes says in which overlays the healer has no right to act.
var observes = map[string]bool{"dev": false, "staging": false, "prod": true}

func TestTheHealerCanDoWhatItMustAndNothingElse(t *testing.T) {
	config := server(t)
	for _, overlay := range Overlays() {
		t.Run(overlay, func(t *testing.T) {
			namespace := Namespace(applied(t, config, overlay))
			healer := as(t, config, namespace, "autoheal")
			may, mayNot := slices.Concat(sees, acts), never
			if observes[overlay] {
				may, mayNot = sees, slices.Concat(acts, never)
			}
			// Roles reach the authoriser a moment after they were written, and so does their end.
			eventually(t, "the roles are in force", func() bool {
				return canI(t, healer, namespace, sees[0]) && canI(t, healer, namespace, acts[0]) != observes[overlay]
			})
			for _, q := range may {
				if !canI(t, healer, namespace, q) {
					t.Errorf("it must be able to: %s", q)
				}
			}
			for _, q := range mayNot {
				if canI(t, healer, namespace, q) {
					t.Errorf("it must not be able to: %s", q)
				}
			}
			for _, elsewhere := range []string{"default", "kube-system", ""} {
				for _, q := range slices.Concat(sees, acts, never) {
					if canI(t, healer, elsewhere, q) {
						t.Errorf("it must not be able to in namespace %q: %s", elsewhere, q)
					}
				}
			}
			if got, want := rightsOf(t, healer, namespace), expectedRules(overlay); !slices.Equal(got, want) {
				t.Errorf("its rules are\n\t%s\nwant\n\t%s", strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
			}
		})
	}
}

// rightsOf is everything that the account may do in the namespace, as the server sums it up, without what everybody may ask
// about themselves.
func rightsOf(t *testing.T, client *kubernetes.Clientset, namespace string) []string {
	t.Helper()
	review, err := client.AuthorizationV1().SelfSubjectRulesReviews().Create(t.Context(), &authv1.SelfSubjectRulesReview{
		Spec: authv1.SelfSubjectRulesReviewSpec{Namespace: namespace},
	}, metav1.CreateOptions{})
	if err != nil || review.Status.Incomplete {
		t.Fatalf("rules review: %v, %s", err, review.Status.EvaluationError)
	}
	var found []string
	for _, rule := range review.Status.ResourceRules {
		if slices.ContainsFunc(rule.Resources, func(r string) bool { return strings.HasPrefix(r, "selfsubject") }) {
			continue
		}
		found = append(found, fmt.Sprintf("%v of %v %v named %v", rule.Verbs, rule.APIGroups, rule.Resources, rule.ResourceNames))
	}
	slices.Sort(found)
	return found
}

func expectedRules(overlay string) []string {
	want := []string{
		"[get list] of [] [pods] named []",
		"[get list] of [apps] [deployments replicasets] named []",
		"[get] of [] [configmaps] named [autoheal-off]",
		"[create patch] of [] [events] named []",
	}
	if !observes[overlay] {
		want = append(want, "[create] of [] [pods/eviction] named []",
			"[patch] of [apps] [deployments] named [inventory orders orders-standby payments storefront]")
	}
	slices.Sort(want)
	return want
}

func TestTheOtherAccountsCanDoLittleOrNothing(t *testing.T) {
	config := server(t)
	for _, overlay := range Overlays() {
		t.Run(overlay, func(t *testing.T) {
			objects := applied(t, config, overlay)
			namespace := Namespace(objects)
			want := map[string][]string{
				"storefront": {"[get list watch] of [discovery.k8s.io] [endpointslices] named []"},
				"prometheus": {"[get list watch] of [] [pods] named []"},
			}
			for account := range all[corev1.ServiceAccount](t, objects, "ServiceAccount") {
				if account == "autoheal" {
					continue
				}
				var got []string
				eventually(t, account+" has its rights", func() bool {
					got = rightsOf(t, as(t, config, namespace, account), namespace)
					return len(got) == len(want[account])
				})
				if !slices.Equal(got, want[account]) {
					t.Errorf("%s may %v, want %v", account, got, want[account])
				}
			}
		})
	}
}

// evict asks for an eviction that is checked and not done.
func evict(ctx context.Context, client *kubernetes.Clientset, namespace, pod string) error {
	return client.PolicyV1().Evictions(namespace).Evict(ctx, &policyv1.Eviction{
		ObjectMeta:    metav1.ObjectMeta{Name: pod, Namespace: namespace},
		DeleteOptions: &metav1.DeleteOptions{DryRun: []string{metav1.DryRunAll}},
	})
}

// podsOf waits for the pods that the controllers make for each workload.
func podsOf(t *testing.T, client *kubernetes.Clientset, namespace string, workloads []string) map[string]string {
	t.Helper()
	found := map[string]string{}
	eventually(t, "the controllers make pods", func() bool {
		list, err := client.CoreV1().Pods(namespace).List(t.Context(), metav1.ListOptions{})
		if err != nil {
			t.Fatal(err)
		}
		clear(found)
		for _, pod := range list.Items {
			if pod.DeletionTimestamp == nil {
				found[pod.Labels["app.kubernetes.io/name"]] = pod.Name
			}
		}
		return !slices.ContainsFunc(workloads, func(w string) bool { return found[w] == "" })
	})
	return found
}

func TestTheHealerMayEvictPodsOfOptedInWorkloadsOnly(t *testing.T) {
	config := server(t)
	for _, overlay := range []string{"dev", "staging"} {
		t.Run(overlay, func(t *testing.T) {
			namespace := Namespace(applied(t, config, overlay))
			optedIn := []string{"inventory", "orders", "payments", "storefront"} // orders-standby has no pod
			others := []string{"alertmanager", "autoheal", "jaeger", "loadgen", "loki", "postgres", "prometheus"}
			pods := podsOf(t, clientOf(t, config), namespace, slices.Concat(optedIn, others))
			healer := as(t, config, namespace, "autoheal")
			// A policy is in force a moment after it was written; the first refusal is its own proof.
			eventually(t, "the policy is in force", func() bool {
				return apierrors.IsForbidden(evict(t.Context(), healer, namespace, pods["postgres"]))
			})
			for _, workload := range others {
				err := evict(t.Context(), healer, namespace, pods[workload])
				if !apierrors.IsForbidden(err) || !strings.Contains(err.Error(), "may not evict "+pods[workload]) {
					t.Errorf("%s: %v", pods[workload], err)
				}
			}
			for _, workload := range optedIn {
				if err := evict(t.Context(), healer, namespace, pods[workload]); err != nil {
					t.Errorf("%s: %v", pods[workload], err)
				}
			}
			if err := evict(t.Context(), clientOf(t, config), namespace, pods["postgres"]); err != nil {
				t.Errorf("the policy is about the healer, but it refuses the administrator: %v", err)
			}
		})
	}
}

func TestTheHealerMayChangeOptedInWorkloadsOnlyAndNotWhoTheyAre(t *testing.T) {
	config := server(t)
	admin, ctx := clientOf(t, config), t.Context()
	namespace := Namespace(applied(t, config, "dev"))
	healer := as(t, config, namespace, "autoheal")
	patch := func(client *kubernetes.Clientset, name, body string, options metav1.PatchOptions) error {
		_, err := client.AppsV1().Deployments(namespace).Patch(ctx, name, types.MergePatchType, []byte(body), options)
		return err
	}
	dry := metav1.PatchOptions{DryRun: []string{metav1.DryRunAll}}
	const (
		version  = `{"spec":{"template":{"metadata":{"labels":{"app.kubernetes.io/version":"v0"}}}}}`
		optOut   = `{"metadata":{"labels":{"faultline.dev/autoheal":null}}}`
		podsOut  = `{"spec":{"template":{"metadata":{"labels":{"faultline.dev/autoheal":null}}}}}`
		identity = `{"spec":{"template":{"spec":{"serviceAccountName":"autoheal","serviceAccount":"autoheal"}}}}`
		token    = `{"spec":{"template":{"spec":{"automountServiceAccountToken":true}}}}`
		volume   = `{"spec":{"template":{"spec":{"volumes":[{"name":"stolen","secret":{"secretName":"postgres"}}]}}}}`
	)
	eventually(t, "the policy is in force", func() bool { return apierrors.IsForbidden(patch(healer, "orders", identity, dry)) })
	if err := patch(healer, "orders", version, dry); err != nil {
		t.Errorf("another pod template: %v", err)
	}
	for name, body := range map[string]string{
		"opting out": optOut, "opting its pods out": podsOut, "another account": identity, "its account's token": token, "another volume": volume,
	} {
		if err := patch(healer, "orders", body, dry); !apierrors.IsForbidden(err) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// Somebody opts payments out, while the role still lists it: the label decides.
	if err := patch(admin, "payments", optOut, metav1.PatchOptions{}); err != nil {
		t.Fatal(err)
	}
	err := patch(healer, "payments", version, dry)
	if !apierrors.IsForbidden(err) || !strings.Contains(err.Error(), "no label faultline.dev/autoheal") {
		t.Errorf("a workload that is opted out: %v", err)
	}
	applied(t, config, "dev") // and back in
	if err := patch(healer, "payments", version, dry); err != nil {
		t.Errorf("opted in again: %v", err)
	}
}
