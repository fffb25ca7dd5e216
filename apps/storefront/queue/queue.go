// Package queue keeps orders that were accepted at the edge and are not placed yet, in a SQLite file: what was acknowledged
// survives whatever becomes of the process or of the machine's power.
//
// Writes of one moment share one commit, because a commit waits for the disk, and a hundred of them a second would wait for
// one another (writer.go). A worker completes the entries at a limited rate (worker.go).
package queue

import (
	"bytes"
	"context"
	"database/sql"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"time"

	"github.com/pressly/goose/v3"
	"go.opentelemetry.io/otel/metric"
	_ "modernc.org/sqlite" // the database/sql driver "sqlite"

	"github.com/faultline-lab/faultline/apps/internal/apierror"
	"github.com/faultline-lab/faultline/apps/internal/counts"
)

//go:embed migrations/*.sql
var migrations embed.FS

// State is where an entry stands.
type State string

// The states of an entry.
const (
	Accepted  State = "accepted"  // waits to be completed
	Completed State = "completed" // orders has it
	Refused   State = "refused"   // orders refused it for good
)

// Entry is one accepted order.
type Entry struct {
	ID int64
	// Key is the order's Idempotency-Key: one key, one entry.
	Key         string
	Body        json.RawMessage
	Traceparent string
	AcceptedAt  time.Time
	Attempts    int
	State       State
	// Answer is what orders said of an entry that has ended.
	Answer json.RawMessage
}

// ErrKeyConflict says that the key stands for another order.
var ErrKeyConflict = apierror.New(apierror.Unprocessable,
	"this Idempotency-Key stands for another order already; send a new key with a new order")

// ErrNotFound says that no entry has the key.
var ErrNotFound = errors.New("no entry has this key")

// Config is what a Queue needs; every field is required.
type Config struct {
	// Path of the SQLite file; it is made when missing. Its folder must exist.
	Path string
	// MeterProvider takes the counter of what is done, and the gauges of what waits.
	MeterProvider metric.MeterProvider
}

// Queue is safe for concurrent use.
type Queue struct {
	write    *sql.DB
	read     *sql.DB
	outcomes *counts.Counter[outcome]
	writes   chan write
	wake     chan struct{} // something was accepted
	ending   chan struct{}
	ended    chan struct{}
}

// Open opens the file and brings its schema up to date.
func Open(ctx context.Context, cfg Config) (*Queue, error) {
	if cfg.Path == "" || cfg.MeterProvider == nil {
		return nil, errors.New("queue: a queue needs Path and MeterProvider")
	}
	q := &Queue{
		writes: make(chan write, maxBatch), wake: make(chan struct{}, 1),
		ending: make(chan struct{}), ended: make(chan struct{}),
	}
	if err := q.open(ctx, cfg.Path); err != nil {
		return nil, err
	}
	if err := q.measure(cfg.MeterProvider); err != nil {
		return nil, errors.Join(err, q.read.Close(), q.write.Close())
	}
	go q.commitAll()
	return q, nil
}

func (q *Queue) open(ctx context.Context, path string) (err error) {
	if q.write, err = open(path, "journal_mode(WAL)", "synchronous(FULL)"); err != nil {
		return err
	}
	q.write.SetMaxOpenConns(1)
	if err := migrate(ctx, q.write); err != nil {
		return errors.Join(fmt.Errorf("queue %s: %w (can the file and its folder be written?)", path, err), q.write.Close())
	}
	if q.read, err = open(path, "query_only(1)"); err != nil {
		return errors.Join(err, q.write.Close())
	}
	q.read.SetMaxOpenConns(2)
	return nil
}

func open(path string, pragmas ...string) (*sql.DB, error) {
	values := url.Values{"_txlock": {"immediate"}, "_pragma": append([]string{"busy_timeout(5000)"}, pragmas...)}
	dsn := url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath(), RawQuery: values.Encode()}
	return sql.Open("sqlite", dsn.String())
}

func migrate(ctx context.Context, db *sql.DB) error {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	provider, err := goose.NewProvider(goose.DialectSQLite3, db, files)
	if err != nil {
		return err
	}
	_, err = provider.Up(ctx)
	return err
}

// Close closes the file. What was acknowledged is on disk already.
func (q *Queue) Close() error {
	close(q.ending)
	<-q.ended
	return errors.Join(q.read.Close(), q.write.Close())
}

// Accept puts the order into the queue and returns once it is on disk. For a key that has its entry already it gives that
// one; ErrKeyConflict when that stands for another order.
func (q *Queue) Accept(ctx context.Context, entry Entry) (Entry, error) {
	var kept Entry
	did := repeated
	err := q.commit(ctx, func(ctx context.Context, tx *sql.Tx) error {
		now := time.Now().UnixMilli()
		result, err := tx.ExecContext(ctx, `INSERT INTO entries (key, body, traceparent, accepted_at, due_at, state)
			VALUES (?, ?, ?, ?, ?, 'accepted') ON CONFLICT (key) DO NOTHING`,
			entry.Key, []byte(entry.Body), entry.Traceparent, now, now)
		if err != nil {
			return fmt.Errorf("accept an order: %w", err)
		}
		added, err := result.RowsAffected()
		if err != nil {
			return fmt.Errorf("accept an order: %w", err)
		}
		if added == 1 {
			did = accepted
		}
		kept, err = scan(tx.QueryRowContext(ctx, selectEntry+` WHERE key = ?`, entry.Key))
		return err
	})
	if err != nil {
		return Entry{}, err
	}
	if !bytes.Equal(kept.Body, entry.Body) {
		return Entry{}, ErrKeyConflict
	}
	q.outcomes.Add(ctx, did, 1)
	if did == accepted {
		q.nudge()
	}
	return kept, nil
}

func (q *Queue) nudge() {
	select {
	case q.wake <- struct{}{}:
	default: // the worker is awake already
	}
}
