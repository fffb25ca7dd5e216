package kind

import (
	"context"
	"fmt"
	"time"
)

// find looks for a cluster of that name; nil when there is none. With startIt, a stopped one that this checkout made is
// started, and one that does not answer yet is given time.
func find(ctx context.Context, cluster string, at files, startIt bool) (*found, error) {
	node, err := machineOf(ctx, cluster)
	if err != nil || node == nil {
		return nil, err
	}
	known, err := readRecord(at.record)
	if err != nil {
		return nil, err
	}
	f := &found{cluster: cluster, node: *node, known: known}
	within := time.Duration(0)
	if startIt && known.made(cluster, *node) {
		within = startWithin
		if !node.Running {
			if err := node.start(ctx); err != nil {
				return nil, fmt.Errorf("the stopped node of cluster %s: %w", cluster, err)
			}
			f.node.Running = true
		}
	}
	if !f.node.Running {
		f.silent = fmt.Errorf("its node %s is stopped", node.Name)
		return f, nil
	}
	f.marker, f.silent = askMarker(ctx, cluster, within)
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	return f, nil
}
