package bot

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/faultline-lab/faultline/chaos/target"
	"github.com/faultline-lab/faultline/e2e/record"
	"github.com/faultline-lab/faultline/observability/endpoints"
)

// habit is what a bot does about an alert.
type habit interface {
	// answer acts on one alert that fires, and returns what it did. It returns when the effect is complete.
	answer(ctx context.Context, a alert) []record.Action
	// again is how long an alert may go on firing before it is answered once more.
	again() time.Duration
}

// habits is every bot there is.
var habits = map[string]func(endpoints.Stack, target.Control) (habit, error){
	"restart-bot": newRestarter,
	"accept-bot":  newAccepter,
}

// lookInterval is how often a bot looks whether an alert is due.
const lookInterval = 50 * time.Millisecond

// Bot is a running bot.
type Bot struct {
	habit  habit
	server *http.Server
	cancel context.CancelFunc
	group  sync.WaitGroup

	mu       sync.Mutex
	firing   map[string]*standing
	received *time.Time
	done     []record.Action
}

// standing is an alert that fires.
type standing struct {
	alert    alert
	answered time.Time
}

// Start makes the named bot listen where the healer does; no healer may run. The caller stops it.
func Start(ctx context.Context, name string, stack endpoints.Stack, control target.Control) (*Bot, error) {
	if stack.Target != endpoints.Local {
		return nil, fmt.Errorf("%s takes the healer's port, which it can on the local stack only: use TARGET=local", name)
	}
	open, ok := habits[name]
	if !ok {
		return nil, fmt.Errorf("there is no bot %q", name)
	}
	chosen, err := open(stack, control)
	if err != nil {
		return nil, err
	}
	token, err := endpoints.Token(stack.WebhookTokenFile)
	if err != nil {
		return nil, fmt.Errorf("the webhook's token cannot be read: %w", err)
	}
	address, err := url.Parse(stack.Endpoints.Autoheal)
	if err != nil {
		return nil, err
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address.Host)
	if err != nil {
		return nil, fmt.Errorf("%s cannot take the healer's place: %w", name, err)
	}
	b := &Bot{habit: chosen, firing: map[string]*standing{}}
	ctx, b.cancel = context.WithCancel(ctx)
	b.server = &http.Server{Handler: b.handler(token), ReadHeaderTimeout: time.Second}
	b.group.Go(func() { _ = b.server.Serve(listener) }) // its error is that it was closed
	b.group.Go(func() { b.work(ctx) })
	return b, nil
}

// Stop ends the bot; what it has begun is cut off.
func (b *Bot) Stop() error {
	b.cancel()
	err := b.server.Close()
	b.group.Wait()
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

// Done returns what the bot has done so far, oldest first, and when the first webhook came; nil where none did.
func (b *Bot) Done() ([]record.Action, *time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.done), b.received
}

// work answers alerts, one after the other, until ctx ends.
func (b *Bot) work(ctx context.Context) {
	ticker := time.NewTicker(lookInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			for _, due := range b.due(time.Now()) {
				actions := b.habit.answer(ctx, due)
				b.mu.Lock()
				b.done = append(b.done, actions...)
				b.mu.Unlock()
			}
		}
	}
}

// due are the alerts that fire and want an answer; they count as answered now.
func (b *Bot) due(now time.Time) []alert {
	b.mu.Lock()
	defer b.mu.Unlock()
	var due []alert
	for _, s := range b.firing {
		if now.Sub(s.answered) >= b.habit.again() {
			s.answered = now
			due = append(due, s.alert)
		}
	}
	return due
}
