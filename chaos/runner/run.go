package runner

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"

	"github.com/faultline-lab/faultline/chaos/fault"
	"github.com/faultline-lab/faultline/chaos/journal"
)

// watchInterval is how often a running experiment is looked at.
const watchInterval = 500 * time.Millisecond

// End is why the observation ended.
type End string

// The ends.
const (
	WindowOver  End = "window over"
	Aborted     End = "aborted"
	Interrupted End = "interrupted"
	Stopped     End = "stopped" // by another process, with `chaos stop`
)

// ends are the phases that the journal tells of them.
var ends = map[End]journal.Phase{
	WindowOver: journal.WindowOver, Aborted: journal.Aborted, Interrupted: journal.Interrupted, Stopped: journal.Stopped,
}

// Result is what an experiment showed.
type Result struct {
	Experiment string    `json:"experiment"`
	ID         string    `json:"id"`
	InjectedAt time.Time `json:"injected_at"`
	EndedAt    time.Time `json:"ended_at"`
	End        End       `json:"end"`
	Reason     string    `json:"reason,omitempty"` // the abort condition that held

	Client ClientView `json:"client"`
	// Presence is whether the fault was still there at the end of the window, before it was taken away; nil when
	// nobody could tell.
	Presence *fault.Presence `json:"presence"`
	// Lost is when a steady-state condition was first seen not to hold; nil when all held throughout.
	Lost *time.Time `json:"lost"`
	// Unmet lists what of the hypothesis did not hold at the end of the window.
	Unmet []string `json:"unmet"`
	Kept  bool     `json:"kept"`
	// After lists what did not hold once the fault was taken away and the steady state was waited for; empty means that it is
	// back.
	After []string `json:"after"`
}

// Held says that the whole window was observed and the hypothesis held at its end.
func (r Result) Held() bool { return r.End == WindowOver && len(r.Unmet) == 0 }

// Run takes an experiment from end to end: steady state, injection, observation, and the way back unless it is to be
// kept. When ctx ends, the fault is taken away first. The result is what was seen so far, also with an error.
func Run(ctx context.Context, options Options) (Result, error) {
	r, err := New(options)
	if err != nil {
		return Result{}, err
	}
	defer r.Close()
	result := Result{Experiment: options.Experiment.Name}
	if err := r.Prepare(ctx); err != nil {
		return result, err
	}
	if result.InjectedAt, err = r.Inject(ctx); err != nil {
		return result, err
	}
	result.ID = r.record.ID
	r.tell(Injecting, "%s; observing for %s", r.detail, r.options.Duration)

	result.End, result.Reason = r.observe(ctx, &result)
	result.EndedAt = time.Now().UTC()
	r.tell(Ending, "%s", endText(result))
	r.watched(nil, attribute.String("chaos.end", string(result.End)))
	r.journal.End(string(result.End))
	r.journal.Note(ctx, ends[result.End], result.Reason)
	if result.End != Stopped {
		r.conclude(ctx, &result)
	}
	if result.End == WindowOver && r.options.Keep {
		result.Kept = true
		r.tell(Ending, "the fault is kept until %s at the latest; `chaos stop` takes it away", r.record.GoneBy.Format(time.TimeOnly))
		r.journal.Note(ctx, journal.Kept, "")
		return result, r.leave(ctx)
	}
	return result, r.wayBack(ctx, &result)
}

func endText(result Result) string {
	if result.Reason != "" {
		return fmt.Sprintf("%s: %s", result.End, result.Reason)
	}
	return string(result.End)
}

// observe watches until the window is over or something ends it early.
func (r *Runner) observe(ctx context.Context, result *Result) (End, string) {
	following, stop := context.WithCancel(ctx)
	defer stop()
	seconds := r.follow(following, r.record.InjectedAt)
	told := r.watchFault(following)
	tick := time.NewTicker(watchInterval)
	defer tick.Stop()
	window := time.NewTimer(time.Until(r.record.ExpiresAt))
	defer window.Stop()
	steady := true
	for {
		select {
		case <-ctx.Done():
			return Interrupted, ""
		case <-r.stopped:
			return Stopped, ""
		case <-window.C:
			return WindowOver, ""
		case text := <-told:
			r.tell(Fault, "%s", text)
		case second := <-seconds:
			if text := result.Client.add(second, r.experiment.Hypothesis.Client.GoodSeconds); text != "" {
				r.tell(Client, "%s", text)
				r.journal.Note(ctx, journal.Client, text)
			}
		case <-tick.C:
			if why := r.aborts(ctx); why != "" {
				return Aborted, why
			}
			steady = r.lookAtSteadyState(ctx, steady, result)
		}
	}
}

// watchFault gives what the driver has to tell of its fault; nothing where it has nothing.
func (r *Runner) watchFault(ctx context.Context) <-chan string {
	watcher, ok := r.driver.(fault.Watcher)
	if !ok {
		return nil
	}
	told := make(chan string)
	go watcher.Watch(ctx, r.record.DriverState, func(text string) {
		select {
		case told <- text:
		case <-ctx.Done():
		}
	})
	return told
}

// lookAtSteadyState tells when the conditions of the steady state stop holding, and when they hold again.
func (r *Runner) lookAtSteadyState(ctx context.Context, before bool, result *Result) bool {
	missing := r.unmetConditions(ctx, r.experiment.Hypothesis.SteadyState)
	steady := len(missing) == 0
	switch {
	case steady == before || ctx.Err() != nil:
		return before
	case steady:
		r.tell(Steady, "the conditions of the steady state hold again")
	default:
		r.tell(Steady, "not steady: %s", missing[0])
		if result.Lost == nil {
			now := time.Now().UTC()
			result.Lost = &now
		}
	}
	return steady
}

// conclude asks, at the end of the window and before anything is taken away, whether the fault is there and whether
// the hypothesis holds.
func (r *Runner) conclude(ctx context.Context, result *Result) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	ctx, end := r.journal.Step(ctx, journal.Judge)
	presence, err := r.StillPresent(ctx)
	if err != nil {
		r.tell(Verdict, "nobody can tell whether the fault is there: %v", err)
	} else {
		result.Presence = &presence
		r.tell(Verdict, "the fault: %s", presence.Detail)
	}
	defer end(err, attribute.Bool("chaos.fault.present", presence.Present))
	if result.End != WindowOver {
		return
	}
	result.Unmet = r.unmet(ctx)
	if result.Held() {
		r.tell(Verdict, "the hypothesis held: the system is in its steady state again")
		r.journal.Note(ctx, journal.Held, "")
		return
	}
	r.journal.Note(ctx, journal.NotHeld, strings.Join(result.Unmet, "; "))
	for _, missing := range result.Unmet {
		r.tell(Verdict, "the hypothesis did not hold: %s", missing)
	}
}

// wayBack takes the fault away, unless somebody else did, and looks whether the steady state comes back.
func (r *Runner) wayBack(ctx context.Context, result *Result) error {
	if result.End == Stopped {
		r.dismissKeeper()
		return nil
	}
	if err := r.Restore(ctx); err != nil {
		return err
	}
	r.tell(Restoring, "nothing is left of the fault")
	if result.End == Interrupted || r.options.Beside {
		return nil
	}
	err := r.waitUntilSteady(ctx)
	switch {
	case errors.Is(err, ErrNotSteady):
		result.After = r.unmet(ctx)
		r.journal.Note(ctx, journal.NotBack, err.Error())
		return fmt.Errorf("the fault was taken away, and the steady state is not back: %w", err)
	case err != nil:
		return err
	}
	r.journal.Note(ctx, journal.Steady, "")
	return nil
}
