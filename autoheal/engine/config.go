package engine

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"

	"github.com/faultline-lab/faultline/autoheal/correlate"
	"github.com/faultline-lab/faultline/autoheal/evidence"
	"github.com/faultline-lab/faultline/autoheal/guard"
	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/autoheal/playbook"
	"github.com/faultline-lab/faultline/autoheal/remedy"
	"github.com/faultline-lab/faultline/autoheal/store"
	"github.com/faultline-lab/faultline/autoheal/verify"
)

// Incidents keeps the records.
type Incidents interface {
	Open(ctx context.Context) ([]incident.Incident, error)
	Load(ctx context.Context, id string) (incident.Incident, incident.Progress, error)
	Save(ctx context.Context, c store.Change) error
	// Troubled counts the incidents beside one that are open, or were handed over at or after a time.
	Troubled(ctx context.Context, except string, since time.Time) (int, error)
}

// Inbox holds the alerts that were taken in.
type Inbox interface {
	// Waiting and HandedOver return at most so many.
	Waiting(ctx context.Context, limit int) ([]incident.Alert, error)
	HandedOver(ctx context.Context, before time.Time, limit int) ([]incident.Alert, error)
	Join(ctx context.Context, id string, alerts []incident.Alert, entries []incident.Entry) (bool, error)
	CountJoined(ctx context.Context, id string) (int, error)
	// Joined tells of each alert of an incident, and returns how many more Alertmanager had left out.
	Joined(ctx context.Context, id string, tell func(incident.Alert)) (truncated int, err error)
}

// Leases hands out the right to act on a workload.
type Leases interface {
	Leases(ctx context.Context, now time.Time) ([]incident.Lease, error)
	Acquire(ctx context.Context, l incident.Lease, now time.Time) (bool, error)
	Release(ctx context.Context, target, holder string) error
}

// History knows the past actions.
type History interface {
	Effects(ctx context.Context, since time.Time) ([]incident.Effect, error)
}

// People is what people tell the healer.
type People interface {
	// Answer reads the answer to a question; false where there is none yet.
	Answer(ctx context.Context, id string, askedAt time.Time) (store.Answer, bool, error)
	// Paused reads whether people have the healer act on nothing; nil where they have not.
	Paused(ctx context.Context) (*store.Pause, error)
}

// Store is all that the engine keeps.
type Store interface {
	Incidents
	Inbox
	Leases
	History
	People
}

// Senses gathers evidence.
type Senses interface {
	Gather(ctx context.Context, scope evidence.Scope) evidence.Gathering
}

// Edge reads the client-facing SLI.
type Edge interface {
	Read(ctx context.Context) (verify.Readout, error)
	Source() string
}

// Prober is an Edge that places a checkout where nobody else does.
type Prober interface {
	ReadOrProbe(ctx context.Context) (verify.Readout, error)
}

// Config holds what an engine needs; all fields without a default are required.
type Config struct {
	Store      Store
	Senses     Senses
	Edge       Edge
	Remedies   []remedy.Remedy
	Playbook   playbook.Playbook
	Map        correlate.Map
	Logger     *slog.Logger
	Registerer prometheus.Registerer
	// Tracer makes the incident's trace; none by default.
	Tracer trace.Tracer
	// Switch reads the kill switch. It is required: whoever has none says so.
	Switch func() guard.Switch
	// Limits of the guards, such as guard.Defaults. They are required, because how much the healer may do is one of them.
	Limits guard.Limits
	// ScrapeInterval is how often Prometheus scrapes; evidence.DefaultScrape by default.
	ScrapeInterval time.Duration
	// Stabilise is the hold after the proof; 10 s by default.
	Stabilise time.Duration
	// Tick is the pause between two looks at the open incidents; 1 s by default.
	Tick time.Duration
	// LookAgain is how long after an incident was handed over its alerts are looked at again if they still fire; 5 min by
	// default, like the cooldown: what was refused then may be right now.
	LookAgain time.Duration
	// Patience is how long an incident waits for a refusal to be lifted before a person gets it; 30 s by default.
	Patience time.Duration
	// AnswerWithin is how long a person has to answer a question; 5 min by default. No answer is a no.
	AnswerWithin time.Duration
	// Budget says how bold one may be by what is left of the error budgets. Nil: no policy is in use, and nothing is held back.
	Budget func(ctx context.Context) (Budget, error)
	Now    func() time.Time
}

func (c *Config) defaults() error {
	switch {
	case c.Store == nil:
		return errors.New("engine: no store was given")
	case c.Senses == nil:
		return errors.New("engine: no senses were given")
	case c.Edge == nil:
		return errors.New("engine: no edge to read was given")
	case len(c.Remedies) == 0:
		return errors.New("engine: no remedies were given")
	case c.Switch == nil:
		return errors.New("engine: no kill switch was given; where there is none, give one that is always off")
	case c.Limits.Autonomy == "":
		return errors.New("engine: the limits do not say how much the healer may do: give guard.Defaults one of act, approve, observe")
	case c.Logger == nil:
		return errors.New("engine: no logger was given")
	case c.Registerer == nil:
		return errors.New("engine: no metrics registerer was given")
	}
	if c.Tracer == nil {
		c.Tracer = noop.NewTracerProvider().Tracer("")
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	for _, d := range []struct {
		field *time.Duration
		value time.Duration
	}{{&c.Stabilise, 10 * time.Second}, {&c.Tick, time.Second}, {&c.Patience, 30 * time.Second}, {&c.AnswerWithin, 5 * time.Minute}, {&c.LookAgain, 5 * time.Minute}, {&c.ScrapeInterval, evidence.DefaultScrape}} {
		if *d.field == 0 {
			*d.field = d.value
		}
	}
	return nil
}

const (
	// looks is how many gatherings may be inconclusive before a person gets the incident.
	looks = 2
	// settled is for how many scrapes an inconclusive picture may be one that is only not whole yet: windows of three scrapes
	// hold what was before the fault, and a new release must have been scraped as well (docs/evidence.md, "seen").
	settled = 6
	// fresh is for how many scrapes it is looked at as often as evidence may come: what is counted between the last two scrapes is
	// whole by then.
	fresh = 2
	// page is how many alerts are given to incidents at a time, and pages how often in a row before the open incidents have their
	// turn: memory is bounded, a payload of 10,000 is whole before anybody looks at it, and a flood of alerts holds nobody up.
	page  = 500
	pages = 40
	// maxRounds bounds all gatherings of one incident, whatever keeps it going.
	maxRounds = 80
	// maxWaves bounds how often an incident may begin to act.
	maxWaves = 6
	// maxFailures is how many actions may fail before a person gets the incident.
	maxFailures = 3
	// harmlessLooks is how many looks in a row must show that no customer suffers before an incident is let go.
	harmlessLooks = 5
	// afterRefusal is the pause before the next look at a refused incident; at most longRefusal where it is known when the refusal
	// ends.
	afterRefusal = time.Second
	longRefusal  = 5 * time.Second
	// leaseMargin is how much longer than the remedy itself a lease lasts.
	leaseMargin = 10 * time.Second
	// readEvery is the pause between two readings of the edge.
	readEvery = time.Second
	// relapseAfter is how many bad readings within the hold are a relapse, in a row or not.
	relapseAfter = 2
	// afterMoreAlerts is the pause after an alert kept an incident from ending.
	afterMoreAlerts = 100 * time.Millisecond
)
