package bot

import (
	"context"
	"errors"
	"time"

	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/chaos/control"
	"github.com/faultline-lab/faultline/chaos/target"
	"github.com/faultline-lab/faultline/e2e/record"
	"github.com/faultline-lab/faultline/observability/endpoints"
)

// restartBound is how long a replica may take to be replaced.
const restartBound = 20 * time.Second

// restarter restarts whatever the alert names: the replica, or each replica of the workload where it names none.
type restarter struct{ control target.Control }

func newRestarter(_ endpoints.Stack, supervisor target.Control) (habit, error) {
	return restarter{supervisor}, nil
}

func (restarter) again() time.Duration { return 10 * time.Second }

func (r restarter) answer(ctx context.Context, a alert) []record.Action {
	workload, err := r.control.Workload(ctx, a.Labels["workload"])
	if err != nil {
		return nil
	}
	named, found := workload.Replica(a.Labels["instance"])
	if found {
		return []record.Action{r.restart(ctx, workload.Name, named)}
	}
	var done []record.Action
	for _, replica := range workload.Replicas {
		if replica.State == control.Ready {
			done = append(done, r.restart(ctx, workload.Name, replica))
		}
	}
	return done
}

func (r restarter) restart(ctx context.Context, workload string, replica control.Replica) record.Action {
	ctx, cancel := context.WithTimeout(ctx, restartBound)
	defer cancel()
	action := record.Action{
		Remedy: "restart-replicas", Kind: string(incident.ReplicaTarget), Target: replica.ID,
		StartedAt: time.Now().UTC(), Result: incident.ResultDone,
	}
	err := r.control.Restart(ctx, workload, replica.ID, replica.StartID)
	if errors.Is(err, control.ErrConflict) {
		action.Result = incident.ResultSkipped
		return action
	}
	if err == nil {
		err = r.control.WaitReplaced(ctx, workload, replica.ID, replica.StartID)
	}
	if err != nil {
		action.Result = incident.ResultFailed
	}
	return action
}
