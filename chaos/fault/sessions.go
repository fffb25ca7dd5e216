package fault

import (
	"context"
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// databaseBound is the longest that one question to the database takes.
const databaseBound = 5 * time.Second

// pollInterval is how often a driver looks while it waits for the world to change.
const pollInterval = 100 * time.Millisecond

// sessions asks Postgres about its sessions, as an administrator. Each question takes a connection of its own: it must
// work when every ordinary slot is taken, and hold nothing while nobody asks.
type sessions struct{ url string }

// session is one connection as the server sees it.
type session struct {
	replica string
	pid     int
	since   time.Duration // its last statement began, or ended if it is idle
	query   string        // that statement
}

// silentQuery finds the sessions that were used last within a window. Times are the server's, so that clocks of other
// machines do not matter. A session that is idle inside of a transaction is silent too.
const silentQuery = `
SELECT application_name, pid, extract(epoch FROM clock_timestamp() - state_change)::float8, query
FROM pg_stat_activity
WHERE starts_with(application_name, $1)
  AND state IN ('idle', 'idle in transaction')
  AND state_change BETWEEN $2 AND $3
  AND clock_timestamp() - state_change > make_interval(secs => $4)
ORDER BY application_name, pid`

// hiddenQuery counts the sessions whose state this user may not see; silence would look like health. (A state that is
// null says nothing of the kind: so is that of a session that is just being made.)
const hiddenQuery = `
SELECT count(*) FROM pg_stat_activity
WHERE starts_with(application_name, $1) AND query = '<insufficient privilege>'`

// silent returns the workload's sessions that went idle between from and to and have not been used since, for at least
// that long.
func (s sessions) silent(ctx context.Context, workload string, from, to time.Time, atLeast time.Duration) ([]session, error) {
	var found []session
	err := s.with(ctx, func(ctx context.Context, conn *pgx.Conn) error {
		prefix := workload + "/"
		var hidden int
		if err := conn.QueryRow(ctx, hiddenQuery, prefix).Scan(&hidden); err != nil {
			return err
		}
		if hidden > 0 {
			return fmt.Errorf("the state of %d sessions of %s is hidden from this user: it needs pg_read_all_stats", hidden, workload)
		}
		rows, err := conn.Query(ctx, silentQuery, prefix, from, to, atLeast.Seconds())
		if err != nil {
			return err
		}
		found, err = collectSessions(rows, prefix)
		return err
	})
	return found, err
}

// collectSessions reads rows of application_name, pid, seconds and query.
func collectSessions(rows pgx.Rows, prefix string) ([]session, error) {
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (session, error) {
		var one session
		var application string
		var seconds float64
		err := row.Scan(&application, &one.pid, &seconds, &one.query)
		one.replica = strings.TrimPrefix(application, prefix)
		one.since = time.Duration(seconds * float64(time.Second))
		return one, err
	})
}

// cancel ends what sessions are running, each only while it still runs that statement; the sessions stay.
func (s sessions) cancel(ctx context.Context, running []session) error {
	return s.with(ctx, func(ctx context.Context, conn *pgx.Conn) error {
		for _, one := range running {
			const cancel = `SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE pid = $1 AND state = 'active' AND query = $2`
			if _, err := conn.Exec(ctx, cancel, one.pid, one.query); err != nil {
				return err
			}
		}
		return nil
	})
}

// clock is the server's time.
func (s sessions) clock(ctx context.Context) (time.Time, error) {
	var now time.Time
	err := s.with(ctx, func(ctx context.Context, conn *pgx.Conn) error {
		return conn.QueryRow(ctx, `SELECT clock_timestamp()`).Scan(&now)
	})
	return now.UTC(), err
}

func (s sessions) with(ctx context.Context, ask func(context.Context, *pgx.Conn) error) error {
	ctx, cancel := context.WithTimeout(ctx, databaseBound)
	defer cancel()
	conn, err := connect(ctx, s.url, map[string]string{"application_name": "chaos"})
	if err != nil {
		return fmt.Errorf("the admin database does not answer: %w", err)
	}
	// What was asked has been answered; how the connection ends does not matter.
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	return ask(ctx, conn)
}

// connect opens one session with settings of its own. It gets its slot from the server directly, not from a pool.
func connect(ctx context.Context, url string, settings map[string]string) (*pgx.Conn, error) {
	config, err := pgx.ParseConfig(url)
	if err != nil {
		return nil, fmt.Errorf("the address of the database cannot be read: %w", err)
	}
	maps.Copy(config.RuntimeParams, settings)
	return pgx.ConnectConfig(ctx, config)
}

// named returns the sessions of exactly that application_name, as the server sees them.
func (s sessions) named(ctx context.Context, application string) ([]foreign, error) {
	var found []foreign
	err := s.with(ctx, func(ctx context.Context, conn *pgx.Conn) error {
		rows, err := conn.Query(ctx, namedQuery, application)
		if err != nil {
			return err
		}
		found, err = pgx.CollectRows(rows, pgx.RowToStructByPos[foreign])
		return err
	})
	return found, err
}

// foreign is a session that is none of a service's.
type foreign struct {
	PID     int
	State   string
	Age     float64 // seconds since it began, or since its transaction did
	Waiting int     // sessions that wait for a lock that it holds
}

const namedQuery = `
SELECT pid, coalesce(state, ''), extract(epoch FROM clock_timestamp() - coalesce(xact_start, backend_start))::float8,
  (SELECT count(*) FROM pg_stat_activity w WHERE w.wait_event_type = 'Lock' AND s.pid = ANY (pg_blocking_pids(w.pid)))::int
FROM pg_stat_activity s WHERE application_name = $1 ORDER BY pid`

// end ends the sessions of exactly that application_name, and waits until the server has let go of them.
func (s sessions) end(ctx context.Context, application string) error {
	return until(ctx, sessionsGoneBound, func(ctx context.Context) (string, error) {
		left := 0
		err := s.with(ctx, func(ctx context.Context, conn *pgx.Conn) error {
			const end = `SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = $1`
			return conn.QueryRow(ctx, end, application).Scan(&left)
		})
		if err != nil || left == 0 {
			return "", err
		}
		return fmt.Sprintf("%d sessions of %s are still there", left, application), nil
	})
}

// sessionsGoneBound is how long a session may take to end.
const sessionsGoneBound = 10 * time.Second

// describeSessions puts held connections in words.
func describeSessions(held []session) string {
	byReplica := map[string]int{}
	longest := time.Duration(0)
	for _, s := range held {
		byReplica[s.replica]++
		longest = max(longest, s.since)
	}
	return fmt.Sprintf("%d connections idle for up to %.1f s (%s)", len(held), longest.Seconds(), describe(byReplica))
}

// describeActive puts statements that run in words.
func describeActive(running []session) string {
	byReplica := map[string]int{}
	longest := time.Duration(0)
	for _, s := range running {
		byReplica[s.replica]++
		longest = max(longest, s.since)
	}
	return fmt.Sprintf("%d statements run for up to %.1f s (%s)", len(running), longest.Seconds(), describe(byReplica))
}

func sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
