package collect

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/faultline-lab/faultline/e2e/signature"
)

// activityQuery asks the server about every client session but this one. Ages are by the server's own clock; who blocks is
// asked only for those that wait, because asking takes locks itself. A statement without its literals is its shape.
const activityQuery = `SELECT pid, COALESCE(application_name, ''), COALESCE(state, ''), COALESCE(wait_event_type, ''),
  GREATEST(COALESCE(EXTRACT(epoch FROM clock_timestamp() - state_change), 0), 0)::float8,
  GREATEST(COALESCE(EXTRACT(epoch FROM clock_timestamp() - query_start), 0), 0)::float8,
  GREATEST(COALESCE(EXTRACT(epoch FROM clock_timestamp() - xact_start), 0), 0)::float8,
  left(regexp_replace(regexp_replace(query, '''[^'']*''|\m\d+\M', '?', 'g'), '\s+', ' ', 'g'), 60),
  CASE WHEN wait_event_type = 'Lock' THEN pg_blocking_pids(pid) ELSE '{}' END
FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()`

// slotsQuery asks how many slots there are, and how many of them are not for everybody.
const slotsQuery = `SELECT current_setting('max_connections')::int,
  current_setting('reserved_connections')::int + current_setting('superuser_reserved_connections')::int`

// session is one row of activityQuery. Ages are in seconds.
type session struct {
	pid                             int32
	application, state, waits       string
	inState, inQuery, inTransaction float64
	shape                           string
	blockedBy                       []int32
}

// sessions asks Postgres.
func (c *Collector) sessions(ctx context.Context) []signature.Fact {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	all, slots, reserved, err := c.activity(ctx)
	now := time.Now()
	if err != nil {
		var facts []signature.Fact
		for _, name := range []string{
			signature.Sessions, signature.SessionsIdleLong, signature.SessionsActiveLong, signature.LockRootOldest,
			signature.ForeignSessions, signature.ServerSessions, signature.ServerMaxConnections,
		} {
			facts = append(facts, unknown(signature.Postgres, name, signature.Postgres, activityQuery, err.Error(), now))
		}
		return facts
	}
	facts := serverFacts(all, slots, reserved, now)
	facts = append(facts, lockFacts(all, now)...)
	facts = append(facts, shapeFacts(all, now)...)
	return append(facts, replicaSessions(all, now)...)
}

func (c *Collector) activity(ctx context.Context) (all []session, slots, reserved int, err error) {
	if err := c.postgres.QueryRow(ctx, slotsQuery).Scan(&slots, &reserved); err != nil {
		return nil, 0, 0, err
	}
	rows, err := c.postgres.Query(ctx, activityQuery)
	if err != nil {
		return nil, 0, 0, err
	}
	all, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (session, error) {
		var s session
		err := row.Scan(&s.pid, &s.application, &s.state, &s.waits, &s.inState, &s.inQuery, &s.inTransaction, &s.shape, &s.blockedBy)
		return s, err
	})
	return all, slots, reserved, err
}
