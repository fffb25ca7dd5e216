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
const watchInterval = time.Second

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
	// Unmet lists what of the hypothesis did not hold at the end of the window.
	Unmet []string `json:"unmet"`
	Kept  bool     `json:"kept"`
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
	r.tell(Injecting, "%s; observing for %s", r.detail, r.duration)

	result.End, result.Reason = r.observe(ctx, &result.Client)
	result.EndedAt = time.Now().UTC()
	r.tell(Ending, "%s", endText(result))
	r.watched(nil, attribute.String("chaos.end", string(result.End)))
	r.journal.End(string(result.End))
	r.journal.Note(ctx, ends[result.End], result.Reason)
	if result.End != Stopped {
		r.conclude(ctx, &result)
	}
	if result.End == WindowOver && r.keep {
		result.Kept = true
		r.tell(Ending, "the fault is kept; `chaos stop` takes it away")
		r.journal.Note(ctx, journal.Kept, "")
		return result, nil
	}
	return result, r.wayBack(ctx, result)
}

func endText(result Result) string {
	if result.Reason != "" {
		return fmt.Sprintf("%s: %s", result.End, result.Reason)
	}
	return string(result.End)
}

// observe watches until the window is over or something ends it early.
func (r *Runner) observe(ctx context.Context, view *ClientView) (End, string) {
	following, stop := context.WithCancel(ctx)
	defer stop()
	seconds := r.follow(following, r.record.InjectedAt)
	tick := time.NewTicker(watchInterval)
	defer tick.Stop()
	window := time.NewTimer(time.Until(r.record.ExpiresAt))
	defer window.Stop()
	for {
		select {
		case <-ctx.Done():
			return Interrupted, ""
		case <-window.C:
			return WindowOver, ""
		case second := <-seconds:
			if text := view.add(second, r.experiment.Hypothesis.Client.GoodSeconds); text != "" {
				r.tell(Client, "%s", text)
				r.journal.Note(ctx, journal.Client, text)
			}
		case <-tick.C:
			record, err := readRecord(r.file)
			if errors.Is(err, ErrNothingActive) || err == nil && record.ID != r.record.ID {
				return Stopped, ""
			}
			if why := r.aborts(ctx); why != "" {
				return Aborted, why
			}
		}
	}
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

// wayBack takes the fault away, unless somebody else did.
func (r *Runner) wayBack(ctx context.Context, result Result) error {
	if result.End == Stopped {
		return nil
	}
	if err := r.Restore(ctx); err != nil {
		return err
	}
	r.tell(Restoring, "nothing is left of the fault")
	return nil
}
