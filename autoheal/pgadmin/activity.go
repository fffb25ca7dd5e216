package pgadmin

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/faultline-lab/faultline/autoheal/evidence"
)

// ActivityQuery is what the server is asked, all in one, so that the answer is of one moment. Ages are by the server's own
// clock. Who blocks is asked only for those that wait, because asking takes locks itself; literals are left out of
// statements, because they are somebody's data.
const ActivityQuery = `SELECT pid, backend_start, query_start, COALESCE(application_name, ''),
  COALESCE(state, ''), COALESCE(wait_event_type, ''),
  GREATEST(COALESCE(EXTRACT(epoch FROM clock_timestamp() - state_change), 0), 0)::float8,
  GREATEST(COALESCE(EXTRACT(epoch FROM clock_timestamp() - query_start), 0), 0)::float8,
  GREATEST(COALESCE(EXTRACT(epoch FROM clock_timestamp() - xact_start), 0), 0)::float8,
  GREATEST(COALESCE(EXTRACT(epoch FROM clock_timestamp() - backend_start), 0), 0)::float8,
  left(regexp_replace(regexp_replace(left(query, 400), '''[^'']*(''|$)|\m\d+\M', '?', 'g'), '\s+', ' ', 'g'), 80),
  CASE WHEN wait_event_type = 'Lock' THEN pg_blocking_pids(pid) ELSE '{}' END, pid = pg_backend_pid(),
  current_setting('max_connections')::int,
  COALESCE(current_setting('reserved_connections', true), '0')::int + current_setting('superuser_reserved_connections')::int
FROM pg_stat_activity WHERE backend_type = 'client backend'`

// Activity reads all client sessions of the server.
func (a *Admin) Activity(ctx context.Context) (evidence.Activity, error) {
	activity := evidence.Activity{Query: ActivityQuery}
	err := a.with(ctx, func(conn *pgx.Conn) error {
		rows, err := conn.Query(ctx, ActivityQuery)
		if err != nil {
			return err
		}
		activity.Sessions, err = pgx.CollectRows(rows, row(&activity))
		return err
	})
	if err != nil {
		return evidence.Activity{Query: ActivityQuery}, fmt.Errorf("pg_stat_activity: %w", err)
	}
	return activity, nil
}

// row reads one row; what is the server's rather than the session's goes into the activity.
func row(activity *evidence.Activity) pgx.RowToFunc[evidence.Session] {
	return func(from pgx.CollectableRow) (evidence.Session, error) {
		var (
			s       evidence.Session
			started *time.Time
			blocked []int32
		)
		err := from.Scan(&s.PID, &s.BackendStart, &started, &s.ApplicationName, &s.State, &s.WaitEventType, &s.InState, &s.InQuery,
			&s.InTransaction, &s.InSession, &s.Statement, &blocked, &s.Own, &activity.MaxConnections, &activity.ReservedSlots)
		if started != nil {
			s.QueryStart = *started
		}
		for _, pid := range blocked {
			s.BlockedBy = append(s.BlockedBy, int(pid))
		}
		return s, err
	}
}
