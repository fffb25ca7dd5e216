package kind

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/faultline-lab/faultline/deploy/local/runlock"
	"github.com/faultline-lab/faultline/observability/endpoints"
)

// Down deletes the cluster of this checkout and the files that say where it is. A cluster of that name that it neither made
// nor took over it leaves alone, and returns an error that says so. Without a cluster there is nothing to do. It says what
// it did.
func Down(ctx context.Context, cfg Config) (err error) {
	unnamed := cfg.Cluster == "" && os.Getenv(clusterVariable) == ""
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
	if unnamed {
		own, err := Own(ctx, at.Folders)
		if err != nil {
			return err
		}
		cfg.Cluster = cmp.Or(own, cfg.Cluster)
	}
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
	if err := takeAway(ctx, cfg, at); err != nil {
		return err
	}
	return at.forgetCluster(cfg)
}

// takeAway deletes the cluster when there is one and it is this checkout's to delete.
func takeAway(ctx context.Context, cfg Config, at files) error {
	there, err := find(ctx, cfg.Cluster, at, false)
	if err != nil {
		return err
	}
	if there == nil {
		fmt.Fprintf(cfg.Progress, "there is no kind cluster called %s\n", cfg.Cluster)
		return nil
	}
	whose, err := there.judge(placeOf(cfg.Root))
	if err != nil {
		return err
	}
	if whose == abandoned {
		return fmt.Errorf("kind cluster %s was made by the checkout %s, which is gone, and not by this one: take it away yourself (`%s`), "+
			"or take it over with `stack kind up`", cfg.Cluster, there.marker.at(), there.byHand())
	}
	if err := remove(cfg.Cluster, at.kubeconfig); err != nil {
		return fmt.Errorf("deleting cluster %s: %w", cfg.Cluster, err)
	}
	fmt.Fprintf(cfg.Progress, "deleted kind cluster %s\n", cfg.Cluster)
	return nil
}

// forgetCluster removes what says where the cluster is, and what belonged to its stack; the files of a local one stay, and
// so do those of a cluster of another name.
func (f files) forgetCluster(cfg Config) error {
	known, err := f.recorded()
	if err != nil {
		return err
	}
	if known != "" && known != cfg.Cluster {
		fmt.Fprintf(cfg.Progress, "this checkout's own cluster is %s, and stays: `stack kind down --cluster=%s`, or `make down`, deletes it\n", known, known)
		return nil
	}
	errs := []error{removeIfThere(f.kubeconfig), removeIfThere(f.record)}
	stack, err := endpoints.Read(f.Stack)
	if err == nil && stack.Target == endpoints.Kind {
		errs = append(errs, removeIfThere(f.WebhookToken), removeIfThere(f.APIToken), os.RemoveAll(f.Chaos), removeIfThere(f.Stack))
	}
	return errors.Join(errs...)
}
