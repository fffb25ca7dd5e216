package storefront

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/faultline-lab/faultline/apps/internal/metrictest"
	"github.com/faultline-lab/faultline/apps/internal/service"
)

// kubeconfigVariable names an API server with the controllers of Kubernetes beside it, and a user who may do everything.
const kubeconfigVariable = "FAULTLINE_TEST_KUBECONFIG"

// patience is the longest that a controller or a watch may take in a test.
const patience = 30 * time.Second

// realCluster is a namespace on a real API server, with nothing in it that would run a pod: the test says how pods are.
type realCluster struct {
	admin     kubernetes.Interface
	namespace string
	wire      *wire
	// kubeconfig is that of the service account storefront, over the wire.
	kubeconfig string
}

func newRealCluster(t *testing.T) *realCluster {
	t.Helper()
	path := os.Getenv(kubeconfigVariable)
	if path == "" {
		const missing = "NOT TESTED against a Kubernetes API server: " + kubeconfigVariable + " is not set. `make test` starts one and sets it."
		if os.Getenv("CI") == "true" {
			t.Fatal(missing)
		}
		t.Skip(missing)
	}
	config, err := clientcmd.BuildConfigFromFlags("", path)
	must(t, err)
	admin, err := kubernetes.NewForConfig(config)
	must(t, err)
	made, err := admin.CoreV1().Namespaces().Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "storefront-"}}, metav1.CreateOptions{})
	must(t, err)
	c := &realCluster{admin: admin, namespace: made.Name}
	// Pods without a node are not endpoints.
	_, err = admin.CoreV1().Nodes().Create(t.Context(), &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: c.namespace}}, metav1.CreateOptions{})
	must(t, err)
	t.Cleanup(func() {
		// The server goes too.
		_ = admin.CoreV1().Namespaces().Delete(context.Background(), c.namespace, metav1.DeleteOptions{})
		_ = admin.CoreV1().Nodes().Delete(context.Background(), c.namespace, metav1.DeleteOptions{})
	})
	server, err := url.Parse(config.Host)
	must(t, err)
	c.wire = newWire(t, server.Host)
	c.kubeconfig = c.serviceAccount(t, path)
	return c
}

// serviceAccount may do what storefront needs and nothing else. It writes the kubeconfig of one.
func (c *realCluster) serviceAccount(t *testing.T, adminPath string) string {
	t.Helper()
	meta := metav1.ObjectMeta{Name: "storefront", Namespace: c.namespace}
	_, err := c.admin.RbacV1().Roles(c.namespace).Create(t.Context(), &rbacv1.Role{ObjectMeta: meta, Rules: []rbacv1.PolicyRule{
		{APIGroups: []string{"discovery.k8s.io"}, Resources: []string{"endpointslices"}, Verbs: []string{"list", "watch"}},
	}}, metav1.CreateOptions{})
	must(t, err)
	_, err = c.admin.RbacV1().RoleBindings(c.namespace).Create(t.Context(), &rbacv1.RoleBinding{
		ObjectMeta: meta, RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: "storefront"},
		Subjects: []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Name: "storefront", Namespace: c.namespace}},
	}, metav1.CreateOptions{})
	must(t, err)

	config, err := clientcmd.LoadFromFile(adminPath)
	must(t, err)
	must(t, clientcmdapi.FlattenConfig(config)) // its files are relative to its own place
	current := config.Contexts[config.CurrentContext]
	current.Namespace = c.namespace
	cluster := config.Clusters[current.Cluster]
	if real, err := url.Parse(cluster.Server); err == nil && cluster.TLSServerName == "" {
		cluster.TLSServerName = real.Hostname()
	}
	cluster.Server = "https://" + c.wire.listener.Addr().String()
	config.AuthInfos[current.AuthInfo].Impersonate = "system:serviceaccount:" + c.namespace + ":storefront"
	path := filepath.Join(t.TempDir(), "kubeconfig")
	must(t, clientcmd.WriteToFile(*config, path))
	return path
}

// service makes a Service, whose pods are labelled with its name.
func (c *realCluster) service(t *testing.T, name string) {
	t.Helper()
	_, err := c.admin.CoreV1().Services(c.namespace).Create(t.Context(), &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: corev1.ServiceSpec{
			Selector: map[string]string{"app": name}, Ports: []corev1.ServicePort{{Name: portName, Port: 8080}},
		},
	}, metav1.CreateOptions{})
	must(t, err)
}

// pod makes a pod that is ready at the address. Nobody ends it for good when it is deleted.
func (c *realCluster) pod(t *testing.T, app, name, address string) {
	t.Helper()
	pods := c.admin.CoreV1().Pods(c.namespace)
	eventually(t, "pods can be made", func() bool { // not before the namespace has its default service account
		_, err := pods.Create(t.Context(), &corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{"app": app}},
			Spec: corev1.PodSpec{NodeName: c.namespace, Containers: []corev1.Container{{
				Name: app, Image: "none", Ports: []corev1.ContainerPort{{Name: portName, ContainerPort: 8080}},
			}}},
		}, metav1.CreateOptions{})
		return err == nil
	})
	eventually(t, "the pod is ready", func() bool {
		made, err := pods.Get(t.Context(), name, metav1.GetOptions{})
		must(t, err)
		made.Status = corev1.PodStatus{
			Phase: corev1.PodRunning, PodIP: address, PodIPs: []corev1.PodIP{{IP: address}},
			Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}},
		}
		_, err = pods.UpdateStatus(t.Context(), made, metav1.UpdateOptions{})
		return err == nil // else somebody else wrote it meanwhile
	})
}

func (c *realCluster) end(t *testing.T, name string) {
	t.Helper()
	must(t, c.admin.CoreV1().Pods(c.namespace).Delete(t.Context(), name, metav1.DeleteOptions{}))
}

func TestStorefrontFollowsTheReadyPodsOfAServiceWithTheRightsToListAndWatch(t *testing.T) {
	c := newRealCluster(t)
	c.service(t, "orders")
	c.service(t, "payments")
	c.pod(t, "payments", "payments-a", "10.1.0.9")
	c.pod(t, "orders", "orders-a", "10.1.0.1")

	page := metrictest.New(t)
	source, err := Config{OrdersService: "orders", Kubeconfig: c.kubeconfig}.endpointSlices(page.Transport)
	must(t, err)
	var latest latest
	endpoints, err := NewEndpoints(EndpointsConfig{Slices: source, Service: "orders", Set: latest.set, Log: slog.New(slog.NewTextHandler(t.Output(), nil))})
	must(t, err)
	eventually(t, "the first list has the pod", func() bool {
		endpoints.Poll(t.Context())
		return latest.is("http://10.1.0.1:8080 orders-a")
	})
	if text := page.Text(t); !strings.Contains(text, `http_client_request_duration_seconds_count{http_request_method="GET",http_response_status_code="200"`) {
		t.Errorf("what the API server was asked is not measured:\n%s", text)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- endpoints.Run(ctx) }()
	defer func() {
		cancel()
		must(t, <-ended)
	}()

	c.pod(t, "orders", "orders-b", "10.1.0.2")
	eventually(t, "a new pod is there", func() bool {
		return latest.is("http://10.1.0.1:8080 orders-a", "http://10.1.0.2:8080 orders-b")
	})
	c.end(t, "orders-a")
	eventually(t, "a pod that ends is not asked any more", func() bool { return latest.is("http://10.1.0.2:8080 orders-b") })

	c.wire.cut()
	c.pod(t, "orders", "orders-c", "10.1.0.3")
	eventually(t, "the API server knows of the change", func() bool { return c.knows(t, "orders-c") })
	if !latest.is("http://10.1.0.2:8080 orders-b") {
		t.Errorf("without the API server: %v, want what was known before", latest.backends)
	}
	c.wire.mend()
	eventually(t, "what was missed is made up for", func() bool {
		return latest.is("http://10.1.0.2:8080 orders-b", "http://10.1.0.3:8080 orders-c")
	})
}

func TestTheReadyPodsOfTheSecondServiceAreTheStandbyGroup(t *testing.T) {
	c := newRealCluster(t)
	c.service(t, "orders")
	c.service(t, "orders-standby")
	c.pod(t, "orders", "orders-a", "10.1.1.1")
	page := metrictest.New(t)
	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	b, err := NewBalancer(BalancerConfig{Log: log, MeterProvider: page.MeterProvider()})
	must(t, err)
	config := Config{OrdersService: "orders", OrdersStandbyService: "orders-standby", Kubeconfig: c.kubeconfig}
	follow := func() (stable, standby int) {
		must(t, config.follow(t.Context(), &service.Service{Telemetry: page.Telemetry, Log: log}, b))
		return b.Backends(Stable), b.Backends(Standby)
	}
	eventually(t, "one is stable, and standby has none", func() bool {
		stable, standby := follow()
		return stable == 1 && standby == 0
	})
	c.pod(t, "orders-standby", "orders-standby-a", "10.1.1.2")
	c.pod(t, "orders-standby", "orders-standby-b", "10.1.1.3")
	eventually(t, "the pods of the second Service are standby", func() bool {
		stable, standby := follow()
		return stable == 1 && standby == 2
	})
}

// knows says whether an EndpointSlice of the namespace has the pod.
func (c *realCluster) knows(t *testing.T, pod string) bool {
	t.Helper()
	list, err := c.admin.DiscoveryV1().EndpointSlices(c.namespace).List(t.Context(), metav1.ListOptions{})
	must(t, err)
	return slices.ContainsFunc(backends(list.Items), func(b Backend) bool { return b.Instance == pod })
}

// latest holds the backends that were set last.
type latest struct {
	mu       sync.Mutex
	backends []string
}

func (l *latest) set(_ context.Context, backends []Backend) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.backends = nil
	for _, backend := range backends {
		l.backends = append(l.backends, backend.URL+" "+backend.Instance)
	}
}

func (l *latest) is(want ...string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Equal(l.backends, want)
}

// wire passes connections on to an address until it is cut.
type wire struct {
	listener net.Listener
	to       string

	mu      sync.Mutex
	isCut   bool
	passing []net.Conn
}

func newWire(t *testing.T, to string) *wire {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	w := &wire{listener: listener, to: to}
	t.Cleanup(func() { listener.Close(); w.cut() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go w.pass(conn)
		}
	}()
	return w
}

func (w *wire) pass(from net.Conn) {
	defer from.Close()
	to, err := net.Dial("tcp", w.to)
	if err != nil {
		return
	}
	defer to.Close()
	if !w.keep(from, to) {
		return
	}
	go func() { _, _ = io.Copy(to, from); to.Close() }()
	_, _ = io.Copy(from, to) // however it ends, the connection is over
}

// keep notes the connections for the cut, and refuses them after it.
func (w *wire) keep(conns ...net.Conn) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.passing = append(w.passing, conns...)
	return !w.isCut
}

func (w *wire) cut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.isCut = true
	for _, conn := range w.passing {
		conn.Close()
	}
}

func (w *wire) mend() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.isCut, w.passing = false, nil
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !condition(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within %s: %s", patience, what)
		}
	}
}
