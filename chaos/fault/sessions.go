package fault

import (
	"context"
	"fmt"
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
	idle    time.Duration // since its last statement ended
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
		found, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (session, error) {
			var one session
			var application string
			var idle float64
			err := row.Scan(&application, &one.pid, &idle, &one.query)
			one.replica = strings.TrimPrefix(application, prefix)
			one.idle = time.Duration(idle * float64(time.Second))
			return one, err
		})
		return err
	})
	return found, err
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
	config, err := pgx.ParseConfig(s.url)
	if err != nil {
		return fmt.Errorf("the address of the admin database cannot be read: %w", err)
	}
	config.RuntimeParams["application_name"] = "chaos"
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return fmt.Errorf("the admin database does not answer: %w", err)
	}
	// What was asked has been answered; how the connection ends does not matter.
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	return ask(ctx, conn)
}

// describeSessions puts held connections in words.
func describeSessions(held []session) string {
	byReplica := map[string]int{}
	longest := time.Duration(0)
	for _, s := range held {
		byReplica[s.replica]++
		longest = max(longest, s.idle)
	}
	return fmt.Sprintf("%d connections idle for up to %.1f s (%s)", len(held), longest.Seconds(), describe(byReplica))
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
