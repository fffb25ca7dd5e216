package target

import (
	"context"
	"fmt"

	"github.com/faultline-lab/faultline/chaos/control"
	"github.com/faultline-lab/faultline/chaos/kube"
	"github.com/faultline-lab/faultline/observability/endpoints"
)

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
	// WipeState gives the workload's next start an empty state; control.ErrConflict unless it is scaled to 0.
	WipeState(ctx context.Context, workload string) error
}

// Open reads from the stack's file where it runs. It calls nobody yet.
func Open(stack endpoints.Stack) (Control, error) {
	if stack.Kubernetes != nil {
		client, err := kube.Open(*stack.Kubernetes)
		if err != nil {
			return nil, err
		}
		return client, nil
	}
	token, err := endpoints.Token(stack.ControlTokenFile)
	if err != nil {
		return nil, fmt.Errorf("the supervisor's token cannot be read: %w", err)
	}
	client, err := control.New(control.Config{BaseURL: stack.Endpoints.Control, Token: token})
	if err != nil {
		return nil, err
	}
	return client, nil
}
