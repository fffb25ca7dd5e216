package postgres

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/faultline-lab/faultline/slo/capacity"
)

// timeout bounds all that is asked.
const timeout = 3 * time.Second

// slotsQuery leaves out its own session, which ends with the question. Reserved slots are those of superusers and, from
// PostgreSQL 16 on, of pg_use_reserved_connections; an older server does not know the second setting.
const slotsQuery = `SELECT current_setting('max_connections')::int,
  current_setting('superuser_reserved_connections')::int + COALESCE(NULLIF(current_setting('reserved_connections', true), ''), '0')::int`

const sessionsQuery = `SELECT COALESCE(application_name, ''), count(*) FROM pg_stat_activity
WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() GROUP BY 1`

// Slots are the server's, with who has them.
type Slots struct {
	MaxConnections, Reserved int
	// Sessions that are open, by application_name.
	Sessions map[string]int
}

// Ask connects, asks and disconnects. The URL's password is in no error.
func Ask(ctx context.Context, url string) (Slots, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	config, err := pgx.ParseConfig(url)
	if err != nil {
		return Slots{}, errors.New("the database URL is not of the form postgres://user:password@host:5432/database")
	}
	config.RuntimeParams["application_name"] = "slo-capacity"
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return Slots{}, fmt.Errorf("asking %s:%d for its slots: %w", config.Host, config.Port, err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	slots := Slots{Sessions: map[string]int{}}
	if err := conn.QueryRow(ctx, slotsQuery).Scan(&slots.MaxConnections, &slots.Reserved); err != nil {
		return Slots{}, fmt.Errorf("asking for max_connections: %w", err)
	}
	rows, err := conn.Query(ctx, sessionsQuery)
	if err != nil {
		return Slots{}, fmt.Errorf("asking for the sessions: %w", err)
	}
	var name string
	var count int
	_, err = pgx.ForEachRow(rows, []any{&name, &count}, func() error {
		slots.Sessions[name] = count
		return nil
	})
	if err != nil {
		return Slots{}, fmt.Errorf("asking for the sessions: %w", err)
	}
	return slots, nil
}

// Server counts the sessions that belong to none of the pools: an application_name is the workload's, or the workload, a
// slash and the replica (docs/contracts.md). It also lists them, for people.
func (s Slots) Server(loads []capacity.Load) (capacity.Server, []string) {
	server := capacity.Server{MaxConnections: s.MaxConnections, Reserved: s.Reserved}
	var others []string
	for _, name := range slices.Sorted(maps.Keys(s.Sessions)) {
		workload, _, _ := strings.Cut(name, "/")
		if slices.ContainsFunc(loads, func(load capacity.Load) bool { return load.Workload == workload }) {
			continue
		}
		count := s.Sessions[name]
		server.Others += count
		if name == "" {
			name = "without an application_name"
		}
		others = append(others, fmt.Sprintf("%s: %d", name, count))
	}
	return server, others
}
