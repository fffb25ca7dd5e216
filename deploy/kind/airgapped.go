package kind

import (
	"context"
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
