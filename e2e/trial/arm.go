package trial

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/faultline-lab/faultline/chaos/control"
	"github.com/faultline-lab/faultline/chaos/target"
)

// Arm is who answers the alert.
type Arm string

// arms is every arm there is, with what it does to the healer before a trial.
var arms = map[Arm]struct {
	summary string
	healers int  // replicas of autoheal that run during the trial
	bot     bool // a bot of that name takes the healer's place
}{
	"healer":      {"autoheal answers the alert", 1, false},
	"restart-bot": {"a bot restarts whatever the alert names", 0, true},
	"accept-bot":  {"a bot has the edge take all orders for later", 0, true},
	"none":        {"nobody answers the alert", 0, false},
}

// ParseArm reads the name of an arm; its error names those there are.
func ParseArm(name string) (Arm, error) {
	if _, ok := arms[Arm(name)]; !ok {
		return "", fmt.Errorf("unknown arm %q; there are: %s", name, strings.Join(Arms(), ", "))
	}
	return Arm(name), nil
}

// Arms names the arms, sorted.
func Arms() []string {
	var names []string
	for _, name := range slices.Sorted(maps.Keys(arms)) {
		names = append(names, string(name))
	}
	return names
}

const healerWorkload = "autoheal"

// scaleBound is how long a healer may take to end or to be ready: a pod is slower than a process.
const scaleBound = 60 * time.Second

// FreshHealer gives the stack healers with an empty store, so that no cooldown or hourly limit of the past reaches them.
func FreshHealer(ctx context.Context, supervisor target.Control, healers int) error {
	if err := ScaleHealer(ctx, supervisor, 0); err != nil {
		return err
	}
	if err := supervisor.WipeState(ctx, healerWorkload); err != nil {
		return fmt.Errorf("giving the healer a fresh store: %w", err)
	}
	return ScaleHealer(ctx, supervisor, healers)
}

// prepare gives the trial a fresh healer, or takes the healer away.
func (a Arm) prepare(ctx context.Context, supervisor target.Control) error {
	return FreshHealer(ctx, supervisor, arms[a].healers)
}

// ScaleHealer sets the number of healers and waits until exactly that many are there and ready, a minute at most.
func ScaleHealer(ctx context.Context, supervisor target.Control, healers int) error {
	ctx, cancel := context.WithTimeout(ctx, scaleBound)
	defer cancel()
	if err := supervisor.Scale(ctx, healerWorkload, healers); err != nil {
		return fmt.Errorf("scaling the healer to %d: %w", healers, err)
	}
	for {
		workload, err := supervisor.Workload(ctx, healerWorkload)
		if err == nil && settled(workload, healers) {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting for %d healers: %w (%s)", healers, ctx.Err(), describe(workload, err))
		case <-time.After(25 * time.Millisecond):
		}
	}
}

func settled(workload control.Workload, healers int) bool {
	ready, alive := 0, 0
	for _, replica := range workload.Replicas {
		if replica.State == control.Ready {
			ready++
		}
		if replica.State != control.Stopped {
			alive++
		}
	}
	return ready == healers && alive == healers
}

func describe(workload control.Workload, err error) string {
	if err != nil {
		return err.Error()
	}
	var states []string
	for _, replica := range workload.Replicas {
		states = append(states, replica.ID+" is "+replica.State)
	}
	return strings.Join(states, ", ")
}
