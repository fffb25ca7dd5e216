package remedy

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/autoheal/workload"
)

// HealthCheckName is the name of the remedy that asks and does nothing else.
const HealthCheckName = "health-check"

// askHealthTimeout bounds one question: a process that takes longer to say that it lives is no better than one that does not.
const askHealthTimeout = time.Second

// HealthCheck asks every replica of the workload for /livez and /readyz, and writes down what they say.
type HealthCheck struct {
	replicas Watcher
	http     *http.Client
}

// Name is health-check.
func (*HealthCheck) Name() string { return HealthCheckName }

// Traits of asking.
func (*HealthCheck) Traits() Traits { return Traits{Harmless: true} }

// Check refuses all parameters: there are none.
func (*HealthCheck) Check(params Params) (string, error) { return params.none() }

// Targets is the workload at the root.
func (*HealthCheck) Targets(seen Sight, _ Params) ([]incident.Target, string) { return seen.root() }

// Apply asks all replicas at once. Whatever they answer, it is done; it fails only when nobody could be asked.
func (h *HealthCheck) Apply(ctx context.Context, a Application) Effect {
	ctx, cancel := context.WithTimeout(ctx, a.Timeout)
	defer cancel()
	seen, err := h.replicas.Workload(ctx, a.Target.Workload)
	if err != nil {
		return Effect{Result: incident.ResultFailed, Detail: fmt.Sprintf("the replicas of %s are not known: %v", a.Target.Workload, err)}
	}
	if len(seen.Replicas) == 0 {
		return Effect{Result: incident.ResultDone, Detail: a.Target.Workload + " has no replica"}
	}
	said := make([]string, len(seen.Replicas))
	var answers sync.WaitGroup
	for i, r := range seen.Replicas {
		answers.Go(func() { said[i] = h.ask(ctx, r) })
	}
	answers.Wait()
	return Effect{Result: incident.ResultDone, Detail: strings.Join(said, "; ")}
}

func (h *HealthCheck) ask(ctx context.Context, r workload.Replica) string {
	if r.Address == "" {
		return fmt.Sprintf("%s is %s and has no address", r.ID, r.State)
	}
	lives, ready := h.get(ctx, r, "/livez"), h.get(ctx, r, "/readyz")
	if lives == "" && ready == "" {
		return r.ID + " lives and is ready"
	}
	return fmt.Sprintf("%s: /livez %s, /readyz %s", r.ID, cmp.Or(lives, "is good"), cmp.Or(ready, "is good"))
}

// get says what is wrong with an answer; "" is 200.
func (h *HealthCheck) get(ctx context.Context, r workload.Replica, path string) string {
	ctx, cancel := context.WithTimeout(ctx, askHealthTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+r.Address+path, nil)
	if err != nil {
		return err.Error()
	}
	res, err := h.http.Do(req)
	if err != nil {
		return "gives no answer"
	}
	if err := res.Body.Close(); err != nil || res.StatusCode == http.StatusOK {
		return ""
	}
	return fmt.Sprintf("answers %d", res.StatusCode)
}
