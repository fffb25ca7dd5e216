package airgap

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/faultline-lab/faultline/deploy/airgap/docker"
	"github.com/faultline-lab/faultline/deploy/toolchain/progress"
)

// Pruned is what Prune did.
type Pruned struct {
	Removed []string
	Kept    []string // because a container uses them
}

// Prune removes the images that were made from recipes other than today's, and what a killed build left on the way. It
// takes only images of our making, and none that a container uses, be it stopped. Nothing else calls it: another checkout
// on this engine may have use for what this one has not.
func Prune(ctx context.Context, opts Options) (Pruned, error) {
	plan, err := newPlan()
	if err != nil {
		return Pruned{}, err
	}
	engine, err := docker.Find(ctx)
	if err != nil {
		return Pruned{}, err
	}
	b := &builder{engine: engine, opts: opts, line: progress.New(opts.Progress)}
	defer b.line.Clear()
	var done Pruned
	err = b.locked(ctx, func(string) error {
		names, err := superseded(ctx, engine, plan)
		if err != nil {
			return err
		}
		for _, name := range names {
			b.line.Update("images: removing %s", name)
			// Without --force the engine refuses what a container uses, and takes from an image that another one is made
			// from only the name.
			_, err := engine.Output(ctx, "image", "rm", name)
			switch {
			case err == nil:
				done.Removed = append(done.Removed, name)
			case strings.Contains(err.Error(), "conflict"):
				done.Kept = append(done.Kept, name)
			default:
				return fmt.Errorf("removing %s: %w", name, err)
			}
		}
		return nil
	})
	return done, err
}

// superseded are the images of ours that the plan does not have.
func superseded(ctx context.Context, engine docker.Engine, plan plan) ([]string, error) {
	listed, err := engine.Output(ctx, "image", "ls", "--filter=label="+label, "--format={{.Repository}}:{{.Tag}}")
	if err != nil {
		return nil, err
	}
	current := map[string]bool{plan.base.ref: true, plan.node.ref: true}
	for _, image := range plan.stack() {
		current[image.ref] = true
	}
	var names []string
	for name := range strings.FieldsSeq(listed) {
		if strings.HasPrefix(name, registry) && !strings.HasSuffix(name, ":<none>") && !current[name] {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names, nil
}

// tellSuperseded says what may be removed, and how.
func (b *builder) tellSuperseded(ctx context.Context, plan plan) error {
	names, err := superseded(ctx, b.engine, plan)
	if err != nil {
		return errors.Join(errors.New("the images are made, but not all can be listed"), err)
	}
	if len(names) > 0 {
		b.line.Print("%d images are from other recipes than today's; `stack airgap prune` removes them: %s", len(names),
			strings.Join(names, " "))
	}
	return nil
}
