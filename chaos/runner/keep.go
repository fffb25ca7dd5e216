package runner

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/faultline-lab/faultline/observability/endpoints"
)

const (
	// keepInterval is how often a keeper looks at the record.
	keepInterval = 200 * time.Millisecond
	// retryInterval is how long it waits after it could not take the fault away, giveUp how long it goes on trying.
	retryInterval = 2 * time.Second
	giveUp        = 3 * time.Minute
)

// Keep watches over an experiment until its record is gone. It takes the fault away when its time to live is over, or when
// whoever injected has died: alive then gives its end. A fault that was kept on purpose outlives its runner, not its time.
//
// The error says why the fault could not be taken away, after trying for three minutes; the record is then still there.
func Keep(ctx context.Context, stackFile, id string, alive io.Reader) error {
	died := make(chan struct{})
	go func() {
		_, _ = io.Copy(io.Discard, alive) // its end is all that it says
		close(died)
	}()
	if err := waitForEnd(ctx, stackFile, id, died); err != nil {
		return err
	}
	for over := time.Now().Add(giveUp); ; {
		err := restoreRecorded(ctx, stackFile, id)
		switch {
		case err == nil, errors.Is(err, ErrNothingActive), errors.Is(err, endpoints.ErrNotRunning):
			return nil
		case ctx.Err() != nil || time.Now().After(over):
			return err
		}
		if err := sleep(ctx, retryInterval); err != nil {
			return err
		}
	}
}

// waitForEnd returns when the fault is to be taken away, or when there is nothing to take away.
func waitForEnd(ctx context.Context, stackFile, id string, died <-chan struct{}) error {
	files := recordsOf(stackFile)
	seen := false
	for {
		gone := false
		select {
		case <-died:
			gone = true
		default:
		}
		// The record is read after the look at the runner: what a runner that is gone has written is there by now.
		record, err := files.read(id)
		switch {
		case err == nil:
			seen = true
			if gone && !record.Kept || time.Now().After(record.GoneBy) {
				return nil
			}
		case !errors.Is(err, ErrNothingActive):
			return fmt.Errorf("keeping %s: %w", id, err)
		case seen || gone:
			return nil
		}
		if err := sleep(ctx, keepInterval); err != nil {
			return err
		}
	}
}

func restoreRecorded(ctx context.Context, stackFile, id string) error {
	r, err := Resume(stackFile, id)
	if err != nil {
		return err
	}
	defer r.Close()
	return r.Restore(ctx)
}
