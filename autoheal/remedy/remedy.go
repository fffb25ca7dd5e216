package remedy

import (
	"context"
	"slices"
	"time"

	"github.com/faultline-lab/faultline/autoheal/edge"
	"github.com/faultline-lab/faultline/autoheal/evidence"
	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/autoheal/workload"
)

// Remedy is one way to act on the world. Remedies whose effect can be taken back are Undoers as well.
type Remedy interface {
	Name() string
	Traits() Traits
	// Check says what is wrong with the parameters that a playbook gives; the field is the one to look at, empty where none is.
	Check(params Params) (field string, err error)
	// Targets says what the remedy would act on now, from what was just seen; it is pure. None, and why, where there is
	// nothing that it could do.
	Targets(seen Sight, params Params) (targets []incident.Target, why string)
	// Apply acts on the target and returns when the effect is complete, or cannot be had within the timeout.
	Apply(ctx context.Context, a Application) Effect
}

// Undoer takes back what Apply did: from the target's To back to its Is. It changes nothing where the world is neither; it is
// safe to repeat.
type Undoer interface {
	Remedy
	Undo(ctx context.Context, a Application) Effect
}

// Renewer keeps a change with a time to live alive. It returns until when.
type Renewer interface {
	Undoer
	Renew(ctx context.Context, a Application) (until time.Time, err error)
}

// Traits is what the engine and the guards must know of a remedy.
type Traits struct {
	// Lasting means that the effect is a change that stands for as long as the fault lasts, and is taken back afterwards.
	Lasting bool
	// Destructive means that it destroys what cannot be brought back, such as requests that are under way.
	Destructive bool
	// Harmless means that it changes nothing at all: looking, or waiting.
	Harmless bool
	// Mitigates means that orders taken for later (202) are what it is for: they count as good in its proof.
	Mitigates bool
	// EndsRequests means that it takes the target replica out of service for a moment: the healthy floor applies.
	EndsRequests bool
	// Adds means that it adds replicas, which take connections of the database.
	Adds bool
}

// Params are the parameters that a playbook gives to a remedy.
type Params map[string]string

// Sight is what was just seen: what the remedies choose their targets from.
type Sight struct {
	Diagnosis incident.Diagnosis
	Workloads []workload.Workload
	Facts     evidence.Facts
	// Edge is the edge's state; nil where it could not be read.
	Edge *edge.State
}

// Workload finds a workload by name.
func (s Sight) Workload(name string) (workload.Workload, bool) {
	for _, w := range s.Workloads {
		if w.Name == name {
			return w, true
		}
	}
	return workload.Workload{}, false
}

// HasReplica says whether there is a replica of this id.
func (s Sight) HasReplica(id string) bool {
	return slices.ContainsFunc(s.Workloads, func(w workload.Workload) bool { _, there := w.Replica(id); return there })
}

// Application is one use of a remedy.
type Application struct {
	IncidentID string
	// Key is that of the action whose change is made, renewed or taken back (incident.Action). Whoever carries the change does not make it
	// again once it was taken back: a request may be long on its way.
	Key    string
	Target incident.Target
	Params Params
	// IntendedAt is when the intent was recorded.
	IntendedAt time.Time
	// Timeout bounds the effect on this target.
	Timeout time.Duration
	// TimeToLive is how long a change stands if it is not renewed.
	TimeToLive time.Duration
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
	// Until is when whoever carries the change takes it back by himself; nil where nobody does.
	Until *time.Time
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
