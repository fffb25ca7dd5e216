package collect

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"
	"time"

	"github.com/faultline-lab/faultline/chaos/experiment"
	"github.com/faultline-lab/faultline/chaos/runner"
	"github.com/faultline-lab/faultline/e2e/signature"
	"github.com/faultline-lab/faultline/observability/query"
)

const (
	// lookInterval is the time from one look to the next.
	lookInterval = 2500 * time.Millisecond
	// looks is how many there are while the fault is in force. The first is at the alert, when the windows of three scrapes still hold what was before.
	looks = 4
	// pollInterval is how often the alerts are looked at.
	pollInterval = 100 * time.Millisecond
	// withoutAlert is when the first look is where no alert is expected.
	withoutAlert = 1500 * time.Millisecond
	// quietBound is how long the traces of an earlier run may take to be gone.
	quietBound = 90 * time.Second
	// settledAge is the age of the youngest replica from which on its start is no news.
	settledAge = 20.0
)

// Config says what to record.
type Config struct {
	StackFile  string
	Experiment experiment.Experiment
	Seed       int64
	Tell       func(string) // hears the progress
}

// Record runs an experiment and gives its recording. Nobody must heal meanwhile. The fault is taken away before it returns,
// also with an error.
func (c *Collector) Record(ctx context.Context, cfg Config) (signature.Recording, error) {
	run, err := runner.New(runner.Options{Experiment: cfg.Experiment, StackFile: cfg.StackFile, Seed: cfg.Seed})
	if err != nil {
		return signature.Recording{}, err
	}
	defer run.Close()
	if err := c.waitForQuiet(ctx); err != nil {
		return signature.Recording{}, err
	}
	if err := run.Prepare(ctx); err != nil {
		return signature.Recording{}, err
	}
	recording := signature.Recording{
		Experiment: cfg.Experiment.Name, Seed: cfg.Seed, Target: c.stack.Target,
		Machine: fmt.Sprintf("%d cores, %s/%s", runtime.NumCPU(), runtime.GOOS, runtime.GOARCH),
	}
	if recording.Before, err = c.Look(ctx); err != nil {
		return recording, err
	}
	cfg.Tell("injecting " + cfg.Experiment.Name)
	if recording.InjectedAt, err = run.Inject(ctx); err != nil {
		return recording, err
	}
	recording.Before.After = round(recording.Before.Facts[0].At.Sub(recording.InjectedAt).Seconds())
	err = c.observe(ctx, cfg, &recording)
	return recording, errors.Join(err, run.Restore(ctx))
}

// observe waits for the alert and looks.
func (c *Collector) observe(ctx context.Context, cfg Config, recording *signature.Recording) error {
	first := recording.InjectedAt.Add(withoutAlert)
	if cfg.Experiment.Expect.Alert != "" {
		at, err := c.waitForAlert(ctx, cfg, recording.InjectedAt.Add(cfg.Experiment.Duration.Duration))
		if err != nil {
			return err
		}
		first, recording.AlertAt = at, &at
		cfg.Tell(fmt.Sprintf("%s fires after %.1f s", cfg.Experiment.Expect.Alert, at.Sub(recording.InjectedAt).Seconds()))
	}
	for i := range looks {
		if err := pause(ctx, time.Until(first.Add(time.Duration(i)*lookInterval))); err != nil {
			return err
		}
		after := time.Since(recording.InjectedAt).Seconds()
		look, err := c.Look(ctx)
		if err != nil {
			return err
		}
		look.After = round(after)
		recording.During = append(recording.During, look)
	}
	return nil
}

func (c *Collector) waitForAlert(ctx context.Context, cfg Config, until time.Time) (time.Time, error) {
	for {
		alerts, err := c.prometheus.Alerts(ctx)
		for _, alert := range alerts {
			if alert.Labels["alertname"] == cfg.Experiment.Expect.Alert && alert.State == "firing" {
				return alert.ActiveAt.UTC(), nil
			}
		}
		if time.Now().After(until) {
			return time.Time{}, errors.Join(fmt.Errorf("%s: %s did not fire within %s, so the fault had no effect and nothing is recorded",
				cfg.Experiment.Name, cfg.Experiment.Expect.Alert, cfg.Experiment.Duration), err)
		}
		if err := pause(ctx, pollInterval); err != nil {
			return time.Time{}, err
		}
	}
}

// waitForQuiet waits until nothing tells of an earlier run or of the stack's own start any more.
func (c *Collector) waitForQuiet(ctx context.Context) error {
	deadline := time.Now().Add(quietBound)
	for {
		why := c.unquiet(ctx)
		if why == "" {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("after %s the stack is still not quiet: %s", quietBound, why)
		}
		if err := pause(ctx, pollInterval); err != nil {
			return err
		}
	}
}

// unquiet says what still tells of something earlier; empty means nothing.
func (c *Collector) unquiet(ctx context.Context) string {
	alerts, err := c.prometheus.Alerts(ctx)
	// A ticket says that the healer is away, as it is meant to be.
	alerts = slices.DeleteFunc(alerts, query.Alert.Ticket)
	if err != nil || len(alerts) > 0 {
		return fmt.Sprintf("%d alerts (%v)", len(alerts), err)
	}
	for _, q := range edges() {
		if q.fact != signature.EdgeArrivalRatio {
			continue
		}
		ratio, err := c.prometheus.Value(ctx, q.promql, time.Time{})
		if err != nil || math.Abs(ratio-1) > 0.15 {
			return fmt.Sprintf("arrivals are %g times those of half a minute ago (%v)", ratio, err)
		}
	}
	for _, fact := range replicas(c.list(ctx), time.Now()) {
		if fact.Name == signature.ReplicaAge && (fact.Status == signature.Unknown || fact.Value < settledAge) {
			return fmt.Sprintf("%s has just started (%g s)", fact.Subject, fact.Value)
		}
	}
	return ""
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
