package kind

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"sigs.k8s.io/kind/pkg/apis/config/defaults"
)

// Node is the image that a cluster's node is made from.
type Node struct {
	Image string
	// Airgapped says that deploy/airgap built it, or somebody in its way: it brings its own pod network.
	Airgapped bool
	// Stack are the images of the stack that were built with it: from the name in the manifests to what replaces it.
	Stack map[string]string
	// Why it was taken, in a sentence.
	Why string
}

// imageSource is the engine, as far as images go.
type imageSource interface {
	has(ctx context.Context, ref string) (bool, error)
	reaches(ctx context.Context, ref string) bool
	pull(ctx context.Context, ref string, say func(string)) error
}

// builder is deploy/airgap.
type builder interface {
	present(ctx context.Context) (Node, bool, error)
	build(ctx context.Context) (Node, error)
}

// chooser finds the node image, from the quickest way to the longest.
type chooser struct {
	engine   imageSource
	airgap   builder
	cgroupV1 bool
	// upstream is the node image that the kind project publishes, foreign are the images of the stack that are not ours.
	upstream string
	foreign  []string
}

// upstreamImage is the one that this version of kind was made with.
func upstreamImage() string { return "docker.io/" + defaults.Image }

// choose takes what is built already, else what the engine has or can pull, else builds if it may.
func (c chooser) choose(ctx context.Context, mayBuild bool, say func(string)) (Node, error) {
	say("looking for a node image")
	node, there, err := c.airgap.present(ctx)
	if err != nil {
		return node, err
	}
	if there {
		node.Why = "built here, no registry needed"
		return node, nil
	}
	upstream, err := c.fetch(ctx, say)
	if err == nil {
		return upstream, nil
	}
	if ctx.Err() != nil {
		return Node{}, context.Cause(ctx)
	}
	if !mayBuild {
		return Node{}, fmt.Errorf("no node image: %w: `stack airgap` builds one without a registry, once, in some minutes", err)
	}
	say("building the images without a registry: minutes, this once")
	node, buildErr := c.airgap.build(ctx)
	if buildErr != nil {
		return node, fmt.Errorf("no image could be pulled (%w), and building them fails: %w", err, buildErr)
	}
	node.Why = fmt.Sprintf("built, because no image could be pulled (%v)", err)
	return node, nil
}

// named is the node image that the configuration names.
func (c chooser) named(ctx context.Context, cfg Config) (Node, error) {
	there, err := c.engine.has(ctx, cfg.NodeImage)
	if err != nil {
		return Node{}, err
	}
	if !there {
		return Node{}, fmt.Errorf("the engine has no image %s: pull or build it, or leave the choice to this program", cfg.NodeImage)
	}
	node := Node{Image: cfg.NodeImage, Airgapped: cfg.Airgapped, Why: "as was asked for"}
	if !cfg.Airgapped {
		return node, nil
	}
	built, complete, err := c.airgap.present(ctx)
	if err == nil && !complete {
		err = errIncomplete()
	}
	node.Stack = built.Stack
	return node, err
}

// errIncomplete is why an airgapped node is of no use: its cluster gets nothing from a registry.
func errIncomplete() error {
	return errors.New("the engine lacks images of the stack that the node needs: `stack airgap` builds them (`stack airgap list` names them)")
}

// fetch makes the engine have the published images. The first that it lacks tells whether a registry answers.
func (c chooser) fetch(ctx context.Context, say func(string)) (Node, error) {
	if c.cgroupV1 {
		return Node{}, errCgroupV1(c.upstream)
	}
	missing, err := c.missing(ctx)
	if err != nil {
		return Node{}, err
	}
	for _, ref := range missing {
		say("pulling " + ref)
		if err := c.engine.pull(ctx, ref, say); err != nil {
			return Node{}, err
		}
	}
	why := "the published one, which the engine has"
	if len(missing) > 0 {
		why = fmt.Sprintf("the published one; %d images were pulled", len(missing))
	}
	return Node{Image: c.upstream, Why: why}, nil
}

// missing are the published images that the engine lacks.
func (c chooser) missing(ctx context.Context) ([]string, error) {
	var missing []string
	for _, ref := range append([]string{c.upstream}, c.foreign...) {
		there, err := c.engine.has(ctx, ref)
		if err != nil {
			return nil, err
		}
		if !there {
			missing = append(missing, ref)
		}
	}
	return missing, nil
}

// possible says whether choose would find something without building, and why or why not. It changes nothing.
func (c chooser) possible(ctx context.Context) (yes bool, reason string) {
	if _, there, err := c.airgap.present(ctx); err == nil && there {
		return true, "the node image is built already"
	}
	if c.cgroupV1 {
		return false, errCgroupV1(c.upstream).Error() + ": `stack airgap` builds one that does"
	}
	missing, err := c.missing(ctx)
	switch {
	case err != nil:
		return false, err.Error()
	case len(missing) == 0:
		return true, "the engine has the node image and those of the stack"
	case c.engine.reaches(ctx, missing[0]):
		return true, fmt.Sprintf("%d images can be pulled", len(missing))
	default:
		return false, fmt.Sprintf("the engine lacks %s, and no registry answers for it: `stack airgap` builds what is needed without one, in some minutes",
			withoutDigest(missing[0]))
	}
}

func errCgroupV1(image string) error {
	return fmt.Errorf("this machine has cgroup v1, on which %s does not run", withoutDigest(image))
}

func withoutDigest(ref string) string {
	name, _, _ := strings.Cut(ref, "@")
	return name
}
