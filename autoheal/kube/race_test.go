package kube_test

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"

	"github.com/faultline-lab/faultline/autoheal/kube"
	"github.com/faultline-lab/faultline/autoheal/workload"
)

// meddled is a control into whose first write somebody else gets: meddle runs after everything was read and judged.
func (c *cluster) meddled(meddle func()) *kube.Control {
	return c.control(func(cfg *kube.Config) {
		cfg.Client = c.client(func(config *rest.Config) {
			var once sync.Once
			config.Wrap(func(next http.RoundTripper) http.RoundTripper {
				return roundTripper(func(r *http.Request) (*http.Response, error) {
					if r.Method != http.MethodGet {
						once.Do(meddle)
					}
					return next.RoundTrip(r)
				})
			})
		})
	})
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// patch changes the Deployment as somebody else would.
func (c *cluster) patch(text string) {
	c.t.Helper()
	_, err := c.admin.AppsV1().Deployments(c.namespace).Patch(context.Background(), "orders", types.MergePatchType, []byte(text), metav1.PatchOptions{})
	if err != nil {
		c.t.Error(err)
	}
}

func TestAChangeThatComesBetweenJudgingAndScalingIsNotOverwritten(t *testing.T) {
	c := ward(t)
	err := c.meddled(func() { c.patch(`{"spec":{"replicas":4}}`) }).Scale(t.Context(), "orders", 2, 3, "")
	if !errors.Is(err, workload.ErrConflict) || c.workload("orders").Desired != 4 {
		t.Errorf("%v, and %d replicas are wanted; want a conflict, and 4", err, c.workload("orders").Desired)
	}
}

func TestAChangeOfSomethingElseDoesNotHinder(t *testing.T) {
	c := ward(t)
	c.release("orders", "v2")
	note := func() { c.patch(`{"metadata":{"annotations":{"note":"seen"}}}`) }
	if err := c.meddled(note).Scale(t.Context(), "orders", 2, 3, ""); err != nil {
		t.Errorf("scale: %v", err)
	}
	c.patch(`{"metadata":{"annotations":{"note":null}}}`)
	if err := c.meddled(note).RollBack(t.Context(), "orders", "v2", "v1"); err != nil {
		t.Errorf("roll back: %v", err)
	}
	if now := c.workload("orders"); now.Desired != 3 || now.Version != "v1" {
		t.Errorf("%d replicas of %s; want 3 of v1", now.Desired, now.Version)
	}
}

func TestAReleaseThatComesBetweenJudgingAndRollingBackIsNotOverwritten(t *testing.T) {
	c := ward(t)
	c.release("orders", "v2")
	err := c.meddled(func() {
		c.patch(`{"spec":{"template":{"metadata":{"labels":{"app.kubernetes.io/version":"v3"}}}}}`)
	}).RollBack(t.Context(), "orders", "v2", "v1")
	if now := c.workload("orders"); !errors.Is(err, workload.ErrConflict) || now.Version != "v3" {
		t.Errorf("%v, and the version is %s; want a conflict, and v3", err, now.Version)
	}
}

func TestAPodThatTookTheNameMeanwhileIsLeftAlone(t *testing.T) {
	c := ward(t)
	judged := c.workload("orders").Replicas[0]
	pods := c.admin.CoreV1().Pods(c.namespace)
	var newcomer types.UID
	err := c.meddled(func() {
		if err := pods.Delete(context.Background(), judged.ID, metav1.DeleteOptions{GracePeriodSeconds: new(int64(0))}); err != nil {
			t.Error(err)
			return
		}
		made, err := pods.Create(context.Background(), &corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{Name: judged.ID},
			Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "newcomer", Image: "faultline.dev/newcomer"}}},
		}, metav1.CreateOptions{})
		if err != nil {
			t.Error(err)
			return
		}
		newcomer = made.UID
	}).Restart(t.Context(), "orders", judged.ID, judged.StartID)
	if !errors.Is(err, workload.ErrConflict) {
		t.Errorf("%v; want ErrConflict", err)
	}
	if pod, err := pods.Get(t.Context(), judged.ID, metav1.GetOptions{}); err != nil || pod.UID != newcomer || pod.DeletionTimestamp != nil {
		t.Errorf("the newcomer is %v, error %v", pod, err)
	}
}

func TestAPodThatWentMeanwhileIsNotFound(t *testing.T) {
	c := ward(t)
	judged := c.workload("orders").Replicas[0]
	err := c.meddled(func() {
		err := c.admin.CoreV1().Pods(c.namespace).Delete(context.Background(), judged.ID, metav1.DeleteOptions{GracePeriodSeconds: new(int64(0))})
		if err != nil {
			t.Error(err)
		}
	}).Restart(t.Context(), "orders", judged.ID, judged.StartID)
	if !errors.Is(err, workload.ErrNotFound) {
		t.Errorf("%v; want ErrNotFound", err)
	}
}
