package evidence

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/faultline-lab/faultline/autoheal/incident"
)

// Session is one client session of the database server. Ages are in seconds, by the server's own clock.
type Session struct {
	PID          int
	BackendStart time.Time
	// QueryStart is when its present or last statement began; zero where there was none.
	QueryStart      time.Time
	ApplicationName string // workload/replica for ours
	State           string // pg_stat_activity.state
	WaitEventType   string
	InState         float64
	InQuery         float64
	InTransaction   float64 // 0 where it has none open
	InSession       float64 // since it connected
	// Statement is the beginning of what it runs or ran last, without literals.
	Statement string
	// BlockedBy are the pids that it waits for, where it waits for a lock.
	BlockedBy []int
	// Own says that it is the session that asked.
	Own bool
}

// identity is what an incident keeps of it.
func (s Session) identity() *incident.Session {
	return &incident.Session{
		PID: s.PID, BackendStart: s.BackendStart, QueryStart: s.QueryStart, Application: s.ApplicationName, Statement: s.Statement,
	}
}

// owner is the first part of an application_name, which is the workload for the sessions of ours: its pool's, and its
// probe's, which has a name of its own.
func (s Session) owner() string {
	name, _, _ := strings.Cut(s.ApplicationName, "/")
	return strings.TrimSuffix(name, "-probe")
}

// pool says to which workload's and replica's pool the session belongs; false where to none.
func (s Session) pool(workloads []string) (workload, replica string, ok bool) {
	workload, replica, ok = strings.Cut(s.ApplicationName, "/")
	return workload, replica, ok && replica != "" && slices.Contains(workloads, workload)
}

// Activity is what the server does at one moment.
type Activity struct {
	Sessions       []Session
	MaxConnections int
	ReservedSlots  int    // those of MaxConnections that are not for everybody
	Query          string // the statement that was asked
}

// Server reads the activity of the database server.
type Server interface {
	Activity(ctx context.Context) (Activity, error)
}

// PostgresConfig holds what the Postgres collector needs.
type PostgresConfig struct {
	Server Server
	Now    func() time.Time
}

// PostgresCollector turns the server's sessions into facts of the replicas that own them, of those who hold others up, and
// of those who belong to nobody.
type PostgresCollector struct{ cfg PostgresConfig }

// NewPostgres makes the collector.
func NewPostgres(cfg PostgresConfig) (*PostgresCollector, error) {
	if cfg.Server == nil {
		return nil, errors.New("evidence: no database server was given")
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	return &PostgresCollector{cfg}, nil
}

// Source is Postgres.
func (*PostgresCollector) Source() string { return Postgres }

// Collect asks once, and reads everything from the one answer: it is of one moment.
func (c *PostgresCollector) Collect(ctx context.Context, scope Scope) []incident.Fact {
	activity, err := c.cfg.Server.Activity(ctx)
	now := c.cfg.Now()
	if err != nil {
		return []incident.Fact{unknown(Postgres, "source", Postgres, activity.Query, err.Error(), now)}
	}
	p := picture{activity, scope, now}
	facts := append(p.server(), p.replicas()...)
	facts = append(facts, p.longQueries()...)
	facts = append(facts, p.locks()...)
	return append(facts, p.foreign()...)
}

// picture is one answer, and whom it is held against.
type picture struct {
	Activity
	scope Scope
	now   time.Time
}

func (p picture) fact(name, subject, unit string, value, threshold float64, detail string) incident.Fact {
	return incident.Fact{
		Name: name, Source: Postgres, Subject: subject, Query: p.Query, Status: incident.Known,
		Value: value, Unit: unit, Threshold: threshold, Detail: detail, At: p.now,
	}
}

func (p picture) server() []incident.Fact {
	slots, taken, oldest := float64(p.MaxConnections), 0, 0.0
	for _, s := range p.Sessions {
		if !s.Own {
			taken++
			oldest = max(oldest, s.InTransaction)
		}
	}
	return []incident.Fact{
		p.fact(ServerSessions, "server", "{session}", float64(taken), slots, ""),
		p.fact(ServerMaxConnections, "server", "{session}", slots, 0, ""),
		p.fact(ServerReservedSlots, "server", "{session}", float64(p.ReservedSlots), 0, ""),
		p.fact(TransactionOldest, "server", "s", oldest, LongestHold.Seconds(), ""),
	}
}

// sessionFacts is how many facts of single sessions there are at most of a kind: a record must stay readable.
const sessionFacts = 200

// single makes a fact of each session that has a value, the greatest first.
func (p picture) single(name string, threshold float64, value func(Session) (float64, bool)) []incident.Fact {
	var facts []incident.Fact
	for _, s := range p.Sessions {
		v, ok := value(s)
		if !ok {
			continue
		}
		fact := p.fact(name, s.ApplicationName, "s", v, threshold, fmt.Sprintf("pid %d, %s", s.PID, s.doing()))
		fact.Session = s.identity()
		facts = append(facts, fact)
	}
	slices.SortStableFunc(facts, func(a, b incident.Fact) int { return int(max(-1, min(1, (b.Value-a.Value)*1e9))) })
	return facts[:min(len(facts), sessionFacts)]
}

// doing says what the session does, in words.
func (s Session) doing() string {
	switch {
	case s.Statement == "":
		return s.State
	case s.State == active:
		return "active with " + s.Statement
	}
	return s.State + " after " + s.Statement
}
