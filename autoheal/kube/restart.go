package kube

import (
	"context"
	"fmt"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/faultline-lab/faultline/autoheal/workload"
)

// Restart evicts a pod, which ends in order; its replica set makes another one. The pod is read again first: a start id
// other than this one is a conflict. The eviction itself holds for one UID only, so that a pod which takes the name
// meanwhile is left alone, and PodDisruptionBudgets are honoured.
func (c *Control) Restart(ctx context.Context, name, id, start string) error {
	d, err := c.deployment(ctx, name)
	if err != nil {
		return err
	}
	pod, err := c.podOf(ctx, *d, id)
	if err != nil {
		return err
	}
	if now := startID(*pod); now != start {
		return fmt.Errorf("pod %s is start %s, not %s: %w", id, now, start, workload.ErrConflict)
	}
	if pod.DeletionTimestamp != nil {
		return fmt.Errorf("pod %s is being ended already: %w", id, workload.ErrConflict)
	}
	if err := optedIn("deployment", name, d.Labels); err != nil {
		return err
	}
	if err := optedIn("pod", id, pod.Labels); err != nil {
		return err
	}
	if err := c.evict(ctx, pod); err != nil {
		return err
	}
	c.announce(Restarting, "evicted "+id+"; another pod takes its place", d, pod)
	return nil
}

func (c *Control) evict(ctx context.Context, pod *corev1.Pod) error {
	ctx, cancel := c.bounded(ctx)
	defer cancel()
	err := c.cfg.Client.PolicyV1().Evictions(c.cfg.Namespace).Evict(ctx, &policyv1.Eviction{
		ObjectMeta:    metav1.ObjectMeta{Name: pod.Name, Namespace: pod.Namespace},
		DeleteOptions: &metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &pod.UID}},
	})
	if err != nil {
		return explain(err, "evict pod "+pod.Name)
	}
	return nil
}

// podOf reads a pod that belongs to the Deployment; another's is not found.
func (c *Control) podOf(ctx context.Context, d appsv1.Deployment, id string) (*corev1.Pod, error) {
	ctx, cancel := c.bounded(ctx)
	defer cancel()
	pod, err := c.cfg.Client.CoreV1().Pods(c.cfg.Namespace).Get(ctx, id, metav1.GetOptions{})
	if err != nil {
		return nil, explain(err, "pod "+id)
	}
	sets, err := c.sets(ctx)
	if err != nil {
		return nil, err
	}
	if !slices.ContainsFunc(setsOf(d, sets), func(set appsv1.ReplicaSet) bool { return metav1.IsControlledBy(pod, &set) }) {
		return nil, fmt.Errorf("pod %s is none of deployment %s: %w", id, d.Name, workload.ErrNotFound)
	}
	return pod, nil
}
