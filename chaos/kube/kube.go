package kube

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/transport"

	"github.com/faultline-lab/faultline/chaos/control"
	"github.com/faultline-lab/faultline/observability/endpoints"
)

const (
	nameLabel    = "app.kubernetes.io/name"
	versionLabel = "app.kubernetes.io/version"
	partOfLabel  = "app.kubernetes.io/part-of"
	partOf       = "faultline"
	ours         = partOfLabel + "=" + partOf
)

// Config is what a Client needs.
type Config struct {
	API       kubernetes.Interface
	Namespace string
	// PollInterval is how often WaitReplaced looks; 0 means 200 ms.
	PollInterval time.Duration
}

// Client speaks to the Kubernetes API.
type Client struct{ config Config }

// New returns a client; it does not call anything.
func New(config Config) (*Client, error) {
	if config.API == nil || config.Namespace == "" {
		return nil, errors.New("kube: Config.API and Config.Namespace are required")
	}
	if config.PollInterval == 0 {
		config.PollInterval = 200 * time.Millisecond
	}
	return &Client{config}, nil
}

// Open makes a client from what stack.json says of the cluster. Its calls go through the wrapped transport; nil wraps nothing.
func Open(where endpoints.Kubernetes, wrap transport.WrapperFunc) (*Client, error) {
	config, err := Access(where, wrap)
	if err != nil {
		return nil, err
	}
	api, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("the stack's kubeconfig: %w", err)
	}
	return New(Config{API: api, Namespace: where.Namespace})
}

// Workload reads one workload with its replicas. A workload that is not there is an error that names those that are.
func (c *Client) Workload(ctx context.Context, name string) (control.Workload, error) {
	deployments, err := c.config.API.AppsV1().Deployments(c.config.Namespace).List(ctx, metav1.ListOptions{LabelSelector: ours})
	if err != nil {
		return control.Workload{}, fmt.Errorf("the Kubernetes API: %w", err)
	}
	var names []string
	for _, d := range deployments.Items {
		if d.Name != name {
			names = append(names, d.Name)
			continue
		}
		pods, err := c.config.API.CoreV1().Pods(c.config.Namespace).List(ctx, metav1.ListOptions{
			LabelSelector: metav1.FormatLabelSelector(d.Spec.Selector),
		})
		if err != nil {
			return control.Workload{}, fmt.Errorf("the pods of %s: %w", name, err)
		}
		found := control.Workload{Name: name, Labels: d.Labels, Desired: 1, Version: d.Spec.Template.Labels[versionLabel]}
		if d.Spec.Replicas != nil {
			found.Desired = int(*d.Spec.Replicas)
		}
		for _, pod := range pods.Items {
			found.Replicas = append(found.Replicas, replica(pod))
		}
		return found, nil
	}
	return control.Workload{}, fmt.Errorf("namespace %s has no workload %q; there are: %s", c.config.Namespace, name, strings.Join(names, ", "))
}

// Restart deletes the pod, provided that it is still the start that was judged; otherwise it returns
// control.ErrConflict. Its Deployment puts another one in its place.
func (c *Client) Restart(ctx context.Context, workload, id, startID string) error {
	pods := c.config.API.CoreV1().Pods(c.config.Namespace)
	pod, err := pods.Get(ctx, id, metav1.GetOptions{})
	switch {
	case apierrors.IsNotFound(err):
		return fmt.Errorf("%w: %s is gone", control.ErrConflict, id)
	case err != nil:
		return fmt.Errorf("the Kubernetes API: %w", err)
	case pod.Labels[nameLabel] != workload || pod.Labels[partOfLabel] != partOf:
		return fmt.Errorf("%s is no replica of %s", id, workload)
	}
	if now := replica(*pod); now.StartID != startID {
		return fmt.Errorf("%w: %s is start %s now, not %s", control.ErrConflict, id, now.StartID, startID)
	}
	err = pods.Delete(ctx, id, metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: new(pod.UID)}})
	if apierrors.IsNotFound(err) || apierrors.IsConflict(err) {
		return fmt.Errorf("%w: %w", control.ErrConflict, err)
	}
	return err
}

// Scale sets how many replicas a workload should have. It returns when that is accepted, not when they are ready.
func (c *Client) Scale(ctx context.Context, workload string, replicas int) error {
	patch := fmt.Appendf(nil, `{"spec":{"replicas":%d}}`, replicas)
	_, err := c.config.API.AppsV1().Deployments(c.config.Namespace).Patch(ctx, workload, types.MergePatchType, patch, metav1.PatchOptions{})
	if err != nil {
		return fmt.Errorf("the Kubernetes API: %w", err)
	}
	return nil
}

// WipeState makes sure that the next start of a workload finds nothing of the last. It returns control.ErrConflict
// unless the workload is scaled to 0 and its pods are gone: an emptyDir goes with its pod. A workload that keeps its
// files on a claim is refused: deleting people's volumes is not for an experiment to do.
func (c *Client) WipeState(ctx context.Context, workload string) error {
	d, err := c.config.API.AppsV1().Deployments(c.config.Namespace).Get(ctx, workload, metav1.GetOptions{})
	if err != nil {
		return fmt.Errorf("the Kubernetes API: %w", err)
	}
	for _, volume := range d.Spec.Template.Spec.Volumes {
		if volume.PersistentVolumeClaim != nil {
			return fmt.Errorf("%s keeps its files on the claim %s, which outlives it: trials need overlay dev, where they go with the pod",
				workload, volume.PersistentVolumeClaim.ClaimName)
		}
	}
	found, err := c.Workload(ctx, workload)
	if err != nil {
		return err
	}
	if found.Desired != 0 {
		return fmt.Errorf("%w: %s is not scaled to 0", control.ErrConflict, workload)
	}
	for _, replica := range found.Replicas {
		if replica.State != control.Stopped { // one that has ended may be listed for long, and its files are used by nobody
			return fmt.Errorf("%w: %s is scaled to 0, but %s is still %s", control.ErrConflict, workload, replica.ID, replica.State)
		}
	}
	return nil
}

// WaitReplaced waits until that start of the replica is gone and the workload has all its replicas ready. An API that
// does not answer for a moment is asked again until the context ends.
func (c *Client) WaitReplaced(ctx context.Context, workload, id, startID string) error {
	return control.WaitReplaced(ctx, c, workload, id, startID, c.config.PollInterval)
}

// replica is a pod as the contract sees it.
func replica(pod corev1.Pod) control.Replica {
	r := control.Replica{ID: pod.Name, Version: pod.Labels[versionLabel], State: state(pod), StartedAt: pod.CreationTimestamp.Time}
	for _, container := range pod.Status.ContainerStatuses {
		r.Restarts += int(container.RestartCount)
		if container.State.Running != nil {
			r.StartedAt = container.State.Running.StartedAt.Time
		}
	}
	r.StartID = fmt.Sprintf("%s.%d", pod.UID, r.Restarts)
	return r
}

func state(pod corev1.Pod) string {
	switch {
	case pod.DeletionTimestamp != nil:
		return control.Stopping
	case pod.Status.Phase == corev1.PodSucceeded || pod.Status.Phase == corev1.PodFailed:
		return control.Stopped
	}
	for _, condition := range pod.Status.Conditions {
		if condition.Type == corev1.PodReady && condition.Status == corev1.ConditionTrue {
			return control.Ready
		}
	}
	for _, container := range pod.Status.ContainerStatuses {
		if container.State.Waiting != nil && container.LastTerminationState.Terminated != nil {
			return control.Crashed
		}
	}
	return control.Starting
}
