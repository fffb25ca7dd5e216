package repository

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os/exec"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/faultline-lab/faultline/observability/telemetry"
)

// bench is what every measurement needs.
type bench struct {
	cfg       Config
	serverURL string
	recorded  recording
	pgbench   pgbench
	off, on   *telemetry.Telemetry
	sink      *httptest.Server
}

// prepare records the transaction and proves that pgbench repeats it.
func prepare(ctx context.Context, cfg Config, serverURL, program string) (*bench, error) {
	b := &bench{cfg: cfg, serverURL: serverURL}
	// Takes what is sent and keeps nothing: a Jaeger on the same processors would be measured with the repository.
	b.sink = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) }))
	err := b.startTelemetry(ctx)
	if err == nil {
		err = b.inDatabase(ctx, func(databaseURL string) error { return b.record(ctx, databaseURL, program) })
	}
	if err != nil {
		return nil, errors.Join(err, b.close())
	}
	return b, nil
}

func (b *bench) startTelemetry(ctx context.Context) (err error) {
	who := telemetry.Config{Service: "orders", Instance: "orders-bench", Off: true}
	if b.off, err = telemetry.Start(ctx, who); err != nil {
		return err
	}
	who.Off, who.TracesURL, who.LogsURL = false, b.sink.URL, b.sink.URL+"/otlp/v1/logs"
	b.on, err = telemetry.Start(ctx, who)
	return err
}

func (b *bench) record(ctx context.Context, databaseURL, program string) error {
	var err error
	if b.recorded, err = record(ctx, databaseURL, b.off); err != nil {
		return fmt.Errorf("record an order: %w", err)
	}
	if b.pgbench, err = b.recorded.write(program, b.cfg.Folder); err != nil {
		return err
	}
	return b.recorded.check(ctx, databaseURL, b.pgbench)
}

func (b *bench) close() error {
	var errs []error
	for _, senses := range []*telemetry.Telemetry{b.on, b.off} {
		if senses != nil {
			errs = append(errs, senses.Shutdown(context.Background()))
		}
	}
	b.sink.Close()
	return errors.Join(errs...)
}

// round measures one arm in a database of its own, and counts afterwards what lies in it.
func (b *bench) round(ctx context.Context, arm string, clients int) (Round, error) {
	round := Round{Arm: arm, Clients: clients, Seconds: b.cfg.Length.Seconds()}
	err := b.inDatabase(ctx, func(databaseURL string) error {
		// The schema is made before the clock starts, for pgbench too.
		if _, err := drive(ctx, databaseURL, 1, 0, b.off); err != nil {
			return err
		}
		done, err := b.run(ctx, databaseURL, arm, clients)
		if err != nil {
			return err
		}
		round.Transactions, round.PerSecond, round.LatencyMillis = done.transactions, done.perSecond, done.latencyMillis
		return check(ctx, databaseURL, done.transactions)
	})
	return round, err
}

func (b *bench) run(ctx context.Context, databaseURL, arm string, clients int) (count, error) {
	switch arm {
	case Pgbench:
		return b.pgbench.run(ctx, databaseURL, clients, fmt.Sprintf("--time=%.0f", b.cfg.Length.Seconds()))
	case Pgx:
		return replay(ctx, databaseURL, clients, b.cfg.Length, b.recorded)
	case On:
		return drive(ctx, databaseURL, clients, b.cfg.Length, b.on)
	default:
		return drive(ctx, databaseURL, clients, b.cfg.Length, b.off)
	}
}

// inDatabase calls use with a database that is new and goes afterwards.
func (b *bench) inDatabase(ctx context.Context, use func(databaseURL string) error) error {
	admin, err := pgx.Connect(ctx, b.serverURL)
	if err != nil {
		return err
	}
	defer admin.Close(context.WithoutCancel(ctx))
	if _, err := admin.Exec(ctx, "CREATE DATABASE bench"); err != nil {
		return err
	}
	database, err := url.Parse(b.serverURL)
	if err != nil {
		return err
	}
	database.Path = "/bench"
	err = use(database.String())
	_, dropErr := admin.Exec(context.WithoutCancel(ctx), "DROP DATABASE bench WITH (FORCE)")
	return errors.Join(err, dropErr)
}

// check holds the rows against the transactions: every one of them is a whole order, whoever made it.
func check(ctx context.Context, databaseURL string, transactions int) error {
	conn, err := pgx.Connect(ctx, databaseURL)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	var whole, placed, keys, messages int
	err = conn.QueryRow(ctx, `SELECT
		(SELECT count(*) FROM orders o JOIN idempotency_keys k ON k.order_id = o.id JOIN outbox m USING (reservation_id)
			WHERE o.status = 'confirmed' AND o.total_cents > 0 AND o.authorization_id <> ''
			AND jsonb_array_length(o.items) > 0 AND length(k.fingerprint) = 32),
		(SELECT count(*) FROM orders), (SELECT count(*) FROM idempotency_keys), (SELECT count(*) FROM outbox)`).
		Scan(&whole, &placed, &keys, &messages)
	if err != nil {
		return err
	}
	if whole != transactions || placed != transactions || keys != transactions || messages != transactions {
		return fmt.Errorf("%d transactions left %d orders, %d keys, %d messages, of which %d belong together",
			transactions, placed, keys, messages, whole)
	}
	return nil
}

// settingsOf are those that decide what a commit costs, and the server's version.
func settingsOf(ctx context.Context, serverURL string) (map[string]string, error) {
	conn, err := pgx.Connect(ctx, serverURL)
	if err != nil {
		return nil, err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	settings := map[string]string{}
	names := []string{"server_version", "fsync", "synchronous_commit", "full_page_writes", "wal_level", "shared_buffers", "max_connections"}
	for _, name := range names {
		var value string
		if err := conn.QueryRow(ctx, "SELECT current_setting($1)", name).Scan(&value); err != nil {
			return nil, err
		}
		settings[name] = value
	}
	return settings, nil
}

func versionOf(ctx context.Context, program string) (string, error) {
	output, err := exec.CommandContext(ctx, program, "--version").Output()
	return strings.TrimSpace(string(output)), err
}
