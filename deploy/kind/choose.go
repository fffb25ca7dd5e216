package kind

import (
	"cmp"
	"context"
	"fmt"
)

func (a *ascent) chooseNode(ctx context.Context, say func(string)) (string, error) {
	choosing := newChooser(a.engine, foreign(a.objects), a.board)
	var err error
	switch {
	case a.there != nil:
		a.node, err = a.nodeThere(ctx, choosing, say)
	case a.cfg.NodeImage != "":
		a.node, err = choosing.named(ctx, a.cfg)
	default:
		a.node, err = choosing.choose(ctx, a.cfg.Explicit, say)
	}
	if err != nil {
		return "", err
	}
	if err := a.addGrafana(ctx, say); err != nil {
		return "", err
	}
	return fmt.Sprintf("%s: %s", withoutDigest(a.node.Image), a.node.Why), nil
}

// nodeThere is the node of the cluster that is there. Whether it is the one that would be wanted now is known by its name,
// before anything is pulled or built for it.
func (a *ascent) nodeThere(ctx context.Context, choosing chooser, say func(string)) (Node, error) {
	marker := a.there.marker
	node := Node{Image: cmp.Or(a.cfg.NodeImage, marker.NodeImage), Why: "that of the cluster"}
	complete := true
	if marker.Airgapped {
		built, there, err := choosing.airgap.present(ctx)
		if err != nil {
			return node, err
		}
		complete = there
		node = Node{Image: cmp.Or(a.cfg.NodeImage, built.Image), Airgapped: true, Stack: built.Stack, Why: node.Why}
	}
	if err := marker.fits(a.cfg.Cluster, node.Image, hostPorts(a.cfg.Ports), a.away); err != nil || complete {
		return node, err
	}
	if !a.cfg.Explicit {
		return node, errIncomplete()
	}
	say("building the images that the engine lost: minutes, this once")
	_, err := choosing.airgap.build(ctx)
	return node, err
}
