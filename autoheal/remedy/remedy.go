package remedy

import (
	"context"
	"slices"
	"time"

	"github.com/faultline-lab/faultline/autoheal/incident"
)

// Remedy is one way to act on one target.
type Remedy interface {
	Name() string
	// Apply acts on the target and returns when the effect is complete, or cannot be had within the timeout.
	Apply(ctx context.Context, a Application) Effect
}

// Application is one use of a remedy.
type Application struct {
	Target incident.Target
	// IntendedAt is when the intent was recorded.
	IntendedAt time.Time
	// Timeout bounds the effect on this target.
	Timeout time.Duration
	// Resumed says that an earlier life of the healer recorded the intent; its effect may have happened.
	Resumed bool
	// Recheck judges anew, right before a remedy asks for the same thing once more: what was allowed when the intent was
	// recorded may not be by now. It returns why the action must not happen, or "". Nil where nobody judges.
	Recheck func(ctx context.Context) (why string, err error)
}

// Effect is what came of it: a result of package incident, and a sentence.
type Effect struct {
	Result string
	Detail string
	// ReplacedBy are the replicas that took the target's place, where they have other names.
	ReplacedBy []string
}

// Names returns the names of remedies, sorted.
func Names(remedies []Remedy) []string {
	var names []string
	for _, r := range remedies {
		names = append(names, r.Name())
	}
	slices.Sort(names)
	return names
}
