package kind

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/fake"
)

func TestAPartIsAskedUntilItAnswers(t *testing.T) {
	var asked atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if asked.Add(1) < 3 {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	defer server.Close()
	var said []string
	err := allAnswer(t.Context(), time.Minute, map[string]question{
		"late": get(server.URL), "early": func(context.Context) error { return nil },
	}, func(text string) { said = append(said, text) })
	if err != nil || asked.Load() != 3 {
		t.Errorf("asked %d times, %v", asked.Load(), err)
	}
	if len(said) != 3 || said[0] != "waiting for early, late" || said[2] != "waiting for late" {
		t.Errorf("said %q", said)
	}
}

func TestWhoDoesNotAnswerInTimeIsNamedWithTheReason(t *testing.T) {
	refused := errors.New("refused")
	err := allAnswer(t.Context(), 0, map[string]question{
		"loki": func(context.Context) error { return refused }, "jaeger": func(context.Context) error { return nil },
	}, func(string) {})
	if !errors.Is(err, refused) || !strings.Contains(err.Error(), "loki") || strings.Contains(err.Error(), "jaeger") {
		t.Errorf("it says %v", err)
	}
}

func TestAnInterruptEndsTheWait(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	cause := errors.New("enough")
	err := allAnswer(ctx, time.Hour, map[string]question{
		"never": func(context.Context) error { cancel(cause); return errors.New("not yet") },
	}, func(string) {})
	if !errors.Is(err, cause) {
		t.Errorf("it says %v", err)
	}
}

func TestAPodsStateSaysWhyItWaits(t *testing.T) {
	now := metav1.NewTime(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC))
	pod := func(name string, change func(*corev1.Pod)) *corev1.Pod {
		p := &corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "shop", CreationTimestamp: now},
			Status:     corev1.PodStatus{Phase: corev1.PodRunning},
		}
		change(p)
		return p
	}
	client := fake.NewClientset(
		pod("b", func(p *corev1.Pod) {
			p.Status.ContainerStatuses = []corev1.ContainerStatus{{
				RestartCount: 3, State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "CrashLoopBackOff"}},
			}}
		}),
		pod("a", func(p *corev1.Pod) {
			p.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}}
		}),
		pod("c", func(p *corev1.Pod) { p.DeletionTimestamp, p.Finalizers = &now, []string{"x"} }),
	)
	got, err := pods(t.Context(), client, "shop")
	if err != nil {
		t.Fatal(err)
	}
	want := []Pod{
		{Name: "a", Ready: true, State: "Running", Since: now.Time},
		{Name: "b", State: "CrashLoopBackOff", Restarts: 3, Since: now.Time},
		{Name: "c", State: "Terminating", Since: now.Time},
	}
	if len(got) != len(want) {
		t.Fatalf("got %+v", got)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("got %+v, want %+v", got[i], want[i])
		}
	}
}
