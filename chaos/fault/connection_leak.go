package fault

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/faultline-lab/faultline/chaos/control"
	"github.com/faultline-lab/faultline/chaos/experiment"
	"github.com/faultline-lab/faultline/chaos/target"
)

// settleBound is how long after the burst the database may take to show the held connections. It covers an order that
// was still waiting for its connection (0.4 s) when its answer was given up.
const settleBound = 2 * time.Second

// startBound is the longest time between Prepare and the burst: the runner waits for a whole second and
// the phase after it.
const startBound = 3 * time.Second

// readyBound is how long one replica may take from the order to restart until it is ready again.
const readyBound = 30 * time.Second

func checkConnectionLeak(e experiment.Experiment) error {
	_, err := readLeakParameters(e)
	return err
}

// restarter takes leaked connections away: they end with their replica.
type restarter interface {
	Workload(ctx context.Context, name string) (control.Workload, error)
	Restart(ctx context.Context, workload, replica, startID string) error
	WaitReplaced(ctx context.Context, workload, replica, startID string) error
}

// connectionLeak wakes a bug of orders: its refusal of an expired coupon returns without giving the connection back.
// It does what any customer can do, and nothing else.
type connectionLeak struct {
	workload   string
	parameters leakParameters
	metrics    Metrics
	storefront string
	transport  target.Wrap
	sessions   sessions
	control    restarter
	first      int // customer and product of the burst
}

func openConnectionLeak(e experiment.Experiment, env Environment) (Driver, error) {
	parameters, err := readLeakParameters(e)
	if err != nil {
		return nil, err
	}
	admin, err := env.database("admin")
	if err != nil {
		return nil, fmt.Errorf("%w: without it nobody can tell whether connections are held", err)
	}
	if env.Stack.Endpoints.Storefront == "" {
		return nil, errors.New("the stack names no storefront: there is nowhere to order")
	}
	restarts, err := target.OpenThrough(env.Stack, env.Transport)
	if err != nil {
		return nil, fmt.Errorf("the fault could not be taken away: %w", err)
	}
	return &connectionLeak{
		workload: e.Scope.Workload, parameters: parameters, metrics: env.Metrics,
		storefront: env.Stack.Endpoints.Storefront, transport: env.Transport, sessions: sessions{url: admin}, control: restarts,
		first: env.chance().IntN(len(parameters.Products) * len(parameters.Customers)),
	}, nil
}

// Prepare asks how many connections there are to leak.
func (l *connectionLeak) Prepare(ctx context.Context) (State, error) {
	connections, err := poolSize(ctx, l.metrics, l.workload)
	if err != nil {
		return nil, err
	}
	state := leakState{Connections: connections}
	if state.Connections > l.parameters.AtMost {
		return nil, fmt.Errorf("the pools of %s hold %d connections, and at_most allows %d orders: raise at_most, or scale %s back",
			l.workload, state.Connections, l.parameters.AtMost, l.workload)
	}
	if state.From, err = l.sessions.clock(ctx); err != nil {
		return nil, err
	}
	return json.Marshal(state)
}

// poolSize is how many connections all pools of a workload may hold.
func poolSize(ctx context.Context, metrics Metrics, workload string) (int, error) {
	query := fmt.Sprintf(`sum(db_client_connection_max{job=%q})`, workload)
	values, err := metrics.Values(ctx, query)
	if err != nil {
		return 0, err
	}
	if len(values) != 1 || values[0] < 1 {
		return 0, fmt.Errorf("%s gives %v: without the size of the pools the fault cannot be sized", query, values)
	}
	return int(values[0]), nil
}

// Inject orders until every connection is held, and asks the database whether it is so.
func (l *connectionLeak) Inject(ctx context.Context, prepared State) (Injection, error) {
	injection := Injection{State: prepared}
	state, err := decodeLeak(prepared)
	if err != nil {
		return injection, err
	}
	if state.From, err = l.sessions.clock(ctx); err != nil {
		return injection, err
	}
	burst := newBurst(l.storefront, l.parameters, state.Connections, l.first, l.transport)
	state.Answers = burst.run(ctx)
	held, err := l.settle(ctx, &state)
	encoded, encodeErr := json.Marshal(state)
	if err := errors.Join(err, encodeErr, ctx.Err()); err != nil {
		return injection, err
	}
	injection.State, injection.Affected = encoded, replicasOf(held)
	injection.Detail = fmt.Sprintf("%d of %d connections of %s are held after %d orders (%s)",
		len(held), state.Connections, l.workload, burst.sent, describe(state.Answers))
	if len(held) < state.Connections {
		return injection, fmt.Errorf("only %s: has the leak been mended, or did somebody restart a replica meanwhile?", injection.Detail)
	}
	return injection, nil
}

// settle closes the window once every connection is seen to be held, or when settleBound has passed.
func (l *connectionLeak) settle(ctx context.Context, state *leakState) ([]session, error) {
	deadline := time.Now().Add(settleBound)
	for {
		now, err := l.sessions.clock(ctx)
		if err != nil {
			return nil, err
		}
		state.To = &now
		held, err := l.sessions.silent(ctx, l.workload, state.From, now, 2*pollInterval)
		if err != nil || len(held) >= state.Connections || time.Now().After(deadline) {
			return held, err
		}
		if err := sleep(ctx, pollInterval); err != nil {
			return nil, err
		}
	}
}

// StillPresent asks the database for sessions that went idle in the burst and have not been used since, for longer than
// any honest order holds one. A restart of the replica ends its sessions. Right after the burst nobody can tell a leaked
// session from a busy one: it waits until that has passed, which takes max_hold.
func (l *connectionLeak) StillPresent(ctx context.Context, encoded State) (Presence, error) {
	held, err := l.held(ctx, encoded)
	if err != nil {
		return Presence{}, err
	}
	if len(held) == 0 {
		return Presence{Subjects: []string{}, Detail: "no connection is held from the burst"}, nil
	}
	return Presence{Present: true, Subjects: replicasOf(held), Detail: describeSessions(held)}, nil
}

// held waits until leaked and busy sessions can be told apart, and gives the leaked ones.
func (l *connectionLeak) held(ctx context.Context, encoded State) ([]session, error) {
	state, err := decodeLeak(encoded)
	if err != nil {
		return nil, err
	}
	lastUse := state.lastUse(l.parameters.Burst.Duration)
	now, err := l.sessions.clock(ctx)
	if err != nil {
		return nil, err
	}
	if err := sleep(ctx, lastUse.Add(l.parameters.MaxHold.Duration).Sub(now)); err != nil {
		return nil, err
	}
	return l.sessions.silent(ctx, l.workload, state.From, lastUse, l.parameters.MaxHold.Duration)
}

// Restore restarts the replicas that hold leaked connections, one at a time, each to the end, and no others.
func (l *connectionLeak) Restore(ctx context.Context, encoded State) error {
	held, err := l.held(ctx, encoded)
	if err != nil {
		return err
	}
	for _, id := range replicasOf(held) {
		if err := l.restart(ctx, id); err != nil {
			return err
		}
	}
	return l.gone(ctx, encoded)
}

func (l *connectionLeak) restart(ctx context.Context, id string) error {
	ctx, cancel := context.WithTimeout(ctx, readyBound)
	defer cancel()
	workload, err := l.control.Workload(ctx, l.workload)
	if err != nil {
		return err
	}
	replica, ok := workload.Replica(id)
	if !ok {
		return nil // scaled away meanwhile; its sessions go with it
	}
	// A conflict says that somebody else has restarted it just now, which is as good.
	err = l.control.Restart(ctx, l.workload, id, replica.StartID)
	if err != nil && !errors.Is(err, control.ErrConflict) {
		return fmt.Errorf("restarting %s: %w", id, err)
	}
	return l.control.WaitReplaced(ctx, l.workload, id, replica.StartID)
}

// gone waits until the database has noticed the end of the old sessions.
func (l *connectionLeak) gone(ctx context.Context, encoded State) error {
	deadline := time.Now().Add(settleBound)
	for {
		held, err := l.held(ctx, encoded)
		if err != nil || len(held) == 0 {
			return err
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("still held after the restarts: %s", describeSessions(held))
		}
		if err := sleep(ctx, pollInterval); err != nil {
			return err
		}
	}
}

// replicasOf names the replicas of some sessions, sorted.
func replicasOf(held []session) []string {
	ids := []string{}
	for _, s := range held {
		ids = append(ids, s.replica)
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}
