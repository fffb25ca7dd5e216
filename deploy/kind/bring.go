package kind

import (
	"context"
	"errors"
	"fmt"
	"time"
)

func (a *ascent) bringCluster(ctx context.Context, say func(string)) (string, error) {
	if a.there == nil {
		return a.makeCluster(ctx, say)
	}
	if err := writeKubeconfig(a.cfg.Cluster, a.at.kubeconfig); err != nil {
		return "", err
	}
	var err error
	if a.config, a.client, err = connect(a.at.kubeconfig); err != nil {
		return "", err
	}
	a.marker = *a.there.marker
	here := placeOf(a.cfg.Root)
	a.marker.Checkout, a.marker.Machine = here.root, here.machine // the one that made it may be gone
	known := record{Cluster: a.cfg.Cluster, Container: a.there.node.ID, Ports: boundPorts(a.cfg.Ports)}
	said := fmt.Sprintf("%s is used again, made %s ago", a.cfg.Cluster, time.Since(a.marker.MadeAt).Round(time.Second))
	return said, errors.Join(writeMarker(ctx, a.client, a.marker), known.write(a.at.record))
}

func (a *ascent) makeCluster(ctx context.Context, say func(string)) (string, error) {
	mark := placeOf(a.cfg.Root).mark()
	known := record{Cluster: a.cfg.Cluster, Mark: mark, Ports: boundPorts(a.cfg.Ports)}
	if err := known.write(a.at.record); err != nil {
		return "", err
	}
	err := create(ctx, clusterConfig(a.cfg.Cluster, a.node, a.cfg.Ports, mark), a.at.kubeconfig, say)
	if err != nil {
		return "", errors.Join(err, a.forget())
	}
	if err := a.mark(ctx, known, say); err != nil {
		return "", errors.Join(err, remove(a.cfg.Cluster, a.at.kubeconfig), a.forget())
	}
	return fmt.Sprintf("%s made, one node", a.cfg.Cluster), nil
}

// mark makes a new cluster known as ours, once its node is ready.
func (a *ascent) mark(ctx context.Context, known record, say func(string)) error {
	var err error
	if a.config, a.client, err = connect(a.at.kubeconfig); err != nil {
		return err
	}
	say("waiting for the node to be ready")
	if err := awaitNode(ctx, a.client, nodeReadyWithin); err != nil {
		return fmt.Errorf("cluster %s, which is deleted again: %w", a.cfg.Cluster, err)
	}
	here := placeOf(a.cfg.Root)
	a.marker = Marker{
		Checkout: here.root, Machine: here.machine, NodeImage: a.node.Image, Airgapped: a.node.Airgapped, Ports: hostPorts(a.cfg.Ports), MadeAt: time.Now(),
	}
	if err := writeMarker(ctx, a.client, a.marker); err != nil {
		return fmt.Errorf("marking cluster %s as ours: %w", a.cfg.Cluster, err)
	}
	node, err := machineOf(ctx, a.cfg.Cluster)
	if err != nil {
		return err
	}
	if node == nil {
		return fmt.Errorf("cluster %s is gone: was it deleted meanwhile?", a.cfg.Cluster)
	}
	known.Container = node.ID
	return known.write(a.at.record)
}
