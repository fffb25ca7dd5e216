package kube_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/fake"
	"k8s.io/client-go/rest"
	clienttesting "k8s.io/client-go/testing"
	"k8s.io/client-go/tools/record"

	"github.com/faultline-lab/faultline/autoheal/guard"
	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/autoheal/kube"
	"github.com/faultline-lab/faultline/autoheal/remedy"
	"github.com/faultline-lab/faultline/autoheal/workload"
)

func meta(kind, name string, owner *metav1.ObjectMeta, labels map[string]string) metav1.ObjectMeta {
	all := map[string]string{"app.kubernetes.io/part-of": "faultline"}
	for key, value := range labels {
		all[key] = value
	}
	m := metav1.ObjectMeta{Namespace: "faultline", Name: name, UID: types.UID(name + "-uid"), Labels: all}
	if owner != nil {
		m.OwnerReferences = []metav1.OwnerReference{{Kind: kind, Name: owner.Name, UID: owner.UID, Controller: new(true)}}
	}
	return m
}

func deployment(version string) *appsv1.Deployment {
	return &appsv1.Deployment{
		ObjectMeta: meta("", "orders", nil, optIn()),
		Spec: appsv1.DeploymentSpec{Replicas: new(int32(2)), Template: corev1.PodTemplateSpec{
			ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{"app.kubernetes.io/version": version}},
		}},
	}
}

func replicaSet(name, version, revision string, owner *appsv1.Deployment) *appsv1.ReplicaSet {
	set := &appsv1.ReplicaSet{ObjectMeta: meta("Deployment", name, &owner.ObjectMeta, nil)}
	set.Annotations = map[string]string{"deployment.kubernetes.io/revision": revision}
	set.Spec.Template.Labels = map[string]string{"app.kubernetes.io/version": version, "pod-template-hash": name}
	return set
}

func pod(name string, owner *appsv1.ReplicaSet, change func(*corev1.Pod)) *corev1.Pod {
	p := &corev1.Pod{
		ObjectMeta: meta("ReplicaSet", name, &owner.ObjectMeta, optIn()),
		Spec: corev1.PodSpec{Containers: []corev1.Container{
			{Name: "orders", Ports: []corev1.ContainerPort{{Name: "http", ContainerPort: 8080}}}, {Name: "beside"},
		}},
		Status: corev1.PodStatus{
			Phase: corev1.PodRunning, PodIP: "10.0.0.7", StartTime: &metav1.Time{Time: started},
			Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}},
			ContainerStatuses: []corev1.ContainerStatus{
				{Name: "beside", RestartCount: 7},
				{Name: "orders", RestartCount: 1, State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: metav1.Time{Time: started.Add(time.Hour)}}}},
			},
		},
	}
	p.Labels["app.kubernetes.io/version"] = owner.Spec.Template.Labels["app.kubernetes.io/version"]
	if change != nil {
		change(p)
	}
	return p
}

var started = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func control(t *testing.T, client kubernetes.Interface, recorder record.EventRecorder) *kube.Control {
	t.Helper()
	c, err := kube.New(kube.Config{Namespace: "faultline", Client: client, Recorder: recorder})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestAPodIsAReplica(t *testing.T) {
	ended := corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: 2}}
	waiting := corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "CrashLoopBackOff"}}
	notReady := func(p *corev1.Pod) { p.Status.Conditions[0].Status = corev1.ConditionFalse }
	for name, tc := range map[string]struct {
		change func(*corev1.Pod)
		state  string
	}{
		"a ready pod is ready": {nil, workload.Ready},
		"one that is being deleted is stopping, ready or not": {
			func(p *corev1.Pod) {
				p.DeletionTimestamp, p.Finalizers = &metav1.Time{Time: started}, []string{"test/keep"}
			}, workload.Stopping,
		},
		"one that runs and is not ready is starting": {notReady, workload.Starting},
		"one that nobody has started yet is starting": {
			func(p *corev1.Pod) { p.Status = corev1.PodStatus{Phase: corev1.PodPending} }, workload.Starting,
		},
		"one whose container has just ended is crashed": {
			func(p *corev1.Pod) { notReady(p); p.Status.ContainerStatuses[1].State = ended }, workload.Crashed,
		},
		"one whose container waits after an exit is crashed": {
			func(p *corev1.Pod) {
				notReady(p)
				p.Status.ContainerStatuses[1].State, p.Status.ContainerStatuses[1].LastTerminationState = waiting, ended
			}, workload.Crashed,
		},
		"one whose container waits for its image is starting": {
			func(p *corev1.Pod) { notReady(p); p.Status.ContainerStatuses[1].State = waiting }, workload.Starting,
		},
		"one that has ended for good is stopped": {
			func(p *corev1.Pod) { notReady(p); p.Status.Phase = corev1.PodFailed }, workload.Stopped,
		},
	} {
		t.Run(name, func(t *testing.T) {
			d := deployment("v1")
			set := replicaSet("orders-a", "v1", "1", d)
			w, err := control(t, fake.NewClientset(d, set, pod("orders-a-1", set, tc.change)), nil).Workload(t.Context(), "orders")
			if err != nil || len(w.Replicas) != 1 {
				t.Fatalf("%+v, error %v", w, err)
			}
			if w.Replicas[0].State != tc.state {
				t.Errorf("state %s, want %s", w.Replicas[0].State, tc.state)
			}
		})
	}
}

func TestAReplicaHasWhatThePodSaysOfItsOwnContainer(t *testing.T) {
	d := deployment("v1")
	set := replicaSet("orders-a", "v1", "1", d)
	w, err := control(t, fake.NewClientset(d, set, pod("orders-a-1", set, nil)), nil).Workload(t.Context(), "orders")
	if err != nil {
		t.Fatal(err)
	}
	want := workload.Replica{
		ID: "orders-a-1", StartID: "orders-a-1-uid.1", State: workload.Ready, Version: "v1", Address: "10.0.0.7:8080",
		StartedAt: started.Add(time.Hour),
	}
	if !slices.Equal(w.Replicas, []workload.Replica{want}) {
		t.Errorf("%+v, want %+v", w.Replicas, want)
	}
}

func TestVersionsAreThoseThatLedToThePresentOneAndThenThoseThatWereRolledBackFrom(t *testing.T) {
	for name, tc := range map[string]struct {
		history []string // of rollouts, the first one first
		want    string
	}{
		"one":       {[]string{"v1"}, "v1"},
		"a release": {[]string{"v1", "v2"}, "v1 v2"},
		"nothing is before what was rolled back to": {[]string{"v1", "v2", "v1"}, "v1 v2"},
		"the bad one once more":                     {[]string{"v1", "v2", "v1", "v2"}, "v1 v2"},
		"and back once more":                        {[]string{"v1", "v2", "v1", "v2", "v1"}, "v1 v2"},
		"a better one in the bad one's place":       {[]string{"v1", "v2", "v1", "v3"}, "v1 v3 v2"},
		"and that was no better":                    {[]string{"v1", "v2", "v1", "v3", "v1"}, "v1 v2 v3"},
		"two back":                                  {[]string{"v1", "v2", "v3", "v1"}, "v1 v2 v3"},
		"one of several back":                       {[]string{"v1", "v2", "v3", "v2"}, "v1 v2 v3"},
		"a release that only changed a setting":     {[]string{"v1", "v1", "v2"}, "v1 v2"},
	} {
		t.Run(name, func(t *testing.T) {
			d := deployment(tc.history[len(tc.history)-1])
			stranger := deployment("v9")
			stranger.UID = "another"
			objects := []runtime.Object{d, replicaSet("orders-z", "v9", "99", stranger)}
			rollouts := map[string][]string{} // of one set for each version, as Kubernetes does with one template
			for i, version := range tc.history {
				rollouts[version] = append(rollouts[version], strconv.Itoa(i+1))
			}
			for version, all := range rollouts {
				set := replicaSet("orders-"+version, version, all[len(all)-1], d)
				if past := all[:len(all)-1]; len(past) > 0 {
					set.Annotations["deployment.kubernetes.io/revision-history"] = strings.Join(past, ",")
				}
				objects = append(objects, set)
			}
			w, err := control(t, fake.NewClientset(objects...), nil).Workload(t.Context(), "orders")
			if got := strings.Join(w.Versions, " "); err != nil || got != tc.want {
				t.Errorf("versions %s, error %v; want %s", got, err, tc.want)
			}
		})
	}
}

func TestAVersionThatTheControllerHasNotComeToIsTheNewest(t *testing.T) {
	d := deployment("v3")
	client := fake.NewClientset(d, replicaSet("orders-a", "v1", "1", d), replicaSet("orders-b", "v2", "2", d), replicaSet("orders-c", "v3", "", d))
	w, err := control(t, client, nil).Workload(t.Context(), "orders")
	if err != nil || strings.Join(w.Versions, " ") != "v1 v2 v3" {
		t.Errorf("versions %v, error %v; want v1 v2 v3", w.Versions, err)
	}
}

func TestTheOwnersSayHowManyReplicasThereMayBe(t *testing.T) {
	for text, want := range map[string]int{"": 0, "4": 4, "many": 2, "-1": 2} {
		d := deployment("v1")
		if text != "" {
			d.Annotations = map[string]string{"faultline.dev/max-replicas": text}
		}
		if w, err := control(t, fake.NewClientset(d), nil).Workload(t.Context(), "orders"); err != nil || w.Max != want {
			t.Errorf("%q: at most %d, error %v; want %d", text, w.Max, err, want)
		}
	}
}

// What the engine asks a remedy for must still be there when its end is told by events.
func TestAnAnnouncedRemedyCanDoWhatTheRemedyCan(t *testing.T) {
	recorder := record.NewFakeRecorder(10)
	c := control(t, fake.NewClientset(deployment("v1")), recorder)
	remedies, err := remedy.All(remedy.Controls{Replicas: c, Scaler: c, Releases: c, Edge: fakeEdge{}, Sessions: fakeSessions{}, HTTP: http.DefaultClient})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range remedies {
		told := c.Announced(r)
		_, undoer := r.(remedy.Undoer)
		_, renewer := r.(remedy.Renewer)
		_, toldUndoer := told.(remedy.Undoer)
		_, toldRenewer := told.(remedy.Renewer)
		if undoer != toldUndoer || renewer != toldRenewer || told.Name() != r.Name() || told.Traits() != r.Traits() {
			t.Errorf("%s: can be undone %v, renewed %v; announced %v, %v", r.Name(), undoer, renewer, toldUndoer, toldRenewer)
		}
	}
	effect := c.Announced(remedies[slices.IndexFunc(remedies, func(r remedy.Remedy) bool { return r.Name() == remedy.ScaleOutName })]).(remedy.Undoer).
		Undo(t.Context(), remedy.Application{
			Target: incident.Target{Kind: incident.WorkloadTarget, Workload: "orders", Name: "orders", Is: "2", To: "3"}, Timeout: time.Second,
		})
	if got := <-recorder.Events; effect.Result != incident.ResultDone || !strings.HasPrefix(got, "Normal AutohealUndone taking back scale-out of orders: orders has 2") {
		t.Errorf("%+v, event %q", effect, got)
	}
}

type fakeEdge struct{ remedy.Edge }

type fakeSessions struct{ remedy.Sessions }

func TestAPodOfAnotherOwnerIsNoReplica(t *testing.T) {
	d := deployment("v1")
	set := replicaSet("orders-a", "v1", "1", d)
	stray := pod("orders-stray", set, func(p *corev1.Pod) { p.OwnerReferences = nil })
	c := control(t, fake.NewClientset(d, set, stray), nil)
	if w, err := c.Workload(t.Context(), "orders"); err != nil || len(w.Replicas) != 0 {
		t.Errorf("%+v, error %v; want no replicas", w.Replicas, err)
	}
	if err := c.Restart(t.Context(), "orders", "orders-stray", "orders-stray-uid.1"); !errors.Is(err, workload.ErrNotFound) {
		t.Errorf("%v; want ErrNotFound", err)
	}
}

func TestADeploymentThatIsNoPartOfThePlatformIsNotThere(t *testing.T) {
	d := deployment("v1")
	d.Labels = optIn()
	c := control(t, fake.NewClientset(d), nil)
	if _, err := c.Workload(t.Context(), "orders"); !errors.Is(err, workload.ErrNotFound) {
		t.Errorf("%v; want ErrNotFound", err)
	}
	if all, err := c.Workloads(t.Context()); err != nil || len(all) != 0 {
		t.Errorf("%+v, error %v; want none", all, err)
	}
}

func TestWhatTheAPIServerAnswersToAnEviction(t *testing.T) {
	resource := schema.GroupResource{Resource: "pods"}
	budget := apierrors.NewTooManyRequests("Cannot evict pod", 10)
	budget.ErrStatus.Details.Causes = []metav1.StatusCause{{Type: policyv1.DisruptionBudgetCause}}
	for name, tc := range map[string]struct {
		answer error
		want   error
		word   string
	}{
		"yes":                                {nil, nil, ""},
		"a budget forbids it now":            {budget, workload.ErrNotNow, "PodDisruptionBudget"},
		"it is busy":                         {apierrors.NewTooManyRequests("later", 1), workload.ErrNotNow, "busy"},
		"the pod is gone":                    {apierrors.NewNotFound(resource, "x"), workload.ErrNotFound, "evict pod"},
		"it is another pod":                  {apierrors.NewConflict(resource, "x", errors.New("uid")), workload.ErrConflict, "evict pod"},
		"the Role does not allow it":         {apierrors.NewForbidden(resource, "x", errors.New("no")), workload.ErrRefused, "Role"},
		"it does not know":                   {apierrors.NewInternalError(errors.New("etcd")), nil, "evict pod"},
		"it says what nobody has a name for": {apierrors.NewGenericServerResponse(http.StatusTeapot, "create", resource, "x", "", 0, false), nil, "evict pod"},
	} {
		t.Run(name, func(t *testing.T) {
			d := deployment("v1")
			set := replicaSet("orders-a", "v1", "1", d)
			client := fake.NewClientset(d, set, pod("orders-a-1", set, nil))
			var evicted *policyv1.Eviction
			client.PrependReactor("create", "pods", func(action clienttesting.Action) (bool, runtime.Object, error) {
				evicted = action.(clienttesting.CreateAction).GetObject().(*policyv1.Eviction)
				return true, nil, tc.answer
			})
			recorder := record.NewFakeRecorder(10)
			err := control(t, client, recorder).Restart(t.Context(), "orders", "orders-a-1", "orders-a-1-uid.1")
			if (err == nil) != (tc.answer == nil) || tc.want != nil && !errors.Is(err, tc.want) || err != nil && !strings.Contains(err.Error(), tc.word) {
				t.Errorf("%v; want %v with %q", err, tc.want, tc.word)
			}
			if tc.want == nil && (errors.Is(err, workload.ErrConflict) || errors.Is(err, workload.ErrNotNow) || errors.Is(err, workload.ErrRefused)) {
				t.Errorf("%v: nobody knows whether it happened", err)
			}
			if evicted == nil || *evicted.DeleteOptions.Preconditions.UID != "orders-a-1-uid" {
				t.Errorf("evicted %+v; want that UID as precondition", evicted)
			}
			if want := map[bool]int{true: 2}[tc.answer == nil]; len(recorder.Events) != want {
				t.Errorf("%d events, want %d", len(recorder.Events), want)
			}
		})
	}
}

func TestNothingIsAskedForWhenTheReplicaIsNotTheOneThatWasJudged(t *testing.T) {
	for name, tc := range map[string]struct {
		change func(*corev1.Pod)
		start  string
		want   error
	}{
		"another start": {nil, "orders-a-1-uid.0", workload.ErrConflict},
		"being ended": {func(p *corev1.Pod) {
			p.DeletionTimestamp, p.Finalizers = &metav1.Time{Time: started}, []string{"test/keep"}
		}, "orders-a-1-uid.1", workload.ErrConflict},
		"not opted in":      {func(p *corev1.Pod) { delete(p.Labels, workload.OptInLabel) }, "orders-a-1-uid.1", workload.ErrRefused},
		"opted out by word": {func(p *corev1.Pod) { p.Labels[workload.OptInLabel] = "disabled" }, "orders-a-1-uid.1", workload.ErrRefused},
	} {
		t.Run(name, func(t *testing.T) {
			d := deployment("v1")
			set := replicaSet("orders-a", "v1", "1", d)
			client := fake.NewClientset(d, set, pod("orders-a-1", set, tc.change))
			err := control(t, client, nil).Restart(t.Context(), "orders", "orders-a-1", tc.start)
			if !errors.Is(err, tc.want) {
				t.Errorf("%v; want %v", err, tc.want)
			}
			for _, action := range client.Actions() {
				if action.GetVerb() != "get" && action.GetVerb() != "list" {
					t.Errorf("it did %s %s", action.GetVerb(), action.GetResource().Resource)
				}
			}
		})
	}
}

func TestTheEndOfARemedyIsAnEvent(t *testing.T) {
	for result, want := range map[string]string{
		incident.ResultDone: "Normal AutohealApplied", incident.ResultFailed: "Warning AutohealFailed", incident.ResultSkipped: "",
	} {
		recorder := record.NewFakeRecorder(10)
		c := control(t, fake.NewClientset(deployment("v1")), recorder)
		effect := c.Announced(fixed{effect: remedy.Effect{Result: result, Detail: "so it was"}}).Apply(t.Context(), remedy.Application{
			Target: incident.Target{Kind: incident.ReplicaTarget, Workload: "orders", Name: "orders-a-1", Is: "uid.0"},
		})
		if effect.Result != result {
			t.Errorf("the effect became %+v", effect)
		}
		if want == "" {
			if len(recorder.Events) > 0 {
				t.Errorf("%s: %s", result, <-recorder.Events)
			}
			continue
		}
		for range 2 { // on the pod and on the Deployment
			if got := <-recorder.Events; !strings.HasPrefix(got, want) || !strings.Contains(got, "orders-a-1: so it was") {
				t.Errorf("event %q, want %s", got, want)
			}
		}
	}
}

// fixed is a remedy that always has this effect.
type fixed struct {
	remedy.Remedy
	effect remedy.Effect
}

func (fixed) Name() string { return "fixed" }

func (fixed) Traits() remedy.Traits { return remedy.Traits{} }

func (f fixed) Apply(context.Context, remedy.Application) remedy.Effect { return f.effect }

func TestTheKillSwitch(t *testing.T) {
	for name, tc := range map[string]struct {
		answer error
		want   guard.Switch
	}{
		"is on while the ConfigMap exists": {nil, guard.SwitchOn},
		"is off when there is none":        {apierrors.NewNotFound(schema.GroupResource{Resource: "configmaps"}, "autoheal-off"), guard.SwitchOff},
		"is unknown when nobody answers":   {errors.New("connection refused"), guard.SwitchUnknown},
		"is unknown when it may not look":  {apierrors.NewForbidden(schema.GroupResource{}, "", nil), guard.SwitchUnknown},
	} {
		t.Run(name, func(t *testing.T) {
			client := fake.NewClientset()
			client.PrependReactor("get", "configmaps", func(clienttesting.Action) (bool, runtime.Object, error) {
				return true, &corev1.ConfigMap{}, tc.answer
			})
			if got := control(t, client, nil).KillSwitch("autoheal-off")(); got != tc.want {
				t.Errorf("%v, want %v", got, tc.want)
			}
		})
	}
}

// An API server that takes requests and never answers must not hold the healer up.
func TestAnAPIServerThatHangsIsAnErrorInTime(t *testing.T) {
	over := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-over }))
	t.Cleanup(server.Close)
	t.Cleanup(func() { close(over) })
	client, err := kubernetes.NewForConfig(&rest.Config{Host: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	c, err := kube.New(kube.Config{Namespace: "faultline", Client: client, Timeout: 100 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	_, listErr := c.Workloads(t.Context())
	for what, err := range map[string]error{
		"list": listErr, "restart": c.Restart(t.Context(), "orders", "orders-1", "x"), "scale": c.Scale(t.Context(), "orders", 1, 2, ""),
		"roll back": c.RollBack(t.Context(), "orders", "v2", "v1"),
	} {
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: %v; want that its time was over", what, err)
		}
	}
}

func TestAConfigThatMeansNothingIsRefused(t *testing.T) {
	if _, err := kube.New(kube.Config{Client: fake.NewClientset()}); err == nil || !strings.Contains(err.Error(), "--kubernetes-namespace") {
		t.Errorf("no namespace: %v", err)
	}
	if _, err := kube.New(kube.Config{Namespace: "faultline"}); err == nil {
		t.Error("no client: no error")
	}
	if _, err := kube.Connect("/there/is/none", "test", nil); err == nil || !strings.Contains(err.Error(), "--kubeconfig") {
		t.Errorf("no kubeconfig: %v", err)
	}
	t.Setenv("KUBERNETES_SERVICE_HOST", "")
	if _, err := kube.Connect("", "test", nil); err == nil || !strings.Contains(err.Error(), "--kubeconfig") {
		t.Errorf("outside a cluster: %v", err)
	}
}
