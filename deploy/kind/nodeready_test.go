package kind

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/fake"
)

func aNode(ready corev1.ConditionStatus, message string) *corev1.Node {
	return &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: "x-control-plane"},
		Status: corev1.NodeStatus{Conditions: []corev1.NodeCondition{
			{Type: corev1.NodeMemoryPressure, Status: corev1.ConditionFalse}, {Type: corev1.NodeReady, Status: ready, Message: message},
		}},
	}
}

func TestANodeIsWaitedForUntilItIsReady(t *testing.T) {
	client := fake.NewClientset(aNode(corev1.ConditionFalse, "no network plugin"))
	ended := make(chan error, 1)
	go func() { ended <- awaitNode(t.Context(), client, time.Minute) }()
	awaitLooks(t, client)
	if _, err := client.CoreV1().Nodes().Update(t.Context(), aNode(corev1.ConditionTrue, ""), metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestTheWaitForANodeEndsWithItsContextAndSaysWhatWasMissing(t *testing.T) {
	cause := errors.New("enough")
	for name, c := range map[string]struct {
		client *fake.Clientset
		says   string
	}{
		"a node that is not ready":         {fake.NewClientset(aNode(corev1.ConditionFalse, "no network plugin")), "no network plugin"},
		"a cluster whose node is not seen": {fake.NewClientset(), "no node yet"},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancelCause(t.Context())
			ended := make(chan error, 1)
			go func() { ended <- awaitNode(ctx, c.client, time.Hour) }()
			awaitLooks(t, c.client)
			cancel(cause)
			if err := <-ended; !errors.Is(err, cause) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("it says %v", err)
			}
			if err := awaitNode(t.Context(), c.client, time.Millisecond); err == nil || !strings.Contains(err.Error(), c.says) ||
				!strings.Contains(err.Error(), "not ready within 1ms") {
				t.Errorf("when its time is over it says %v", err)
			}
		})
	}
}

// awaitLooks waits until the nodes were asked for twice: the first answer was not enough.
func awaitLooks(t *testing.T, client *fake.Clientset) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); len(client.Actions()) < 2; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("it does not look again")
		}
	}
}
