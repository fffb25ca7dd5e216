package evidence

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/faultline-lab/faultline/autoheal/incident"
)

// Session is one client session of the database server.
type Session struct {
	PID             int
	ApplicationName string // workload/replica for ours
	State           string // pg_stat_activity.state
	WaitEventType   string
	// InState is how long it has been in this state, in seconds, by the server's own clock.
	InState float64
}

// Activity is what the server does at one moment.
type Activity struct {
	Sessions       []Session
	MaxConnections int
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

// PostgresCollector turns the server's sessions into facts of the replicas that own them.
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

// Collect counts each replica's sessions by state.
func (c *PostgresCollector) Collect(ctx context.Context, scope Scope) []incident.Fact {
	activity, err := c.cfg.Server.Activity(ctx)
	now := c.cfg.Now()
	if err != nil {
		return []incident.Fact{unknown(Postgres, "source", Postgres, activity.Query, err.Error(), now)}
	}
	fact := func(name, subject, unit string, value, threshold float64, detail string) incident.Fact {
		return incident.Fact{
			Name: name, Source: Postgres, Subject: subject, Query: activity.Query, Status: incident.Known,
			Value: value, Unit: unit, Threshold: threshold, Detail: detail, At: now,
		}
	}
	facts := []incident.Fact{
		fact(ServerSessions, "server", "{session}", float64(len(activity.Sessions)), float64(activity.MaxConnections), ""),
		fact(ServerMaxConnections, "server", "{session}", float64(activity.MaxConnections), 0, ""),
	}
	for replica, t := range tallies(activity.Sessions, scope) {
		detail := fmt.Sprintf("application_name %s", t.application)
		count := func(name string, n int, threshold float64) {
			facts = append(facts, fact(name, replica, "{session}", float64(n), threshold, detail))
		}
		count(Sessions, t.total, 0)
		count(SessionsIdle, t.idle, 0)
		count(SessionsIdleLong, t.idleLong, float64(t.total))
		count(SessionsActive, t.active, 0)
		count(SessionsInTransaction, t.inTransaction, 0)
		count(SessionsLockWait, t.lockWait, 0)
		if t.idle > 0 {
			facts = append(facts,
				fact(SessionsIdleYoungest, replica, "s", t.youngest, LongestHold.Seconds(), detail),
				fact(SessionsIdleOldest, replica, "s", t.oldest, LongestHold.Seconds(), detail))
		}
	}
	return facts
}

type tally struct {
	application                                            string
	total, idle, idleLong, active, inTransaction, lockWait int
	youngest, oldest                                       float64
}

func tallies(sessions []Session, scope Scope) map[string]*tally {
	found := map[string]*tally{}
	for _, s := range sessions {
		owner, replica, ok := strings.Cut(s.ApplicationName, "/")
		if !ok || replica == "" || !slices.Contains(scope.Workloads, owner) {
			continue
		}
		t := found[replica]
		if t == nil {
			t = &tally{application: s.ApplicationName, youngest: math.Inf(1)}
			found[replica] = t
		}
		t.add(s)
	}
	return found
}

func (t *tally) add(s Session) {
	t.total++
	if s.WaitEventType == "Lock" {
		t.lockWait++
	}
	switch s.State {
	case "idle":
		t.idle++
		t.youngest, t.oldest = min(t.youngest, s.InState), max(t.oldest, s.InState)
		if s.InState >= LongestHold.Seconds() {
			t.idleLong++
		}
	case "idle in transaction", "idle in transaction (aborted)":
		t.inTransaction++
	default: // active, fastpath, disabled, starting: none of them is an idle connection
		t.active++
	}
}
