package notify

import (
	"context"
	"net/http"
	"time"

	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/autoheal/store"
)

// batch bounds how many notices are read at once.
const batch = 50

// courier serves one receiver, one notice after the other, so that the order is kept.
type courier struct {
	cfg      Config
	receiver Receiver
	metrics  *metrics
	client   *http.Client
}

func (c *courier) run(ctx context.Context) {
	for ctx.Err() == nil {
		untold, err := c.untold(ctx)
		if err != nil && ctx.Err() == nil {
			c.cfg.Logger.ErrorContext(ctx, "reading notices failed; trying again", "receiver", c.receiver.Name, "error", err)
		}
		for _, n := range untold {
			c.metrics.setAge(c.receiver.Name, c.cfg.Now().Sub(n.At))
			if !c.deliver(ctx, n) {
				return
			}
		}
		if len(untold) == 0 {
			c.metrics.setAge(c.receiver.Name, 0)
			wait(ctx, c.cfg.Poll)
		}
	}
}

func (c *courier) untold(ctx context.Context) ([]incident.Notice, error) {
	want := store.Wanted{Since: c.cfg.Now().Add(-c.cfg.Memory), Kinds: c.receiver.kinds, PagesOnly: c.receiver.pagesOnly}
	return c.cfg.Notices.Untold(ctx, c.receiver.Name, want, batch)
}

// deliver tries until the receiver has the notice, refuses it for good, or it is too old. It says false when the context
// ended before.
func (c *courier) deliver(ctx context.Context, n incident.Notice) bool {
	for tries := 1; ; tries++ {
		answer := c.attempt(ctx, n)
		switch {
		case answer.taken:
			// Between the answer and this record lies the reason why it is at least once: whoever is killed here sends again.
			return c.told(ctx, n, store.Sent)
		case ctx.Err() != nil:
			return false
		}
		c.metrics.count(c.receiver.Name, failed)
		pause := max(backoff(tries, c.cfg.Chance()), answer.retryAfter)
		late := c.cfg.Now().Add(pause).Sub(n.At) > c.cfg.Patience
		c.metrics.setAge(c.receiver.Name, c.cfg.Now().Sub(n.At))
		if answer.final || late {
			c.cfg.Logger.ErrorContext(ctx, "a notice was given up: nobody was told by this receiver", "receiver", c.receiver.Name,
				"notice", n.Seq, "kind", string(n.Kind), "incident", n.IncidentID, "attempts", tries, "error", answer.why)
			return c.told(ctx, n, store.GivenUp)
		}
		c.cfg.Logger.WarnContext(ctx, "a notice could not be sent; trying again", "receiver", c.receiver.Name, "notice", n.Seq,
			"attempts", tries, "again_in", pause.Round(time.Millisecond).String(), "error", answer.why)
		if !wait(ctx, pause) {
			return false
		}
	}
}

// told records the result, again and again where the disk is full: to forget it would be to send it again.
func (c *courier) told(ctx context.Context, n incident.Notice, result string) bool {
	for tries := 1; ; tries++ {
		err := c.cfg.Notices.Told(ctx, n.Seq, c.receiver.Name, result, c.cfg.Now())
		if err == nil {
			c.metrics.count(c.receiver.Name, result)
			return true
		}
		if ctx.Err() != nil {
			return false
		}
		c.cfg.Logger.ErrorContext(ctx, "that a notice was sent could not be recorded; trying again", "receiver", c.receiver.Name,
			"notice", n.Seq, "error", err)
		if !wait(ctx, backoff(tries, c.cfg.Chance())) {
			return false
		}
	}
}

// wait says false when the context ended first.
func wait(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
