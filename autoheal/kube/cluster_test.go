package kube_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/faultline-lab/faultline/autoheal/kube"
	"github.com/faultline-lab/faultline/autoheal/workload"
	"github.com/faultline-lab/faultline/autoheal/workload/workloadtest"
)

// kubeconfigVariable names a kubeconfig of a throwaway API server, with the rights of an administrator.
const kubeconfigVariable = "FAULTLINE_TEST_KUBECONFIG"

// cluster is a namespace of its own on a real API server, with controllers that make pods and no node that runs them: the
// test's own kubelet says that they run.
type cluster struct {
	t         *testing.T
	namespace string
	config    *rest.Config
	admin     kubernetes.Interface
}

func newCluster(t *testing.T) *cluster {
	t.Helper()
	path := os.Getenv(kubeconfigVariable)
	if path == "" {
		text := fmt.Sprintf("NOT TESTED: %s needs a real API server: `stack apiserver -- go test ./autoheal/kube/...` gives it one (%s)",
			t.Name(), kubeconfigVariable)
		if os.Getenv("CI") == "true" {
			t.Fatal(text)
		}
		t.Skip(text)
	}
	config, err := clientcmd.BuildConfigFromFlags("", path)
	if err != nil {
		t.Fatal(err)
	}
	config.QPS, config.Burst = 500, 500
	admin, err := kubernetes.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	made, err := admin.CoreV1().Namespaces().Create(t.Context(), &corev1.Namespace{
		ObjectMeta: metav1.ObjectMeta{GenerateName: "healer-"},
	}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	c := &cluster{t: t, namespace: made.Name, config: config, admin: admin}
	c.runKubelet()
	t.Cleanup(func() {
		if err := admin.CoreV1().Namespaces().Delete(context.Background(), made.Name, metav1.DeleteOptions{}); err != nil {
			t.Error(err)
		}
	})
	c.eventually("pods can be made", func() bool {
		_, err := admin.CoreV1().ServiceAccounts(c.namespace).Get(t.Context(), "default", metav1.GetOptions{})
		return err == nil
	})
	return c
}

// deploy makes a Deployment as deploy/kubernetes does, and waits until it is rolled out. Labels are added to its own and
// to its pods'.
func (c *cluster) deploy(name, version string, replicas int32, labels map[string]string) {
	c.t.Helper()
	selector := map[string]string{"app.kubernetes.io/name": name}
	own := map[string]string{"app.kubernetes.io/name": name, "app.kubernetes.io/part-of": "faultline"}
	for key, value := range labels {
		own[key] = value
	}
	pods := map[string]string{"app.kubernetes.io/version": version}
	for key, value := range own {
		pods[key] = value
	}
	_, err := c.admin.AppsV1().Deployments(c.namespace).Create(c.t.Context(), &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: own},
		Spec: appsv1.DeploymentSpec{
			Replicas: &replicas, Selector: &metav1.LabelSelector{MatchLabels: selector},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: pods},
				Spec: corev1.PodSpec{
					TerminationGracePeriodSeconds: new(int64(3)),
					Containers: []corev1.Container{{
						Name: name, Image: "faultline.dev/" + name,
						Ports: []corev1.ContainerPort{{Name: "http", ContainerPort: 8080}},
					}},
				},
			},
		},
	}, metav1.CreateOptions{})
	if err != nil {
		c.t.Fatal(err)
	}
	c.rolledOut(name)
}

// release rolls another version out.
func (c *cluster) release(name, version string) {
	c.t.Helper()
	c.eventually("the new template is taken", func() bool {
		d, err := c.admin.AppsV1().Deployments(c.namespace).Get(c.t.Context(), name, metav1.GetOptions{})
		if err != nil {
			return false
		}
		d.Spec.Template.Labels["app.kubernetes.io/version"] = version
		_, err = c.admin.AppsV1().Deployments(c.namespace).Update(c.t.Context(), d, metav1.UpdateOptions{})
		return err == nil
	})
	c.rolledOut(name)
}

func (c *cluster) rolledOut(name string) {
	c.t.Helper()
	c.eventually(name+" is rolled out", func() bool {
		d, err := c.admin.AppsV1().Deployments(c.namespace).Get(c.t.Context(), name, metav1.GetOptions{})
		if err != nil || d.Status.ObservedGeneration < d.Generation || d.Status.UpdatedReplicas != *d.Spec.Replicas ||
			d.Status.AvailableReplicas != *d.Spec.Replicas {
			return false
		}
		pods, err := c.admin.CoreV1().Pods(c.namespace).List(c.t.Context(), metav1.ListOptions{LabelSelector: "app.kubernetes.io/name=" + name})
		return err == nil && len(pods.Items) == int(*d.Spec.Replicas)
	})
}

// account is the healer's service account: what it may is the least that the adapter needs, so that a test fails when the
// adapter begins to need more. deploy/kubernetes grants the same.
const account = "autoheal"

func rights() []rbacv1.PolicyRule {
	const named = workloadtest.Name
	return []rbacv1.PolicyRule{
		{APIGroups: []string{""}, Resources: []string{"pods"}, Verbs: []string{"get", "list"}},
		{APIGroups: []string{""}, Resources: []string{"pods/eviction"}, Verbs: []string{"create"}},
		{APIGroups: []string{""}, Resources: []string{"events"}, Verbs: []string{"create", "patch"}},
		{APIGroups: []string{""}, Resources: []string{"configmaps"}, ResourceNames: []string{"autoheal-off"}, Verbs: []string{"get"}},
		{APIGroups: []string{"apps"}, Resources: []string{"deployments", "replicasets"}, Verbs: []string{"get", "list"}},
		{APIGroups: []string{"apps"}, Resources: []string{"deployments"}, ResourceNames: []string{named}, Verbs: []string{"patch"}},
	}
}

// grant lets the account do what the adapter needs in this namespace.
func (c *cluster) grant() {
	c.t.Helper()
	roles := c.admin.RbacV1()
	_, err := roles.Roles(c.namespace).Create(c.t.Context(), &rbacv1.Role{
		ObjectMeta: metav1.ObjectMeta{Name: account}, Rules: rights(),
	}, metav1.CreateOptions{})
	if err != nil {
		c.t.Fatal(err)
	}
	_, err = roles.RoleBindings(c.namespace).Create(c.t.Context(), &rbacv1.RoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: account},
		Subjects:   []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Name: account, Namespace: c.namespace}},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: account},
	}, metav1.CreateOptions{})
	if err != nil {
		c.t.Fatal(err)
	}
	c.eventually("the account may read", func() bool {
		_, err := c.client().CoreV1().Pods(c.namespace).List(c.t.Context(), metav1.ListOptions{})
		return err == nil
	})
}

// connect is what the program itself connects with, as the healer's account.
func (c *cluster) connect() kubernetes.Interface {
	c.t.Helper()
	config, err := clientcmd.LoadFromFile(os.Getenv(kubeconfigVariable))
	if err != nil {
		c.t.Fatal(err)
	}
	for _, user := range config.AuthInfos {
		user.Impersonate = "system:serviceaccount:" + c.namespace + ":" + account
	}
	path := filepath.Join(c.t.TempDir(), "kubeconfig")
	if err := clientcmd.WriteToFile(*config, path); err != nil {
		c.t.Fatal(err)
	}
	client, err := kube.Connect(path, "autoheal/test", nil)
	if err != nil {
		c.t.Fatal(err)
	}
	return client
}

// client acts as the healer's account; a test may change how it speaks.
func (c *cluster) client(change ...func(*rest.Config)) kubernetes.Interface {
	c.t.Helper()
	config := rest.CopyConfig(c.config)
	for _, by := range change {
		by(config)
	}
	config.Impersonate.UserName = "system:serviceaccount:" + c.namespace + ":" + account
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		c.t.Fatal(err)
	}
	return client
}

// control is the adapter under the healer's own account.
func (c *cluster) control(change ...func(*kube.Config)) *kube.Control {
	c.t.Helper()
	cfg := kube.Config{Namespace: c.namespace, Client: c.connect(), Timeout: 10 * time.Second}
	for _, by := range change {
		by(&cfg)
	}
	control, err := kube.New(cfg)
	if err != nil {
		c.t.Fatal(err)
	}
	return control
}

// workload reads a workload through the adapter.
func (c *cluster) workload(name string) workload.Workload {
	c.t.Helper()
	w, err := c.control().Workload(c.t.Context(), name)
	if err != nil {
		c.t.Fatal(err)
	}
	return w
}

func (c *cluster) eventually(what string, condition func() bool) {
	c.t.Helper()
	for deadline := time.Now().Add(time.Minute); !condition(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			c.t.Fatalf("not within a minute: %s", what)
		}
	}
}

// runKubelet makes pods run, and takes away those that are being deleted, until the test ends.
func (c *cluster) runKubelet() {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for ctx.Err() == nil {
			pods, err := c.admin.CoreV1().Pods(c.namespace).List(ctx, metav1.ListOptions{})
			if err != nil {
				continue
			}
			for _, pod := range pods.Items {
				if err := c.tend(ctx, pod); err != nil && ctx.Err() == nil && !apierrors.IsConflict(err) && !apierrors.IsNotFound(err) {
					c.t.Errorf("the test's kubelet: %v", err)
				}
			}
			time.Sleep(20 * time.Millisecond)
		}
	}()
	c.t.Cleanup(func() { cancel(); <-done })
}

// tend takes one pod a step further: bound to a node, running and ready, gone.
func (c *cluster) tend(ctx context.Context, pod corev1.Pod) error {
	pods := c.admin.CoreV1().Pods(c.namespace)
	switch {
	case pod.DeletionTimestamp != nil:
		return pods.Delete(ctx, pod.Name, metav1.DeleteOptions{
			GracePeriodSeconds: new(int64(0)), Preconditions: &metav1.Preconditions{UID: &pod.UID},
		})
	case pod.Annotations["test/left-alone"] != "":
		return nil
	case pod.Spec.NodeName == "":
		return pods.Bind(ctx, &corev1.Binding{
			ObjectMeta: metav1.ObjectMeta{Name: pod.Name}, Target: corev1.ObjectReference{Kind: "Node", Name: "test"},
		}, metav1.CreateOptions{})
	case pod.Status.Phase == corev1.PodRunning:
		return nil
	}
	now := metav1.Now()
	pod.Status = corev1.PodStatus{
		Phase: corev1.PodRunning, StartTime: &now, PodIP: "10.0.0.1", PodIPs: []corev1.PodIP{{IP: "10.0.0.1"}},
		Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue, LastTransitionTime: now}},
		ContainerStatuses: []corev1.ContainerStatus{{
			Name: pod.Spec.Containers[0].Name, Ready: true,
			State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: now}},
		}},
	}
	_, err := pods.UpdateStatus(ctx, &pod, metav1.UpdateOptions{})
	return err
}
