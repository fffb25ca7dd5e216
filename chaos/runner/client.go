package runner

import (
	"context"
	"fmt"
	"time"

	"github.com/faultline-lab/faultline/chaos/sli"
)

// ClientView is what the client saw from the injection on.
type ClientView struct {
	Seconds int `json:"seconds"` // finished ones
	Bad     int `json:"bad"`
	// FirstBad is the first second that was not good; Recovered the first of the good seconds running that the
	// hypothesis asks for, after it. Both are nil where there was none.
	FirstBad  *time.Time `json:"first_bad"`
	Recovered *time.Time `json:"recovered"`

	streak sli.Streak
}

// add takes one second in and returns a sentence when the view has changed.
func (v *ClientView) add(second sli.Second, wanted int) string {
	v.Seconds++
	v.streak.Add(second)
	if !second.OK {
		v.Bad++
		relapse := v.Recovered != nil
		v.Recovered = nil
		switch {
		case v.FirstBad == nil:
			at := second.Second
			v.FirstBad = &at
			return fmt.Sprintf("first bad second: %s (%d of %d good, %d failed)",
				at.Format(time.TimeOnly), second.Good, second.Sent, second.Failed)
		case relapse:
			return fmt.Sprintf("bad again: %s (%d of %d good)", second.Second.Format(time.TimeOnly), second.Good, second.Sent)
		}
		return ""
	}
	if v.FirstBad != nil && v.Recovered == nil && v.streak.Len() >= wanted {
		at := v.streak.Since()
		v.Recovered = &at
		return fmt.Sprintf("good again since %s: %.0f s after the first bad second", at.Format(time.TimeOnly), at.Sub(*v.FirstBad).Seconds())
	}
	return ""
}

// follow gives the client's seconds as they finish. A stream that breaks off is taken up again where it ended; the
// channel is never closed.
func (r *Runner) follow(ctx context.Context, since time.Time) <-chan sli.Second {
	seconds := make(chan sli.Second)
	go func() {
		for ctx.Err() == nil {
			// Why it ended does not matter here: the verdict at the end asks loadgen again, and reports its error.
			_ = sli.Follow(ctx, r.stack.Endpoints.Loadgen, since, func(second sli.Second) error {
				select {
				case seconds <- second:
					since = second.Second.Add(time.Second)
					return nil
				case <-ctx.Done():
					return ctx.Err()
				}
			})
			_ = sleep(ctx, steadyInterval)
		}
	}()
	return seconds
}
