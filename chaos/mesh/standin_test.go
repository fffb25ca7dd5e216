package mesh_test

import (
	"context"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/chaos-mesh/chaos-mesh/api/v1alpha1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Chaos Mesh's own names.
const (
	recordFinalizer = "chaos-mesh/records"
	giveUp          = "chaos-mesh.chaos-mesh.org/cleanFinalizer"
)

// standin does what chaos-controller-manager does to a resource, in the same order and with the same words: a finalizer, then
// records of the pods it selects, then conditions; Stop when the duration is over or the resource is deleted; the finalizer
// goes when every record is recovered, or when the annotation says so. It is in no hurry to do what the test forbids.
type standin struct {
	*cluster
	lock     sync.Mutex
	injects  bool   // it gets the fault onto the pods
	recovers bool   // it gets it off again
	fails    string // what it reports of what it cannot do
}

// control runs a stand-in until the test ends.
func (c *cluster) control(injects, recovers bool) *standin {
	c.t.Helper()
	s := &standin{cluster: c, injects: injects, recovers: recovers}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				s.round(ctx)
			}
		}
	})
	c.t.Cleanup(func() { // before the namespace goes: nothing may be left that only a controller could delete
		s.set(func() { s.injects, s.recovers, s.fails = true, true, "" })
		c.eventually("the stand-in has taken everything away", func() bool {
			left := s.all(context.Background())
			for _, r := range left {
				_ = c.api.Delete(context.Background(), r)
			}
			return len(left) == 0
		})
		cancel()
		running.Wait()
	})
	return s
}

func (s *standin) set(change func()) {
	s.lock.Lock()
	defer s.lock.Unlock()
	change()
}

// resource is what both kinds are.
type resource interface {
	client.Object
	v1alpha1.InnerObjectWithSelector
}

// all are the resources of the namespace.
func (s *standin) all(ctx context.Context) []resource {
	var found []resource
	var networks v1alpha1.NetworkChaosList
	if s.api.List(ctx, &networks, client.InNamespace(s.namespace)) == nil {
		for i := range networks.Items {
			found = append(found, &networks.Items[i])
		}
	}
	var kills v1alpha1.PodChaosList
	if s.api.List(ctx, &kills, client.InNamespace(s.namespace)) == nil {
		for i := range kills.Items {
			found = append(found, &kills.Items[i])
		}
	}
	return found
}

// round takes every resource one step further. A conflict, or an end of the test, is left to the next round.
func (s *standin) round(ctx context.Context) {
	s.lock.Lock()
	defer s.lock.Unlock()
	for _, r := range s.all(ctx) {
		before := r.DeepCopyObject().(resource)
		s.step(ctx, r)
		if !reflect.DeepEqual(before, r) {
			_ = s.api.Update(ctx, r) // the status is no subresource of these kinds
		}
	}
}

func (s *standin) step(ctx context.Context, r resource) {
	status := r.GetStatus()
	if !r.IsDeleted() && !slices.Contains(r.GetFinalizers(), recordFinalizer) {
		r.SetFinalizers([]string{recordFinalizer})
		return
	}
	over, _, _ := r.DurationExceeded(time.Now())
	status.Experiment.DesiredPhase = v1alpha1.RunningPhase
	if r.IsDeleted() || over && !r.IsOneShot() {
		status.Experiment.DesiredPhase = v1alpha1.StoppedPhase
	}
	if status.Experiment.Records == nil && !r.IsDeleted() {
		status.Experiment.Records = s.choose(ctx, r)
	}
	for _, record := range status.Experiment.Records {
		s.move(ctx, r, record)
	}
	status.Conditions = conditions(status)
	if r.IsDeleted() && (r.GetAnnotations()[giveUp] == "forced" || every(status, v1alpha1.NotInjected) || len(status.Experiment.Records) == 0) {
		r.SetFinalizers(nil)
	}
}

// choose makes records of the pods that the selector means.
func (s *standin) choose(ctx context.Context, r resource) []*v1alpha1.Record {
	selector, limit, suffix := &v1alpha1.PodSelector{}, 1000, ""
	switch found := r.GetSelectorSpecs()["."].(type) {
	case *v1alpha1.PodSelector:
		selector = found
	case *v1alpha1.ContainerSelector:
		selector, limit, suffix = &found.PodSelector, 1, "/"+found.ContainerNames[0]
	}
	var pods corev1.PodList
	if s.api.List(ctx, &pods, client.InNamespace(selector.Selector.Namespaces[0]), client.MatchingLabels(selector.Selector.LabelSelectors)) != nil {
		return nil
	}
	var records []*v1alpha1.Record
	for _, pod := range pods.Items[:min(limit, len(pods.Items))] {
		records = append(records, &v1alpha1.Record{
			Id: pod.Namespace + "/" + pod.Name + suffix, SelectorKey: ".", Phase: v1alpha1.NotInjected,
		})
	}
	return records
}

// move brings one record nearer to what is wished for.
func (s *standin) move(ctx context.Context, r resource, record *v1alpha1.Record) {
	stop := r.GetStatus().Experiment.DesiredPhase == v1alpha1.StoppedPhase
	switch {
	case stop == (record.Phase == v1alpha1.NotInjected): // nothing to do, so nothing that fails
	case !stop && s.injects:
		s.tell(ctx, r, record, true)
		record.Phase = v1alpha1.Injected
		record.InjectedCount++
	case stop && s.recovers:
		s.tell(ctx, r, record, false)
		record.Phase = v1alpha1.NotInjected
		record.RecoveredCount++
	case s.fails != "" && len(record.Events) == 0:
		operation := v1alpha1.Apply
		if stop {
			operation = v1alpha1.Recover
		}
		record.Events = []v1alpha1.RecordEvent{*v1alpha1.NewRecordEvent(v1alpha1.TypeFailed, operation, s.fails, metav1.Now())}
	}
}

// tell keeps the account of a pod's network, from which the daemon of its node works. A kill is done by the daemon at once.
func (s *standin) tell(ctx context.Context, r resource, record *v1alpha1.Record, there bool) {
	pod := strings.Split(record.Id, "/")[1]
	if r.IsOneShot() {
		if there {
			s.kill(ctx, pod)
		}
		return
	}
	account := &v1alpha1.PodNetworkChaos{ObjectMeta: metav1.ObjectMeta{Name: pod, Namespace: s.namespace}}
	if err := s.api.Get(ctx, s.key(pod), account); apierrors.IsNotFound(err) {
		_ = s.api.Create(ctx, account)
	}
	account.Spec.TrafficControls = nil
	if there {
		account.Spec.TrafficControls = []v1alpha1.RawTrafficControl{{Type: v1alpha1.Netem, Source: s.namespace + "/" + r.GetName()}}
	}
	_ = s.api.Update(ctx, account)
	account.Status.ObservedGeneration = account.Generation
	_ = s.api.Status().Update(ctx, account)
}

func (s *standin) kill(ctx context.Context, name string) {
	var pod corev1.Pod
	if s.api.Get(ctx, s.key(name), &pod) != nil {
		return
	}
	pod.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionFalse}}
	pod.Status.ContainerStatuses[0].Ready = false
	pod.Status.ContainerStatuses[0].RestartCount++
	_ = s.api.Status().Update(ctx, &pod)
}

func every(status *v1alpha1.ChaosStatus, phase v1alpha1.Phase) bool {
	for _, record := range status.Experiment.Records {
		if record.Phase != phase {
			return false
		}
	}
	return len(status.Experiment.Records) > 0
}

func conditions(status *v1alpha1.ChaosStatus) []v1alpha1.ChaosCondition {
	truth := map[bool]corev1.ConditionStatus{true: corev1.ConditionTrue, false: corev1.ConditionFalse}
	return []v1alpha1.ChaosCondition{
		{Type: v1alpha1.ConditionSelected, Status: truth[len(status.Experiment.Records) > 0]},
		{Type: v1alpha1.ConditionAllInjected, Status: truth[every(status, v1alpha1.Injected)]},
		{Type: v1alpha1.ConditionAllRecovered, Status: truth[every(status, v1alpha1.NotInjected)]},
		{Type: v1alpha1.ConditionPaused, Status: corev1.ConditionFalse},
	}
}
