package kube

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/faultline-lab/faultline/autoheal/workload"
)

// The labels of docs/contracts.md, "On Kubernetes".
const (
	partOf       = "app.kubernetes.io/part-of=faultline"
	versionLabel = "app.kubernetes.io/version"
	// revision is Kubernetes' own: which rollout a replica set belongs to. revisionHistory are the rollouts that it belonged to
	// before it was rolled out again.
	revision        = "deployment.kubernetes.io/revision"
	revisionHistory = "deployment.kubernetes.io/revision-history"
	// maxReplicas is an annotation of a Deployment: how many replicas its owners allow. Without it there is no limit.
	maxReplicas = "faultline.dev/max-replicas"
)

// seen is one look at the namespace.
type seen struct {
	deployments []appsv1.Deployment
	sets        []appsv1.ReplicaSet
	pods        []corev1.Pod
}

// Workloads lists the Deployments that are part of the platform, with their pods.
func (c *Control) Workloads(ctx context.Context) ([]workload.Workload, error) {
	s, err := c.look(ctx, func(ctx context.Context) ([]appsv1.Deployment, error) {
		list, err := c.cfg.Client.AppsV1().Deployments(c.cfg.Namespace).List(ctx, metav1.ListOptions{LabelSelector: partOf})
		if err != nil {
			return nil, explain(err, "list deployments")
		}
		return list.Items, nil
	})
	if err != nil {
		return nil, err
	}
	all := make([]workload.Workload, 0, len(s.deployments))
	for _, d := range s.deployments {
		all = append(all, s.workload(d))
	}
	return all, nil
}

// Workload reads one Deployment with its pods.
func (c *Control) Workload(ctx context.Context, name string) (workload.Workload, error) {
	s, err := c.look(ctx, func(ctx context.Context) ([]appsv1.Deployment, error) {
		d, err := c.deployment(ctx, name)
		if err != nil {
			return nil, err
		}
		return []appsv1.Deployment{*d}, nil
	})
	if err != nil {
		return workload.Workload{}, err
	}
	return s.workload(s.deployments[0]), nil
}

// deployment reads one. What is not part of the platform does not exist for the healer.
func (c *Control) deployment(ctx context.Context, name string) (*appsv1.Deployment, error) {
	ctx, cancel := c.bounded(ctx)
	defer cancel()
	d, err := c.cfg.Client.AppsV1().Deployments(c.cfg.Namespace).Get(ctx, name, metav1.GetOptions{})
	if err != nil {
		return nil, explain(err, "deployment "+name)
	}
	if d.Labels["app.kubernetes.io/part-of"] != "faultline" {
		return nil, fmt.Errorf("deployment %s is not labelled %s: %w", name, partOf, workload.ErrNotFound)
	}
	return d, nil
}

// look asks for the three kinds at once. Without a resource version each answer is as fresh as the API server's own
// store.
func (c *Control) look(ctx context.Context, deployments func(context.Context) ([]appsv1.Deployment, error)) (seen, error) {
	ctx, cancel := c.bounded(ctx)
	defer cancel()
	var (
		s    seen
		errs [3]error
		all  sync.WaitGroup
	)
	all.Go(func() { s.deployments, errs[0] = deployments(ctx) })
	all.Go(func() { s.sets, errs[1] = c.sets(ctx) })
	all.Go(func() {
		list, err := c.cfg.Client.CoreV1().Pods(c.cfg.Namespace).List(ctx, metav1.ListOptions{LabelSelector: partOf})
		if err != nil {
			errs[2] = explain(err, "list pods")
			return
		}
		s.pods = list.Items
	})
	all.Wait()
	return s, cmp.Or(errs[:]...)
}

func (c *Control) sets(ctx context.Context) ([]appsv1.ReplicaSet, error) {
	list, err := c.cfg.Client.AppsV1().ReplicaSets(c.cfg.Namespace).List(ctx, metav1.ListOptions{LabelSelector: partOf})
	if err != nil {
		return nil, explain(err, "list replica sets")
	}
	return list.Items, nil
}

func (s seen) workload(d appsv1.Deployment) workload.Workload {
	sets := setsOf(d, s.sets)
	w := workload.Workload{
		Name: d.Name, Labels: d.Labels, Desired: desired(d), Max: most(d), Version: d.Spec.Template.Labels[versionLabel], Versions: versions(d, sets),
		Replicas: []workload.Replica{},
	}
	for _, pod := range s.pods {
		if slices.ContainsFunc(sets, func(set appsv1.ReplicaSet) bool { return metav1.IsControlledBy(&pod, &set) }) {
			w.Replicas = append(w.Replicas, replica(pod))
		}
	}
	slices.SortFunc(w.Replicas, func(a, b workload.Replica) int { return cmp.Compare(a.ID, b.ID) })
	return w
}

func desired(d appsv1.Deployment) int {
	if d.Spec.Replicas == nil {
		return 1 // Kubernetes' default
	}
	return int(*d.Spec.Replicas)
}

// most is the owners' limit. One that cannot be read allows nothing beyond what is wanted now.
func most(d appsv1.Deployment) int {
	text, given := d.Annotations[maxReplicas]
	if !given {
		return 0
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		return max(1, desired(d))
	}
	return n
}

// setsOf returns the replica sets of a Deployment, the oldest rollout first.
func setsOf(d appsv1.Deployment, sets []appsv1.ReplicaSet) []appsv1.ReplicaSet {
	mine := slices.DeleteFunc(slices.Clone(sets), func(set appsv1.ReplicaSet) bool { return !metav1.IsControlledBy(&set, &d) })
	slices.SortFunc(mine, func(a, b appsv1.ReplicaSet) int { return cmp.Compare(rollout(a), rollout(b)) })
	return mine
}

func rollout(set appsv1.ReplicaSet) int {
	n, err := strconv.Atoi(set.Annotations[revision])
	if err != nil {
		return 0 // not rolled out yet: the controller has not come to it
	}
	return n
}

// versions are those of the rollouts that Kubernetes remembers: first those that led to the present one, each before the one that
// replaced it, and then those that were rolled back from. A version that comes again is a roll-back to it, and what had followed it led
// nowhere: else the version before a new one would be the bad one that it was to replace.
func versions(d appsv1.Deployment, sets []appsv1.ReplicaSet) []string {
	var led, left []string
	come := func(version string) {
		if version == "" {
			return
		}
		left = slices.DeleteFunc(left, func(v string) bool { return v == version })
		if at := slices.Index(led, version); at >= 0 {
			left = append(left, led[at+1:]...)
			led = led[:at]
		}
		led = append(led, version)
	}
	history := map[int]string{}
	for _, set := range sets {
		for _, n := range rollouts(set) {
			history[n] = set.Spec.Template.Labels[versionLabel]
		}
	}
	for _, n := range slices.Sorted(maps.Keys(history)) {
		come(history[n])
	}
	come(d.Spec.Template.Labels[versionLabel]) // also where the controller has not come to it
	return append(led, left...)
}

// rollouts are all that a replica set belonged to; none where the controller has not come to it.
func rollouts(set appsv1.ReplicaSet) []int {
	var all []int
	if n := rollout(set); n > 0 {
		all = append(all, n)
	}
	for text := range strings.SplitSeq(set.Annotations[revisionHistory], ",") {
		if n, err := strconv.Atoi(text); err == nil {
			all = append(all, n)
		}
	}
	return all
}
