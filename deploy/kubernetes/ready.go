package kubernetes

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

const (
	readyTick = 500 * time.Millisecond
	// logLines and logBytes bound what is shown of a program's last words.
	logLines, logBytes = int64(8), int64(4 << 10)
)

// needed leaves out what the stack is complete without.
const needed = "faultline.dev/optional!=true"

// WaitReady returns when all Deployments and StatefulSets of the namespace but optional ones run as they were last asked to. It fails as soon as
// something has happened that does not get better by waiting, with the reason and, where a program ended, with its last
// words; and when ctx ends, with what was missing. progress is told what is waited for whenever that changes.
func WaitReady(ctx context.Context, config *rest.Config, namespace string, progress func(waiting []string)) error {
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return fmt.Errorf("wait for %s: %w", namespace, err)
	}
	if progress == nil {
		progress = func([]string) {}
	}
	var told, waiting []string
	var last error // of a look that failed for another reason than the end of ctx
	from := wait{began: time.Now()}
	for {
		seen, err := look(ctx, client, namespace)
		if err == nil {
			from = from.after(seen, time.Now())
			waiting, err = seen.judge(from, time.Now())
			if hopeless, ok := errors.AsType[*hopelessError](err); ok {
				return hopeless.withLog(ctx, client, namespace)
			}
			if len(waiting) == 0 {
				return nil
			}
		}
		if err == nil && !slices.Equal(told, waiting) {
			told = waiting
			progress(slices.Clone(waiting))
		}
		if err == nil || ctx.Err() == nil {
			last = err
		}
		select {
		case <-ctx.Done():
			return notReady(ctx, waiting, last)
		case <-time.After(readyTick):
		}
	}
}

// notReady is the error of a wait that was ended, with what was missing and the last thing that went wrong in looking.
func notReady(ctx context.Context, waiting []string, last error) error {
	err := context.Cause(ctx)
	if last != nil {
		err = errors.Join(err, last)
	}
	if len(waiting) == 0 {
		return fmt.Errorf("gave up waiting: %w", err)
	}
	return fmt.Errorf("gave up waiting for %s: %w", strings.Join(waiting, ", "), err)
}

// look reads the state of a namespace. Failing is not final: an API server may be away for a moment.
func look(ctx context.Context, client kubernetes.Interface, namespace string) (state, error) {
	var seen state
	needs := metav1.ListOptions{LabelSelector: needed}
	deployments, err := client.AppsV1().Deployments(namespace).List(ctx, needs)
	if err != nil {
		return seen, err
	}
	sets, err := client.AppsV1().StatefulSets(namespace).List(ctx, needs)
	if err != nil {
		return seen, err
	}
	pods, err := client.CoreV1().Pods(namespace).List(ctx, needs)
	if err != nil {
		return seen, err
	}
	if len(deployments.Items)+len(sets.Items) == 0 {
		return seen, fmt.Errorf("namespace %s has no Deployment and no StatefulSet: apply an overlay first", namespace)
	}
	return state{deployments.Items, sets.Items, pods.Items}, nil
}

// hopelessError is what does not get better by waiting.
type hopelessError struct {
	pod, container string // of which there may be last words; empty where not
	reason         string
}

func (e *hopelessError) Error() string { return e.reason }

// withLog adds the last words of the container that ended.
func (e *hopelessError) withLog(ctx context.Context, client kubernetes.Interface, namespace string) error {
	if e.container == "" {
		return e
	}
	stream, err := client.CoreV1().Pods(namespace).GetLogs(e.pod, &corev1.PodLogOptions{
		Container: e.container, Previous: true, TailLines: new(logLines), LimitBytes: new(logBytes),
	}).Stream(ctx)
	if err != nil {
		return fmt.Errorf("%w (its log cannot be read: %w)", e, err)
	}
	defer stream.Close()
	words, err := io.ReadAll(stream)
	if err != nil {
		return fmt.Errorf("%w (its log cannot be read: %w)", e, err)
	}
	return fmt.Errorf("%w; its last words:\n%s", e, strings.TrimSpace(string(words)))
}
