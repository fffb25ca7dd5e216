package trial

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/faultline-lab/faultline/chaos/experiment"
	"github.com/faultline-lab/faultline/chaos/runner"
	"github.com/faultline-lab/faultline/chaos/target"
	"github.com/faultline-lab/faultline/e2e/bot"
	"github.com/faultline-lab/faultline/e2e/record"
	"github.com/faultline-lab/faultline/observability/endpoints"
	"github.com/faultline-lab/faultline/observability/query"
)

// quietBound is how long the alerts of an earlier trial may take to end.
const quietBound = 60 * time.Second

// steadyBound is how long the steady state may take to come, at least.
const steadyBound = 60 * time.Second

// Config is what a trial needs.
type Config struct {
	StackFile  string // the running stack's file (package endpoints)
	Experiment experiment.Experiment
	Arm        Arm
	Seed       int64
	// Window is how long to watch after the injection; 0 means the experiment's own duration.
	Window time.Duration
	// OnEvent hears what happens as it happens, from one goroutine at a time. Nil means nobody listens.
	OnEvent func(Event)
}

// trial is one trial in flight.
type trial struct {
	cfg        Config
	stack      endpoints.Stack
	supervisor target.Control
	prometheus *query.Prometheus
	runner     *runner.Runner
	bot        *bot.Bot // nil where the arm has none
	events     chan Event
	seconds    seconds
}

// Run runs one trial. The stack must be up; it is left as it was found, with a healer that runs. The record is
// complete when the error is nil, whatever it says: a fault that stayed is a result, not an error.
func Run(ctx context.Context, cfg Config) (record.Record, error) {
	t, err := open(cfg)
	if err != nil {
		return record.Record{}, err
	}
	told := make(chan struct{})
	go func() {
		defer close(told)
		for event := range t.events {
			if cfg.OnEvent != nil {
				cfg.OnEvent(event)
			}
		}
	}()
	result, err := t.run(ctx)
	t.runner.Close()
	close(t.events)
	<-told
	return result, err
}

func open(cfg Config) (*trial, error) {
	stack, err := endpoints.Read(cfg.StackFile)
	if err != nil {
		return nil, err
	}
	if _, err := ParseArm(string(cfg.Arm)); err != nil {
		return nil, err
	}
	// A stack that has only just come up, or been through another trial, needs longer than one at rest.
	within := &cfg.Experiment.Hypothesis.Client.Within.Duration
	*within = max(*within, steadyBound)
	t := &trial{cfg: cfg, stack: stack, events: make(chan Event, 256)}
	if t.supervisor, err = target.Open(stack); err != nil {
		return nil, err
	}
	if t.prometheus, err = query.NewPrometheus(query.Config{URL: stack.Endpoints.Prometheus, Client: http.DefaultClient}); err != nil {
		return nil, err
	}
	t.runner, err = runner.New(runner.Options{
		Experiment: cfg.Experiment, StackFile: cfg.StackFile, Duration: cfg.Window, Seed: cfg.Seed,
		OnEvent: func(event runner.Event) {
			if event.Kind == runner.Injecting {
				t.tell(Injected, event.At, "%s", event.Text)
			}
		},
	})
	return t, err
}

func (t *trial) tell(kind Kind, at time.Time, format string, args ...any) {
	t.events <- Event{At: at, Kind: kind, Text: fmt.Sprintf(format, args...)}
}

func (t *trial) run(ctx context.Context) (record.Record, error) {
	if err := t.prepare(ctx); err != nil {
		return record.Record{}, errors.Join(err, t.putBack(ctx))
	}
	result := record.Record{
		Experiment: t.cfg.Experiment.Name, Arm: string(t.cfg.Arm), Target: t.stack.Target, Seed: t.cfg.Seed,
		StartedAt: time.Now().UTC(), CauseExpected: causeExpected(t.cfg.Experiment.Expect), Actions: []record.Action{},
	}
	stopBot, err := t.startBot(ctx)
	if err != nil {
		return record.Record{}, errors.Join(err, t.putBack(ctx))
	}
	err = t.follow(ctx, &result)
	return result, errors.Join(err, stopBot(), t.putBack(ctx))
}

// follow injects the fault and observes what comes of it, into the record.
func (t *trial) follow(ctx context.Context, r *record.Record) error {
	observe, stopObserving := context.WithCancel(ctx)
	watched := t.watch(observe)
	defer watched.wait()
	defer stopObserving()
	injected, err := t.runner.Inject(ctx)
	if err != nil {
		return err
	}
	r.Stages.Injected = &injected
	if err := t.observe(ctx, injected, watched); err != nil {
		return err
	}
	t.measure(ctx, r, watched)
	if err := t.aftermath(ctx, r, watched); err != nil {
		return err
	}
	t.conclude(r, watched)
	return nil
}

// prepare gives the arm its healer, waits until the alerts of the past have ended, and checks the steady state.
func (t *trial) prepare(ctx context.Context) error {
	t.tell(Preparing, time.Now(), "arm %s: %s", t.cfg.Arm, arms[t.cfg.Arm].summary)
	if err := t.cfg.Arm.prepare(ctx, t.supervisor); err != nil {
		return err
	}
	if err := t.waitForEdge(ctx); err != nil {
		return err
	}
	if err := t.waitForQuiet(ctx); err != nil {
		return err
	}
	if err := t.runner.Prepare(ctx); err != nil {
		return err
	}
	t.tell(Steady, time.Now(), "every customer is served well: the last %d client seconds were good, no alert fires",
		t.cfg.Experiment.Hypothesis.Client.GoodSeconds)
	return nil
}

func (t *trial) waitForQuiet(ctx context.Context) error {
	deadline := time.Now().Add(quietBound)
	for {
		alerts, err := t.pages(ctx)
		if err == nil && len(alerts) == 0 {
			return nil
		}
		if time.Now().After(deadline) {
			return errors.Join(err, fmt.Errorf("after %s there are still alerts (%s): the system is not well, so a trial would prove nothing",
				quietBound, names(alerts)))
		}
		if err := pause(ctx, 250*time.Millisecond); err != nil {
			return err
		}
	}
}

// pages are the alerts that are about customers. Tickets are about the healer and what it can wait for; without a healer, one
// of them says that it is away.
func (t *trial) pages(ctx context.Context) ([]query.Alert, error) {
	alerts, err := t.prometheus.Alerts(ctx)
	return slices.DeleteFunc(alerts, query.Alert.Ticket), err
}

func names(alerts []query.Alert) string {
	var all []string
	for _, alert := range alerts {
		all = append(all, alert.Labels["alertname"])
	}
	return strings.Join(all, ", ")
}

// putBack takes away what is left of the fault and gives the stack its healer again, also when ctx has ended.
func (t *trial) putBack(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Minute)
	defer cancel()
	t.tell(Restoring, time.Now(), "taking away what is left of the fault")
	return errors.Join(t.runner.Restore(ctx), ScaleHealer(ctx, t.supervisor, 1))
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
