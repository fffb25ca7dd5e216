package pgadmin

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/autoheal/remedy"
	"github.com/faultline-lab/faultline/autoheal/workload"
)

// judged selects, of the sessions $1 to $3 of application $4, those that are still what was judged. A pid that has been given
// to somebody else has another start. The connection's own session is never among them.
const judged = `FROM unnest($1::int[], $2::timestamptz[], $3::timestamptz[]) AS judged (pid, backend_start, query_start)
JOIN pg_stat_activity s ON s.pid = judged.pid AND s.backend_start = judged.backend_start
WHERE s.application_name = $4 AND s.backend_type = 'client backend' AND s.pid <> pg_backend_pid()`

// running narrows them down to those whose statement is still the same and still runs.
const running = ` AND s.query_start = judged.query_start AND s.state = 'active'`

// protected says of a session that only a superuser may touch it, and we are none.
const protected = `COALESCE((SELECT theirs.rolsuper AND NOT ours.rolsuper FROM pg_roles theirs, pg_roles ours
  WHERE theirs.oid = s.usesysid AND ours.rolname = current_user), false)`

// The statements by which sessions are ended and statements cancelled: all in one, so that none of them can fill the gap that
// another one leaves. A session of a superuser is not touched, and told.
const (
	endSessions = `SELECT s.pid, s.backend_start, s.query_start, ` + protected + `,
  CASE WHEN ` + protected + ` THEN false ELSE pg_terminate_backend(s.pid) END ` + judged
	cancelQueries = `SELECT s.pid, s.backend_start, s.query_start, ` + protected + `,
  CASE WHEN ` + protected + ` THEN false ELSE pg_cancel_backend(s.pid) END ` + judged + running
	sessionsLeft = `SELECT s.pid, s.backend_start, s.query_start, false, true ` + judged
	queriesLeft  = sessionsLeft + running
	sessionsOf   = `SELECT s.pid, s.backend_start, s.query_start, false, true FROM pg_stat_activity s
WHERE s.application_name = $1 AND s.backend_start < $2 AND s.backend_type = 'client backend' AND s.pid <> pg_backend_pid()`
)

// Signal ends sessions or cancels their statements: those that are still what was judged, all in one statement. It returns whom
// it reached.
func (a *Admin) Signal(ctx context.Context, signal remedy.Signal, application string, sessions []incident.Session) ([]incident.Session, error) {
	if application == a.cfg.Application {
		return nil, fmt.Errorf("pgadmin: %s is the healer itself, whose sessions it does not touch: %w", application, workload.ErrRefused)
	}
	statement := endSessions
	if signal == remedy.CancelQuery {
		statement = cancelQueries
	}
	found, err := a.ask(ctx, statement, application, sessions)
	if err != nil {
		return nil, a.explain(err)
	}
	var reached []incident.Session
	var superusers []string
	for _, f := range found {
		switch {
		case f.protected:
			superusers = append(superusers, fmt.Sprint(f.session.PID))
		case f.signalled:
			reached = append(reached, f.session)
		}
	}
	if len(superusers) > 0 {
		return reached, fmt.Errorf("pgadmin: pid %s of %s is a superuser's, whom only a superuser may touch; a person must, with pg_terminate_backend: %w",
			strings.Join(superusers, ", "), application, workload.ErrRefused)
	}
	return reached, nil
}

// Left returns those of the sessions that are still there, or still run the statement that was to be cancelled.
func (a *Admin) Left(ctx context.Context, signal remedy.Signal, application string, sessions []incident.Session) ([]incident.Session, error) {
	statement := sessionsLeft
	if signal == remedy.CancelQuery {
		statement = queriesLeft
	}
	found, err := a.ask(ctx, statement, application, sessions)
	if err != nil {
		return nil, fmt.Errorf("pg_stat_activity: %w", err)
	}
	return only(found), nil
}

// Of returns the sessions of an application that began before, by the server's clock.
func (a *Admin) Of(ctx context.Context, application string, before time.Time) ([]incident.Session, error) {
	found, err := a.collect(ctx, application, sessionsOf, application, before)
	if err != nil {
		return nil, fmt.Errorf("pg_stat_activity: %w", err)
	}
	return only(found), nil
}

// found is one session as the server knows it now.
type found struct {
	session              incident.Session
	protected, signalled bool
}

func only(all []found) []incident.Session {
	var sessions []incident.Session
	for _, f := range all {
		sessions = append(sessions, f.session)
	}
	return sessions
}

func (a *Admin) ask(ctx context.Context, statement, application string, sessions []incident.Session) ([]found, error) {
	pids, began, asked := make([]int, len(sessions)), make([]time.Time, len(sessions)), make([]*time.Time, len(sessions))
	for i, s := range sessions {
		pids[i], began[i] = s.PID, s.BackendStart
		if !s.QueryStart.IsZero() {
			asked[i] = &s.QueryStart
		}
	}
	return a.collect(ctx, application, statement, pids, began, asked, application)
}

func (a *Admin) collect(ctx context.Context, application, statement string, args ...any) (all []found, err error) {
	err = a.with(ctx, func(conn *pgx.Conn) error {
		rows, err := conn.Query(ctx, statement, args...)
		if err != nil {
			return err
		}
		all, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (found, error) {
			f := found{session: incident.Session{Application: application}}
			var query *time.Time
			err := row.Scan(&f.session.PID, &f.session.BackendStart, &query, &f.protected, &f.signalled)
			if query != nil {
				f.session.QueryStart = query.UTC()
			}
			f.session.BackendStart = f.session.BackendStart.UTC()
			return f, err
		})
		return err
	})
	return all, err
}

// explain says what to grant where the server refuses.
func (a *Admin) explain(err error) error {
	if refused, ok := errors.AsType[*pgconn.PgError](err); ok && refused.Code == "42501" { // insufficient_privilege
		return fmt.Errorf("pgadmin: role %s may not end sessions of others: GRANT pg_signal_backend TO it: %w: %w", a.pgx.User, workload.ErrRefused, err)
	}
	return fmt.Errorf("pgadmin: %w", err)
}
