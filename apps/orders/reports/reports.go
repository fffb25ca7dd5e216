// Package reports counts for the back office what the shop took in, day by day.
//
// Its reports run on the pool that the checkouts need, which is the mistake that makes them felt: docs/decisions, 0019.
package reports

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/faultline-lab/faultline/apps/internal/apierror"
	"github.com/faultline-lab/faultline/apps/internal/database"
)

// MaxDays is the longest report, in days.
const MaxDays = 120

// Revenue is what was taken in, the latest day first.
type Revenue struct {
	Days       []Day `json:"days"`
	TotalCents int64 `json:"total_cents"`
}

// Day is one day, in UTC.
type Day struct {
	Day          string `json:"day"` // 2026-01-31
	Orders       int64  `json:"orders"`
	RevenueCents int64  `json:"revenue_cents"`
}

// Postgres makes reports from the orders database.
type Postgres struct {
	pool     *database.Pool
	pause    time.Duration
	draining context.Context // ends when Drain is called
	drain    context.CancelFunc
}

// NewPostgres makes reports on the pool. The statement pauses that long after each day, so that it is no load to the
// server: it takes long, and holds its connection all the while.
func NewPostgres(pool *database.Pool, pause time.Duration) *Postgres {
	draining, drain := context.WithCancel(context.Background())
	return &Postgres{pool: pool, pause: pause, draining: draining, drain: drain}
}

// Drain ends the reports that run, and every further one: none of them would end within the time that a shutdown has.
func (p *Postgres) Drain() { p.drain() }

// revenueQuery walks the days backwards. The pause depends on the day, or the planner would take it once for all. The comment
// is for whoever reads pg_stat_activity.
const revenueQuery = `/* revenue report */ SELECT to_char(days.day, 'YYYY-MM-DD'), taken.orders, taken.cents
	FROM (SELECT date_trunc('day', now() AT TIME ZONE 'UTC') - n * interval '1 day' AS day FROM generate_series(0, $1::int - 1) AS n) AS days
	CROSS JOIN LATERAL (
		SELECT count(*) AS orders, coalesce(sum(total_cents), 0)::bigint AS cents FROM orders
		WHERE created_at >= days.day AT TIME ZONE 'UTC' AND created_at < (days.day + interval '1 day') AT TIME ZONE 'UTC'
			AND status <> 'cancelled'
	) AS taken
	CROSS JOIN LATERAL (SELECT pg_sleep(CASE WHEN days.day IS NULL THEN 0 ELSE $2::float8 END)) AS pause
	ORDER BY days.day DESC`

// queryCanceled is the SQLSTATE of a statement that somebody ended.
const queryCanceled = "57014"

// Revenue reports the last days, today included. Errors: bad_request, and unavailable when no connection was free, when the
// statement was cancelled in the database, or when this replica ends.
func (p *Postgres) Revenue(ctx context.Context, days int) (Revenue, error) {
	if days < 1 || days > MaxDays {
		return Revenue{}, apierror.New(apierror.BadRequest, "days=%d: ask for 1 to %d", days, MaxDays)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(p.draining, cancel)()
	conn, err := p.pool.Acquire(ctx)
	if err != nil {
		return Revenue{}, err
	}
	defer conn.Release()
	rows, err := conn.Query(ctx, revenueQuery, days, p.pause.Seconds())
	if err != nil {
		return Revenue{}, p.failed(err)
	}
	var revenue Revenue
	revenue.Days, err = pgx.CollectRows(rows, pgx.RowToStructByPos[Day])
	if err != nil {
		return Revenue{}, p.failed(err)
	}
	for _, day := range revenue.Days {
		revenue.TotalCents += day.RevenueCents
	}
	return revenue, nil
}

func (p *Postgres) failed(err error) error {
	var answer *pgconn.PgError
	switch {
	case p.draining.Err() != nil:
		return apierror.New(apierror.Unavailable, "this replica is ending; ask for the report again").Because(err)
	case errors.As(err, &answer) && answer.Code == queryCanceled:
		return apierror.New(apierror.Unavailable, "the report was cancelled in the database; ask again when the shop is quiet").Because(err)
	default:
		return fmt.Errorf("revenue report: %w", err)
	}
}
