package kind

import (
	"context"
	"fmt"
	"io"

	"github.com/faultline-lab/faultline/deploy/airgap"
)

// airgapped builds through deploy/airgap.
type airgapped struct {
	options airgap.Options
}

var _ builder = airgapped{}

func (a airgapped) present(ctx context.Context) (Node, bool, error) {
	result, there, err := airgap.Present(ctx, a.options)
	return nodeOf(result), there, err
}

func (a airgapped) build(ctx context.Context) (Node, error) {
	result, err := airgap.Build(ctx, a.options)
	return nodeOf(result), err
}

func nodeOf(result airgap.Result) Node {
	return Node{Image: result.Node, Airgapped: true, Stack: result.Stack}
}

func newChooser(engine *engine, published []string, progress io.Writer) chooser {
	return chooser{
		engine: engine, airgap: airgapped{options: airgap.Options{Progress: progress}},
		cgroupV1: engine.cgroupV1, upstream: upstreamImage(), foreign: published,
	}
}

// named is the node image that the configuration names.
func named(ctx context.Context, engine *engine, cfg Config, progress io.Writer) (Node, error) {
	there, err := engine.has(ctx, cfg.NodeImage)
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
	built, complete, err := airgapped{options: airgap.Options{Progress: progress}}.present(ctx)
	if err == nil && complete {
		node.Stack = built.Stack
	}
	return node, err
}
