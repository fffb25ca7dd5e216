package airgap

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/faultline-lab/faultline/deploy/airgap/docker"
	"github.com/faultline-lab/faultline/deploy/toolchain/cache"
	"github.com/faultline-lab/faultline/deploy/toolchain/progress"
)

// Options are optional, all of them.
type Options struct {
	// CacheDir holds the programs that were built. Default: that of package toolchain.
	CacheDir string
	// Progress shows what a build is doing. Default: nowhere.
	Progress io.Writer
	// Mirror is where Debian's packages come from. Default: FAULTLINE_DEBIAN_MIRROR, else the one that apt on this
	// machine uses, else Debian's own.
	Mirror string
}

// Result names the images.
type Result struct {
	// Node is a node of a kind cluster, with Kubernetes and the images of its own pods in it.
	Node string
	// Stack has the image that takes the place of each official one, by that one's name without a tag.
	Stack map[string]string
}

// Names says what the images are called. Their names change with what they are made from, and with nothing else: they can
// be had without a Docker engine, and an image of that name need never be made again.
func Names() (Result, error) {
	plan, err := newPlan()
	return plan.result(), err
}

// Present says whether the Docker engine has all the images. It makes nothing.
func Present(ctx context.Context, _ Options) (Result, bool, error) {
	result, err := Names()
	if err != nil {
		return result, false, err
	}
	missing, err := Missing(ctx)
	return result, err == nil && len(missing) == 0, err
}

// Missing are the names of the images that the Docker engine does not have.
func Missing(ctx context.Context) ([]string, error) {
	plan, err := newPlan()
	if err != nil {
		return nil, err
	}
	engine, err := docker.Find(ctx)
	if err != nil {
		return nil, err
	}
	images, err := engine.Images(ctx)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, image := range plan.missing(images) {
		names = append(names, image.ref)
	}
	return names, nil
}

// Build makes the images that the Docker engine does not have. When ctx ends in the middle, what was built is kept, and
// the next call goes on from there. The error says what to do.
func Build(ctx context.Context, opts Options) (Result, error) {
	plan, err := newPlan()
	if err != nil {
		return Result{}, err
	}
	engine, err := docker.Find(ctx)
	if err != nil {
		return Result{}, err
	}
	b := &builder{engine: engine, opts: opts, line: progress.New(opts.Progress), started: time.Now()}
	defer b.line.Clear()
	if b.images, err = engine.Images(ctx); err != nil {
		return Result{}, err
	}
	if len(plan.missing(b.images)) == 0 {
		return plan.result(), nil
	}
	if err := b.locked(ctx, func(dir string) error { return b.work(ctx, plan, filepath.Join(dir, "work")) }); err != nil {
		return plan.result(), err
	}
	return plan.result(), b.tellSuperseded(ctx, plan)
}

// locked does something in our folder of the cache, while no other process does.
func (b *builder) locked(ctx context.Context, do func(dir string) error) error {
	dir, err := cache.Dir(b.opts.CacheDir)
	if err != nil {
		return err
	}
	dir = filepath.Join(dir, "airgap")
	holder := fmt.Sprintf("process %d, which is building or removing images", os.Getpid())
	lock, err := cache.Acquire(ctx, filepath.Join(dir, "lock"), holder, func(holder string) {
		b.line.Update("images: waiting for %s", holder)
	})
	if err != nil {
		return err
	}
	return errors.Join(do(dir), lock.Release())
}

// work does it in a folder that is gone afterwards.
func (b *builder) work(ctx context.Context, plan plan, dir string) error {
	var err error
	if b.images, err = b.engine.Images(ctx); err != nil { // another process may have made them meanwhile
		return err
	}
	// What lies there is from a process that was killed: the lock is ours.
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("the cache cannot be written; %s names another place: %w", cache.Variable, err)
	}
	b.dir = dir
	return errors.Join(b.all(ctx, plan), os.RemoveAll(dir))
}
