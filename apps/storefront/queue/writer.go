package queue

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// maxBatch is how many writes share one commit at most.
const maxBatch = 128

// errClosed answers what is written after the end.
var errClosed = errors.New("the queue is closed")

// write is one change and where its end is told.
type write struct {
	do   func(context.Context, *sql.Tx) error
	done chan error
}

// commit has a change made, together with others of the same moment, and returns once it is on disk. When ctx ends first,
// the change may be made all the same.
func (q *Queue) commit(ctx context.Context, do func(context.Context, *sql.Tx) error) error {
	w := write{do: do, done: make(chan error, 1)}
	select {
	case q.writes <- w:
	case <-q.ended:
		return errClosed
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case err := <-w.done:
		return err
	case <-q.ended:
		return errClosed
	case <-ctx.Done():
		return ctx.Err()
	}
}

// commitAll is the one writer, until the queue is closed.
func (q *Queue) commitAll() {
	defer close(q.ended)
	for {
		select {
		case first := <-q.writes:
			q.commitTogether(q.waiting(first))
		case <-q.ending:
			return
		}
	}
}

// waiting gives the first write and those that came while the last commit was under way.
func (q *Queue) waiting(first write) []write {
	batch := []write{first}
	for len(batch) < maxBatch {
		select {
		case next := <-q.writes:
			batch = append(batch, next)
		default:
			return batch
		}
	}
	return batch
}

func (q *Queue) commitTogether(batch []write) {
	err := q.transact(batch)
	for _, w := range batch {
		w.done <- err
	}
}

// transact runs under no caller's context: the commit belongs to all of them.
func (q *Queue) transact(batch []write) error {
	ctx := context.Background()
	tx, err := q.write.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("queue: begin: %w", err)
	}
	for _, w := range batch {
		if err := w.do(ctx, tx); err != nil {
			return errors.Join(err, tx.Rollback())
		}
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("queue: commit: %w", err)
	}
	return nil
}
