package kind

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/faultline-lab/faultline/deploy/local/folders"
	"github.com/faultline-lab/faultline/deploy/local/runlock"
	"github.com/faultline-lab/faultline/observability/endpoints"
)

// Known says whether the checkout remembers a cluster, running or half made. It asks nobody.
func Known(paths folders.Folders) (bool, error) {
	known, err := readRecord(filesOf(paths).record)
	if err != nil || known.Cluster != "" {
		return known.Cluster != "", err
	}
	stack, err := endpoints.Read(paths.Stack)
	if errors.Is(err, endpoints.ErrNotRunning) {
		return false, nil
	}
	return stack.Target == endpoints.Kind, err
}

// Down deletes the cluster of this checkout and the files that say where it is. A cluster of that name that is not its own
// it leaves alone, and returns an error that says so. Without a cluster there is nothing to do. It says what it did.
func Down(ctx context.Context, cfg Config) (err error) {
	at, err := cfg.defaults()
	if err != nil {
		return err
	}
	if err := at.Make(); err != nil {
		return err
	}
	lock, err := runlock.Acquire(ctx, at.Lock, strings.Join(os.Args, " "))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, lock.Release()) }()
	known, err := Known(at.Folders)
	if err != nil {
		return err
	}
	if _, err := findEngine(ctx); err != nil {
		if known {
			return fmt.Errorf("cluster %s cannot be deleted: %w", cfg.Cluster, err)
		}
		fmt.Fprintf(cfg.Progress, "no cluster: %v\n", err)
		return nil
	}
	there, err := find(ctx, cfg.Cluster, at, false)
	if err != nil {
		return err
	}
	if there == nil {
		fmt.Fprintf(cfg.Progress, "there is no kind cluster called %s\n", cfg.Cluster)
		return at.forgetCluster()
	}
	if _, err := there.judge(cfg.Root); err != nil {
		return err
	}
	if err := remove(cfg.Cluster, at.kubeconfig); err != nil {
		return fmt.Errorf("deleting cluster %s: %w", cfg.Cluster, err)
	}
	fmt.Fprintf(cfg.Progress, "deleted kind cluster %s\n", cfg.Cluster)
	return at.forgetCluster()
}

// forgetCluster removes what says where the cluster is, and what belonged to its stack; the files of a local one stay.
func (f files) forgetCluster() error {
	errs := []error{removeIfThere(f.kubeconfig), removeIfThere(f.record)}
	stack, err := endpoints.Read(f.Stack)
	if err == nil && stack.Target == endpoints.Kind {
		errs = append(errs, removeIfThere(f.WebhookToken), removeIfThere(f.Chaos), removeIfThere(f.Stack))
	}
	return errors.Join(errs...)
}
