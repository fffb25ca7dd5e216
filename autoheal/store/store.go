package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"time"

	"github.com/pressly/goose/v3"
	_ "modernc.org/sqlite" // the database/sql driver "sqlite"
)

//go:embed migrations/*.sql
var migrations embed.FS

// ErrNotFound says that there is no such incident.
var ErrNotFound = errors.New("no such incident")

// Config says where the store lives.
type Config struct {
	// Path of the SQLite file; it is created when missing. Its folder must exist.
	Path string
	// Volatile leaves out the wait for the disk: what was acknowledged outlives the process, but not the machine. It is for
	// tests only, which do not cut the power.
	Volatile bool
}

// Store is safe for concurrent use. Writes go through one connection, so that SQLite never has two writers to refuse.
type Store struct {
	write *sql.DB
	read  *sql.DB
}

// Open opens the file, creates it where there is none and brings its schema up to date.
func Open(ctx context.Context, cfg Config) (*Store, error) {
	if cfg.Path == "" {
		return nil, errors.New("store: the path of the SQLite file is missing: give --store")
	}
	synchronous := "synchronous(FULL)"
	if cfg.Volatile {
		synchronous = "synchronous(OFF)"
	}
	write, err := open(cfg.Path, "journal_mode(WAL)", synchronous, "foreign_keys(1)")
	if err != nil {
		return nil, err
	}
	write.SetMaxOpenConns(1)
	if err := migrate(ctx, write); err != nil {
		return nil, errors.Join(fmt.Errorf("store %s: %w (can the file and its folder be written?)", cfg.Path, err),
			write.Close())
	}
	read, err := open(cfg.Path, "query_only(1)")
	if err != nil {
		return nil, errors.Join(err, write.Close())
	}
	read.SetMaxOpenConns(4)
	return &Store{write: write, read: read}, nil
}

func open(path string, pragmas ...string) (*sql.DB, error) {
	values := url.Values{"_txlock": {"immediate"}, "_pragma": {"busy_timeout(5000)"}}
	for _, p := range pragmas {
		values.Add("_pragma", p)
	}
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

// Close closes the file. Everything acknowledged is on disk already.
func (s *Store) Close() error { return errors.Join(s.read.Close(), s.write.Close()) }

// Ping says whether the store can be written: it takes SQLite's write lock and gives it back.
func (s *Store) Ping(ctx context.Context) error {
	return s.inTx(ctx, func(*sql.Tx) error { return nil })
}

func (s *Store) inTx(ctx context.Context, do func(*sql.Tx) error) error {
	tx, err := s.write.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("store: begin: %w", err)
	}
	if err := do(tx); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("store: commit: %w", err)
	}
	return nil
}

// layout has a fixed width and is always in UTC, so that times compare as text.
const layout = "2006-01-02T15:04:05.000000000Z"

func text(t time.Time) string { return t.UTC().Format(layout) }

func textOrNull(t *time.Time) sql.NullString {
	if t == nil {
		return sql.NullString{}
	}
	return sql.NullString{String: text(*t), Valid: true}
}

func timeOrNil(s sql.NullString) (*time.Time, error) {
	if !s.Valid {
		return nil, nil
	}
	t, err := time.Parse(layout, s.String)
	return &t, err
}
