package target

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"k8s.io/client-go/transport"

	"github.com/faultline-lab/faultline/chaos/control"
	"github.com/faultline-lab/faultline/chaos/kube"
	"github.com/faultline-lab/faultline/observability/endpoints"
)

// callTimeout bounds one call of the supervisor.
const callTimeout = 5 * time.Second

// Control restarts and scales the workloads of a stack. Both targets behave alike; the tests of this package hold them to it.
type Control interface {
	// Workload reads one workload with its replicas.
	Workload(ctx context.Context, name string) (control.Workload, error)
	// Restart restarts one replica, provided that it is still the start that was judged; else control.ErrConflict.
	Restart(ctx context.Context, workload, replica, startID string) error
	// WaitReplaced waits until that start is gone and the workload has all its replicas ready.
	WaitReplaced(ctx context.Context, workload, replica, startID string) error
	// Scale sets the number of replicas and does not wait for them.
	Scale(ctx context.Context, workload string, replicas int) error
	// SetVersion rolls a version out and does not wait for its replicas.
	SetVersion(ctx context.Context, workload, version string) error
	// Ask calls one replica itself, whatever stands between; body and into are JSON, nil means none. An answer other than 2xx
	// is a *control.Refusal.
	Ask(ctx context.Context, workload string, replica control.Replica, method, path string, body, into any) error
	// WipeState gives the workload's next start an empty state; control.ErrConflict unless it is scaled to 0.
	WipeState(ctx context.Context, workload string) error
}

// Wrap stands around the transport of calls, such as to make spans of them; nil stands for nothing.
type Wrap func(http.RoundTripper) http.RoundTripper

// Around gives the wrapped transport.
func (w Wrap) Around(base http.RoundTripper) http.RoundTripper {
	if w == nil {
		return base
	}
	return w(base)
}

// Open reads from the stack's file where it runs. It calls nobody yet.
func Open(stack endpoints.Stack) (Control, error) { return OpenThrough(stack, nil) }

// OpenThrough is Open with all calls going through a wrapped transport.
func OpenThrough(stack endpoints.Stack, wrap Wrap) (Control, error) {
	if stack.Kubernetes != nil {
		client, err := kube.Open(*stack.Kubernetes, transport.WrapperFunc(wrap))
		if err != nil {
			return nil, err
		}
		return client, nil
	}
	token, err := endpoints.Token(stack.ControlTokenFile)
	if err != nil {
		return nil, fmt.Errorf("the supervisor's token cannot be read: %w", err)
	}
	client, err := control.New(control.Config{
		BaseURL: stack.Endpoints.Control, Token: token,
		HTTP: &http.Client{Timeout: callTimeout, Transport: wrap.Around(http.DefaultTransport)},
	})
	if err != nil {
		return nil, err
	}
	return client, nil
}
