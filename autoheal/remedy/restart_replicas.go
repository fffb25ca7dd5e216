package remedy

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/autoheal/workload"
)

// RestartReplicasName is the remedy's name in playbooks and records.
const RestartReplicasName = "restart-replicas"

const (
	// pollReplica is the pause between two looks at a restart that is under way. On Kubernetes a look is three requests.
	pollReplica   = 50 * time.Millisecond
	askTimeout    = 2 * time.Second
	pauseAfterErr = 200 * time.Millisecond
	// pauseAfterNo follows a refusal for the moment. All evidence is gathered again before the next request.
	pauseAfterNo = time.Second
	attempts     = 3
)

// RestartReplicas restarts one replica in order and waits until it, or what took its place, is ready.
type RestartReplicas struct{ replicas Replicas }

// NewRestartReplicas makes the remedy.
func NewRestartReplicas(replicas Replicas) (*RestartReplicas, error) {
	if replicas == nil {
		return nil, errors.New("remedy restart-replicas: no control over replicas was given")
	}
	return &RestartReplicas{replicas}, nil
}

// Name is restart-replicas.
func (*RestartReplicas) Name() string { return RestartReplicasName }

// Traits of a restart: requests that are under way end with the process.
func (*RestartReplicas) Traits() Traits { return Traits{Destructive: true, EndsRequests: true} }

// Check refuses all parameters: there are none.
func (*RestartReplicas) Check(params Params) (string, error) { return params.none() }

// Targets are the replicas that show the cause, of the workload at the root.
func (*RestartReplicas) Targets(seen Sight, _ Params) ([]incident.Target, string) {
	return seen.sickReplicas()
}

// Apply restarts the target unless its start id has changed since it was judged, and waits until the restart is complete.
func (r *RestartReplicas) Apply(ctx context.Context, a Application) Effect {
	ctx, cancel := context.WithTimeout(ctx, a.Timeout)
	defer cancel()
	one := restart{Application: a, replicas: r.replicas, asked: a.Resumed}
	err := one.request(ctx)
	if errors.Is(err, workload.ErrNotFound) {
		return Effect{Result: incident.ResultSkipped, Detail: a.Target.Name + " is not there any more"}
	}
	if refused, ok := errors.AsType[refusal](err); ok {
		return one.stopped(string(refused))
	}
	if err != nil {
		return Effect{
			Result: incident.ResultFailed, Detail: fmt.Sprintf("the restart of %s could not be asked for: %v", a.Target.Name, err),
		}
	}
	return one.await(ctx)
}

// restart is one application of the remedy.
type restart struct {
	Application
	replicas Replicas
	// asked says that the restart may be our doing. An answer that got lost may have been a yes; the next look tells.
	asked bool
	// before are the ids that were there when the replica was last seen as it was judged; nil when it never was.
	before map[string]bool
}

// refusal is why the healer itself does not want the action any more.
type refusal string

func (r refusal) Error() string { return string(r) }

// stopped is the end of a restart that the healer itself does not want any more.
func (r *restart) stopped(why string) Effect {
	if r.asked { // a request whose answer got lost may still have its effect
		return Effect{Result: incident.ResultFailed, Detail: "the restart may have been asked for, and is not asked for again: " + why}
	}
	return Effect{Result: incident.ResultSkipped, Detail: why}
}

// request asks for the restart until it is known to be under way. A refusal for the moment (a disruption budget) is
// asked again as long as there is time; what fails otherwise, a few times. Each time after the first, the healer must
// still want it.
func (r *restart) request(ctx context.Context) error {
	var notNow error
	for attempt, recheck := 1, false; ; recheck = true {
		underWay, err := r.tryOnce(ctx, recheck)
		wait := pauseAfterErr
		_, refused := errors.AsType[refusal](err)
		switch {
		case underWay, refused, errors.Is(err, workload.ErrNotFound), errors.Is(err, workload.ErrRefused):
			return err
		case errors.Is(err, workload.ErrNotNow):
			notNow, wait = err, pauseAfterNo
		case notNow != nil && ctx.Err() != nil:
			return notNow // says more than that the time is over
		case attempt == attempts:
			return err
		default:
			attempt++
		}
		if !sleep(ctx, wait) {
			return err
		}
	}
}

// tryOnce looks, and asks if the replica still is what was judged. The recheck comes before the look: what an earlier
// request of ours has begun by then is no reason to stop.
func (r *restart) tryOnce(ctx context.Context, recheck bool) (underWay bool, err error) {
	why := ""
	if recheck && r.Recheck != nil {
		if why, err = r.Recheck(ctx); err != nil {
			return false, err
		}
	}
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	t := r.Target
	seen, err := r.replicas.Workload(ctx, t.Workload)
	if err != nil {
		return false, err
	}
	live, there := seen.Replica(t.Name)
	switch {
	case !there && r.asked:
		return true, nil // another one takes its place
	case !there:
		return false, workload.ErrNotFound
	case live.StartID != t.Is || live.State == workload.Stopping:
		return true, nil
	case why != "":
		return false, refusal(why)
	}
	r.before = ids(seen)
	err = r.replicas.Restart(ctx, t.Workload, t.Name, t.Is)
	switch {
	case err == nil:
		r.asked = true
		return true, nil
	case errors.Is(err, workload.ErrNotFound):
		return r.asked, notFoundUnless(r.asked, err)
	case errors.Is(err, workload.ErrConflict), errors.Is(err, workload.ErrRefused), errors.Is(err, workload.ErrNotNow):
		// Nothing was changed. Whether a conflict is about the start (somebody was faster, or our own earlier request got
		// through) or about something else, the next look tells.
		return false, err
	default:
		r.asked = true // the request may have arrived all the same
		return false, err
	}
}

// notFoundUnless drops the error where the replica is gone because we asked.
func notFoundUnless(asked bool, err error) error {
	if asked {
		return nil
	}
	return err
}

// await waits until the restart is complete, and says what came of it. A look that fails is no end: the next may not.
func (r *restart) await(ctx context.Context) Effect {
	var last error
	for {
		seen, err := r.replicas.Workload(quiet(ctx), r.Target.Workload)
		if err == nil {
			var effect Effect
			if effect, err = r.judge(seen); err == nil {
				return effect
			}
		}
		if ctx.Err() == nil || last == nil {
			last = err
		}
		if !sleep(ctx, pollReplica) {
			return Effect{
				Result: incident.ResultFailed,
				Detail: fmt.Sprintf("%s did not become ready within %s: %v", r.Target.Name, r.Timeout, last),
			}
		}
	}
}

// judge tells a restart that is complete from one that is not yet. Complete means: the same id is ready as another
// start; or, where a restart gives another name, the id is gone or has ended, and the workload has all the replicas that
// it shall have. The error says what is missing.
func (r *restart) judge(seen workload.Workload) (Effect, error) {
	id := r.Target.Name
	live, there := seen.Replica(id)
	switch {
	case there && live.StartID != r.Target.Is && live.State == workload.Ready:
		return r.effect(fmt.Sprintf("%s is ready as start %s", id, live.StartID),
			fmt.Sprintf("%s has been started anew by somebody else (%s)", id, live.StartID)), nil
	case there && live.State != workload.Stopped:
		return Effect{}, fmt.Errorf("it is %s (start %s)", live.State, live.StartID)
	case seen.Ready() < seen.Desired:
		return Effect{}, fmt.Errorf("it is gone, and %d of %d replicas are ready", seen.Ready(), seen.Desired)
	}
	successors := r.successors(seen)
	if len(successors) == 0 {
		gone := fmt.Sprintf("%s is gone, and nothing took its place: the workload wants %d replicas", id, seen.Desired)
		if r.before == nil { // nobody knows whether it went because an earlier life of the healer asked
			return Effect{Result: incident.ResultSkipped, Detail: gone}, nil
		}
		return r.effect(gone, gone), nil
	}
	effect := r.effect(fmt.Sprintf("%s has ended, and %s is ready in its place", id, list(successors)),
		fmt.Sprintf("%s has been ended by somebody else, and %s is ready in its place", id, list(successors)))
	effect.ReplacedBy = successors
	return effect, nil
}

func (r *restart) effect(ours, theirs string) Effect {
	if r.asked {
		return Effect{Result: incident.ResultDone, Detail: ours}
	}
	return Effect{Result: incident.ResultSkipped, Detail: theirs}
}

// sleep says false when the context ended first.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
