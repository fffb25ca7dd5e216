package kind

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/faultline-lab/faultline/deploy/images"
	manifests "github.com/faultline-lab/faultline/deploy/kubernetes"
	"github.com/faultline-lab/faultline/deploy/local/runlock"
	"github.com/faultline-lab/faultline/deploy/toolchain/progress"
	"github.com/faultline-lab/faultline/observability/endpoints"
)

// chaosMesh is said of what a demo on Kubernetes might be expected to bring.
const chaosMesh = "left out: Chaos Mesh (faults of network and pods). The story does not need it: its fault is made by requests " +
	"of customers, as in local mode"

// Up brings the stack of this checkout up on its kind cluster, which it makes or uses again, and returns where everything
// answers and how long each step took. When ctx ends while the cluster is being made, nothing of it stays; later, the
// cluster stays and the next Up goes on with it. A *runlock.HeldError says that a local stack of this checkout runs, a
// *ports.TakenError that something else has its ports.
func Up(ctx context.Context, cfg Config) (stack endpoints.Stack, times Times, err error) {
	at, err := cfg.defaults()
	if err != nil {
		return stack, nil, err
	}
	if err := at.Make(); err != nil {
		return stack, nil, err
	}
	lock, err := runlock.Acquire(ctx, at.Lock, strings.Join(os.Args, " "))
	if err != nil {
		return stack, nil, err
	}
	defer func() { err = errors.Join(err, lock.Release()) }()
	a := &ascent{cfg: cfg, at: at, board: &board{line: progress.New(cfg.Progress)}}
	if err := a.climb(ctx); err != nil {
		return stack, a.board.times, err
	}
	return a.stack, a.board.times, nil
}

// ascent is one way up.
type ascent struct {
	cfg   Config
	at    files
	board *board

	engine  *engine
	there   *found // the cluster, when it is there already
	node    Node
	objects []*unstructured.Unstructured // as published, before our images are known
	images  []images.Image
	marker  Marker
	config  *rest.Config
	client  kubernetes.Interface
	stack   endpoints.Stack
}

func (a *ascent) climb(ctx context.Context) error {
	var err error
	if a.objects, err = manifests.Render(manifests.Options{Overlay: overlay}); err != nil {
		return err
	}
	for _, step := range []struct {
		name string
		work func(context.Context, func(string)) (string, error)
	}{
		{StepEngine, a.findEngine},
		{StepNodeImage, a.chooseNode},
		{StepPrograms, a.buildPrograms}, // before the cluster: what does not compile shall be known at once
		{StepCluster, a.bringCluster},
		{StepImages, a.loadImages},
		{StepSecrets, a.makeSecrets},
		{StepApply, a.apply},
		{StepReady, a.awaitReady},
		{StepAnswers, a.awaitAnswers},
	} {
		err := a.board.step(step.name, func(say func(string)) (string, error) { return step.work(ctx, say) })
		if err != nil {
			return err
		}
	}
	a.board.line.Print("  %s", chaosMesh)
	return endpoints.Write(a.at.Stack, a.stack)
}

// findEngine also looks at what is there already, so that nobody waits for an image before hearing that it was in vain.
func (a *ascent) findEngine(ctx context.Context, say func(string)) (string, error) {
	say("looking for a Docker engine and the cluster")
	var err error
	if a.engine, err = findEngine(ctx); err != nil {
		return "", err
	}
	if err := a.noOther(ctx); err != nil {
		return "", err
	}
	if a.there, err = find(ctx, a.cfg.Cluster, a.at, true); err != nil {
		return "", err
	}
	said := fmt.Sprintf("Docker %s on %s", a.engine.version, a.engine.arch)
	if a.there == nil {
		return said, errors.Join(hostPorts(a.cfg.Ports).Check(ctx), a.forget())
	}
	whose, err := a.there.judge(a.cfg.Root)
	switch {
	case err != nil:
		return "", err
	case whose == broken:
		return "", fmt.Errorf("cluster %s does not answer (%w): `stack kind down` takes it away, then run this again", a.cfg.Cluster, a.there.silent)
	case whose == halfMade:
		said += "; a half-made cluster of an earlier try was deleted"
		a.there = nil
		return said, errors.Join(remove(a.cfg.Cluster, a.at.kubeconfig), hostPorts(a.cfg.Ports).Check(ctx), a.forget())
	default:
		return said, nil
	}
}

// noOther refuses a second cluster for one checkout: the first would be forgotten.
func (a *ascent) noOther(ctx context.Context) error {
	known, err := readRecord(a.at.record)
	if err != nil || known.Cluster == "" || known.Cluster == a.cfg.Cluster {
		return err
	}
	node, err := machineOf(ctx, known.Cluster)
	if err == nil && node != nil && (known.made(known.Cluster, *node) || known.halfMade(known.Cluster, *node)) {
		err = fmt.Errorf("this checkout has cluster %s already: `stack kind down` takes it away, then run this again", known.Cluster)
	}
	return err
}

// forget removes what says that a stack runs, before there is one.
func (a *ascent) forget() error {
	return errors.Join(removeIfThere(a.at.Stack), removeIfThere(a.at.kubeconfig), removeIfThere(a.at.record))
}

func (a *ascent) chooseNode(ctx context.Context, say func(string)) (string, error) {
	published := foreign(a.objects)
	var err error
	switch {
	case a.cfg.NodeImage != "":
		a.node, err = named(ctx, a.engine, a.cfg, a.board)
	case a.there != nil && !a.there.marker.Airgapped:
		a.node = Node{Image: a.there.marker.NodeImage, Why: "that of the cluster"}
	default:
		a.node, err = newChooser(a.engine, published, a.board).choose(ctx, a.cfg.Explicit, say)
	}
	if err != nil {
		return "", err
	}
	if a.there != nil {
		if err := a.there.marker.fits(a.cfg.Cluster, a.node, hostPorts(a.cfg.Ports)); err != nil {
			return "", err
		}
	}
	return fmt.Sprintf("%s: %s", withoutDigest(a.node.Image), a.node.Why), nil
}

func (a *ascent) buildPrograms(ctx context.Context, say func(string)) (string, error) {
	say("compiling our programs")
	var err error
	a.images, err = images.Build(ctx, images.Config{
		Root: a.cfg.Root, Arch: a.engine.arch, NoBuild: a.cfg.NoBuild,
	})
	return fmt.Sprintf("%d images, from scratch", len(a.images)), err
}

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
	a.marker.Checkout = a.cfg.Root // the one that made it may be gone
	known := record{Cluster: a.cfg.Cluster, Container: a.there.node.ID, Ports: boundPorts(a.cfg.Ports)}
	said := fmt.Sprintf("%s is used again, made %s ago", a.cfg.Cluster, time.Since(a.marker.MadeAt).Round(time.Second))
	return said, errors.Join(writeMarker(ctx, a.client, a.marker), known.write(a.at.record))
}

func (a *ascent) makeCluster(ctx context.Context, say func(string)) (string, error) {
	known := record{Cluster: a.cfg.Cluster, Ports: boundPorts(a.cfg.Ports)}
	if err := known.write(a.at.record); err != nil {
		return "", err
	}
	err := create(ctx, a.cfg.Cluster, a.node, a.cfg.Ports, a.at.kubeconfig, say)
	if err != nil {
		return "", errors.Join(err, a.forget())
	}
	if err := a.mark(ctx, known); err != nil {
		return "", errors.Join(err, remove(a.cfg.Cluster, a.at.kubeconfig), a.forget())
	}
	return fmt.Sprintf("%s made, one node", a.cfg.Cluster), nil
}

// mark makes a new cluster known as ours.
func (a *ascent) mark(ctx context.Context, known record) error {
	var err error
	if a.config, a.client, err = connect(a.at.kubeconfig); err != nil {
		return err
	}
	a.marker = Marker{
		Checkout: a.cfg.Root, NodeImage: a.node.Image, Airgapped: a.node.Airgapped, Ports: hostPorts(a.cfg.Ports), MadeAt: time.Now(),
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
