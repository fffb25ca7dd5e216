package remedy

import (
	"context"
	"errors"

	"go.opentelemetry.io/otel/trace"

	"github.com/faultline-lab/faultline/autoheal/workload"
)

// asking is one change that is asked for until it is known to have been taken.
type asking struct {
	Application
	// there says whether what is asked for is so already.
	there func(context.Context) (bool, error)
	// request asks for it. It names what the change goes out from, so that asking twice has one effect.
	request func(context.Context) error
}

// result asks, and says what came of it where the change was not taken; nil where it was.
func (r asking) result(ctx context.Context, what string) *Effect {
	maybe, err := r.ask(ctx)
	refused, isRefusal := errors.AsType[refusal](err)
	var effect Effect
	switch {
	case err == nil:
		return nil
	case isRefusal && !maybe:
		effect = skipped("%s", string(refused))
	case isRefusal:
		effect = failed("%s may have been asked for, and is not asked for again: %s", what, string(refused))
	case maybe:
		effect = failed("%s may have been asked for, and nobody confirms it: %v", what, err)
	case errors.Is(err, workload.ErrConflict):
		effect = skipped("somebody else changed it, so it is left alone: %v", err)
	default:
		effect = failed("%s could not be asked for: %v", what, err)
	}
	return &effect
}

// ask asks again after an error that may pass: what is not allowed at this moment as long as there is time, all else a few
// times. Before each time after the first it looks whether it has happened, and whether the healer still wants it. maybe says
// that a request without an answer may have had its effect.
func (r asking) ask(ctx context.Context) (maybe bool, err error) {
	for attempt := 1; ; {
		err = bounded(ctx, r.request)
		wait := pauseAfterErr
		switch {
		case err == nil, errors.Is(err, workload.ErrRefused), errors.Is(err, workload.ErrNotFound), errors.Is(err, workload.ErrConflict):
			return maybe, err
		case errors.Is(err, workload.ErrNotNow):
			wait = pauseAfterNo
		case attempt == attempts:
			return true, err
		default:
			attempt++
			maybe = true
		}
		if !sleep(ctx, wait) {
			return maybe, err
		}
		if happened, stop := r.reconsider(ctx); happened || stop != nil {
			return maybe, stop
		}
	}
}

// reconsider looks before something is asked for once more.
func (r asking) reconsider(ctx context.Context) (happened bool, stop error) {
	why := ""
	if r.Recheck != nil {
		var err error
		if why, err = r.Recheck(ctx); err != nil {
			return false, err
		}
	}
	err := bounded(ctx, func(ctx context.Context) (err error) {
		happened, err = r.there(ctx)
		return err
	})
	if why != "" && (err != nil || !happened) {
		return false, refusal(why)
	}
	return happened, nil // a look that failed tells nothing, and the request itself has a precondition
}

func bounded(ctx context.Context, do func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	return do(ctx)
}

// await looks until it is so. The error says what is missing when the time is over.
func await(ctx context.Context, missing func(context.Context) error) error {
	var last error
	ctx = quiet(ctx)
	for {
		err := bounded(ctx, missing)
		if err == nil {
			return nil
		}
		if ctx.Err() == nil || last == nil {
			last = err
		}
		if !sleep(ctx, pollReplica) {
			return last
		}
	}
}

// quiet keeps looks out of the trace: twenty a second would bury what it is about. The trace's id stays, for whatever the
// other side logs.
func quiet(ctx context.Context) context.Context {
	return trace.ContextWithSpanContext(ctx, trace.SpanContextFromContext(ctx).WithTraceFlags(0))
}
