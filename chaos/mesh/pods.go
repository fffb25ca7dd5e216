package mesh

import (
	"context"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// pods lists those of a selector of labels, sorted by name; with phases, only those in one of them.
func (c *Client) pods(ctx context.Context, labels map[string]string, phases ...string) ([]corev1.Pod, error) {
	var list corev1.PodList
	if err := c.config.API.List(ctx, &list, client.InNamespace(c.config.Namespace), client.MatchingLabels(labels)); err != nil {
		return nil, fmt.Errorf("the pods of namespace %s: %w", c.config.Namespace, err)
	}
	found := slices.DeleteFunc(list.Items, func(pod corev1.Pod) bool {
		return pod.DeletionTimestamp != nil || len(phases) > 0 && !slices.Contains(phases, string(pod.Status.Phase))
	})
	slices.SortFunc(found, func(a, b corev1.Pod) int { return strings.Compare(a.Name, b.Name) })
	return found, nil
}

// selected lists the pods that a resource would select now.
func (c *Client) selected(ctx context.Context, resource Resource) ([]corev1.Pod, error) {
	selector := podSelector(resource.GetSelectorSpecs()["."]).Selector
	return c.pods(ctx, selector.LabelSelectors, selector.PodPhaseSelectors...)
}

// replicas names the pods of a workload of ours.
func (c *Client) replicas(ctx context.Context, workload string) ([]string, error) {
	found, err := c.pods(ctx, map[string]string{nameLabel: workload, partOfLabel: "faultline"})
	names := make([]string, 0, len(found))
	for _, pod := range found {
		names = append(names, pod.Name)
	}
	return names, err
}

func ready(pod corev1.Pod) bool {
	for _, condition := range pod.Status.Conditions {
		if condition.Type == corev1.PodReady {
			return condition.Status == corev1.ConditionTrue
		}
	}
	return false
}

func restarts(pod corev1.Pod) int32 {
	var sum int32
	for _, status := range pod.Status.ContainerStatuses {
		sum += status.RestartCount
	}
	return sum
}
