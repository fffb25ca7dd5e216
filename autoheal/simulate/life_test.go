package simulate

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"go.opentelemetry.io/otel/trace"

	"github.com/faultline-lab/faultline/autoheal/engine"
	"github.com/faultline-lab/faultline/autoheal/guard"
	"github.com/faultline-lab/faultline/autoheal/store"
)

var (
	errDead     = errors.New("this healer is dead")
	errDisk     = errors.New("no space left on device")
	errNoAnswer = errors.New("no answer")
)

// life is one healer, from its start to its death. From its death on, nothing that it does reaches anything.
type life struct {
	world  *world
	name   string
	engine *engine.Engine
	cancel context.CancelFunc
	done   sync.WaitGroup
	clock  time.Duration // how far its clock is off

	mu    sync.Mutex
	dead  bool
	steps int
	dies  int // the boundary at which it does; 0: not by itself
}

func (l *life) now() time.Time { return time.Now().Add(l.clock) }

// boundary is a place where a healer can die: before and after each write and each effect. It says whether it still lives.
func (l *life) boundary(format string, args ...any) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.dead {
		return false
	}
	l.steps++
	if l.dies > 0 && l.steps == l.dies {
		l.world.deaths.add(kindOf(fmt.Sprintf(format, args...)))
		l.end(fmt.Sprintf("dies "+format, args...))
	}
	return !l.dead
}

// end is called with the lock.
func (l *life) end(how string) {
	l.dead = true
	l.world.story.add("%s %s", l.name, how)
	l.cancel()
	l.world.died(l)
}

// stop ends a healer from outside, at any moment.
func (l *life) stop(how string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.dead {
		l.end(how)
	}
}

func (l *life) alive() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return !l.dead
}

// killSwitch reads the switch, as a file is read: at once.
func (l *life) killSwitch() guard.Switch {
	l.world.lock.Lock()
	defer l.world.lock.Unlock()
	if l.world.is(switchOn, nil) {
		return guard.SwitchOn
	}
	return guard.SwitchOff
}

// receive is the webhook: it persists, then answers.
func (l *life) receive(d store.Delivery) error {
	r := l.world.dice.draw(l.name + " receives")
	time.Sleep(between(r, time.Millisecond, 5*time.Millisecond))
	if !l.boundary("before it saves a delivery") {
		return errDead
	}
	if l.world.diskFails(r) {
		return errDisk
	}
	if _, err := l.world.deliveries.SaveDelivery(context.Background(), d); err != nil {
		return err
	}
	if !l.boundary("before it answers a delivery") {
		return errDead
	}
	if chance(r, 0.02) {
		return errNoAnswer
	}
	return nil
}

// traceOf names the incident that a context belongs to, by its trace.
func traceOf(ctx context.Context) string { return trace.SpanContextFromContext(ctx).TraceID().String() }

// kindOf leaves out of a boundary's name what differs from run to run.
func kindOf(boundary string) string {
	var words []string
	for word := range strings.FieldsSeq(boundary) {
		if !strings.ContainsAny(word, "0123456789") && !strings.Contains(word, ".") {
			words = append(words, word)
		}
	}
	return strings.Join(words, " ")
}
