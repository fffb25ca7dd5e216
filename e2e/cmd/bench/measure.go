package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/faultline-lab/faultline/deploy/local/folders"
	"github.com/faultline-lab/faultline/e2e/bench"
	"github.com/faultline-lab/faultline/e2e/bench/onstack"
	"github.com/faultline-lab/faultline/e2e/bench/repository"
	"github.com/faultline-lab/faultline/e2e/studylock"
)

// setup is where everything goes.
type setup struct {
	flags     options
	root, out string
	progress  io.Writer
}

func prepare(flags options, progress io.Writer) (setup, error) {
	s := setup{flags: flags, root: flags.Root, out: flags.Out, progress: progress}
	var err error
	if s.root == "" {
		if s.root, err = folders.FindRoot("."); err != nil {
			return s, err
		}
	}
	if s.root, err = filepath.Abs(s.root); err != nil {
		return s, err
	}
	if s.out == "" {
		s.out = filepath.Join(s.root, ".faultline", "bench", time.Now().UTC().Format("20060102T150405Z"))
	}
	return s, nil
}

func measure(ctx context.Context, flags options, stdout, stderr io.Writer) error {
	s, err := prepare(flags, stderr)
	if err != nil {
		return err
	}
	release, err := studylock.Acquire(s.root, "make bench")
	if err != nil {
		return err
	}
	defer release()
	if err := os.MkdirAll(s.out, 0o755); err != nil {
		return err
	}
	results := bench.Results{
		StartedAt: time.Now().UTC(), Machine: bench.ThisMachine(ctx, s.root), Failures: map[string]string{},
	}
	err = s.parts(ctx, &results)
	if ctx.Err() != nil {
		return errors.Join(errors.New("interrupted"), results.Save(s.out))
	}
	if err := errors.Join(err, results.Save(s.out)); err != nil {
		fmt.Fprintln(stdout, bench.Table(results))
		return err
	}
	fmt.Fprintf(stdout, "%s\nRaw results: %s\n", bench.Table(results), s.out)
	if flags.Gate && len(results.Missed()) > 0 {
		return errMissed
	}
	return nil
}

// parts measures what was asked for. A part that breaks off does not keep the next one from being measured.
func (s setup) parts(ctx context.Context, results *bench.Results) error {
	all := []struct {
		name    string
		measure func(context.Context) error
	}{
		{"telemetry", func(ctx context.Context) error {
			cost, err := onstack.MeasureTelemetry(ctx, s.onStack())
			if err == nil {
				results.Telemetry = &cost
			}
			return err
		}},
		{"repository", func(ctx context.Context) error {
			found, err := repository.Measure(ctx, repository.Config{
				Rounds: s.flags.Rounds, Length: s.flags.Transaction, Clients: s.flags.Clients, Seed: s.flags.Seed,
				Folder: s.out, Progress: s.progress,
			})
			if err == nil {
				results.Repository = &found
			}
			return err
		}},
		{"path", func(ctx context.Context) error {
			path, err := onstack.MeasurePath(ctx, s.onStack(), s.flags.PathRates)
			if err == nil {
				results.Path = &path
			}
			return err
		}},
		{"capacity", func(ctx context.Context) error {
			found, err := onstack.MeasureCapacity(ctx, s.onStack())
			if err == nil {
				results.Capacity = &found
			}
			return err
		}},
	}
	var errs []error
	for _, part := range all {
		if !slices.Contains(s.flags.Parts, part.name) || ctx.Err() != nil {
			continue
		}
		if err := part.measure(ctx); err != nil {
			results.Failures[part.name] = err.Error()
			errs = append(errs, fmt.Errorf("%s: %w", part.name, err))
		}
	}
	return errors.Join(errs...)
}

func (s setup) onStack() onstack.Config {
	return onstack.Config{
		Root: s.root, Folder: s.out, Rate: s.flags.Rate, WarmUp: s.flags.WarmUp, Measure: s.flags.Measure,
		Rounds: s.flags.Rounds, Seed: s.flags.Seed, Progress: s.progress,
	}
}
