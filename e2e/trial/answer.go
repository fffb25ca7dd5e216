package trial

import (
	"context"
	"fmt"
	"time"

	"github.com/faultline-lab/faultline/e2e/bot"
	"github.com/faultline-lab/faultline/e2e/record"
)

// startBot lets the arm's bot answer the alerts; the function it returns stops it. Without a bot both do nothing.
func (t *trial) startBot(ctx context.Context) (stop func() error, err error) {
	if !arms[t.cfg.Arm].bot {
		return func() error { return nil }, nil
	}
	if t.bot, err = bot.Start(ctx, string(t.cfg.Arm), t.stack, t.supervisor); err != nil {
		return nil, err
	}
	return t.bot.Stop, nil
}

// takeBot copies what the bot has done into the record. It has no diagnosis, and proves nothing.
func (t *trial) takeBot(r *record.Record) {
	if t.bot == nil {
		return
	}
	done, received := t.bot.Done()
	r.Stages.WebhookReceived = received
	r.Actions = append(r.Actions, done...)
	for _, action := range done {
		if r.Stages.ActionStarted == nil || action.StartedAt.Before(*r.Stages.ActionStarted) {
			r.Stages.ActionStarted = &action.StartedAt
		}
	}
}

// condemn judges what was done, and notes each wrong action in words.
func (t *trial) condemn(r *record.Record) {
	for _, wrong := range judge(r.Actions, r.Affected, t.cfg.Experiment) {
		r.WrongAction = true
		r.Notes = append(r.Notes, fmt.Sprintf("wrong: %s of %s at %s (%s)",
			wrong.Remedy, wrong.Target, wrong.StartedAt.Format(time.TimeOnly), wrong.Result))
	}
}
