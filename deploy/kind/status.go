package kind

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	manifests "github.com/faultline-lab/faultline/deploy/kubernetes"
)

// ErrNoCluster says that this checkout has no cluster.
var ErrNoCluster = errors.New("no kind cluster of this checkout: make one with `stack kind up`")

// Report is how a cluster and its pods are.
type Report struct {
	Cluster   string    `json:"cluster"`
	NodeImage string    `json:"node_image"`
	MadeAt    time.Time `json:"made_at"`
	Namespace string    `json:"namespace"`
	Pods      []Pod     `json:"pods"`
}

// Pod is one pod of the stack.
type Pod struct {
	Name     string    `json:"name"`
	Ready    bool      `json:"ready"`
	State    string    `json:"state"` // its phase, or why its container waits
	Restarts int32     `json:"restarts"`
	Since    time.Time `json:"since"`
}

// Status looks at the cluster of this checkout. It returns ErrNoCluster when there is none.
func Status(ctx context.Context, cfg Config) (Report, error) {
	at, err := cfg.defaults()
	if err != nil {
		return Report{}, err
	}
	if _, err := findEngine(ctx); err != nil {
		return Report{}, err
	}
	there, err := find(ctx, cfg.Cluster, at, false)
	if err != nil {
		return Report{}, err
	}
	if there == nil {
		return Report{}, ErrNoCluster
	}
	switch whose, err := there.judge(placeOf(cfg.Root)); {
	case err != nil:
		return Report{}, err
	case whose == abandoned:
		return Report{}, fmt.Errorf("cluster %s was made by the checkout %s, which is gone: `stack kind up` takes it over", cfg.Cluster, there.marker.at())
	case whose == halfMade:
		return Report{}, fmt.Errorf("cluster %s is half made: `stack kind up` makes it anew, `stack kind down` takes it away", cfg.Cluster)
	case whose == broken:
		return Report{}, fmt.Errorf("cluster %s does not answer: %w: `stack kind up` starts it, `stack kind down` takes it away", cfg.Cluster, there.silent)
	}
	objects, err := manifests.Render(manifests.Options{Overlay: overlay})
	if err != nil {
		return Report{}, err
	}
	client, err := clientOf(cfg.Cluster)
	if err != nil {
		return Report{}, err
	}
	report := Report{
		Cluster: cfg.Cluster, NodeImage: there.marker.NodeImage, MadeAt: there.marker.MadeAt, Namespace: manifests.Namespace(objects),
	}
	report.Pods, err = pods(ctx, client, report.Namespace)
	return report, err
}

func pods(ctx context.Context, client kubernetes.Interface, namespace string) ([]Pod, error) {
	list, err := client.CoreV1().Pods(namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, fmt.Errorf("the pods of namespace %s: %w", namespace, err)
	}
	all := make([]Pod, 0, len(list.Items))
	for i := range list.Items {
		all = append(all, podOf(&list.Items[i]))
	}
	slices.SortFunc(all, func(a, b Pod) int { return strings.Compare(a.Name, b.Name) })
	return all, nil
}

func podOf(from *corev1.Pod) Pod {
	pod := Pod{Name: from.Name, State: string(from.Status.Phase), Since: from.CreationTimestamp.Time}
	for _, condition := range from.Status.Conditions {
		if condition.Type == corev1.PodReady {
			pod.Ready = condition.Status == corev1.ConditionTrue
		}
	}
	for _, container := range from.Status.ContainerStatuses {
		pod.Restarts += container.RestartCount
		if container.State.Waiting != nil {
			pod.State = container.State.Waiting.Reason
		}
	}
	if from.DeletionTimestamp != nil {
		pod.State = "Terminating"
	}
	return pod
}
