package kind

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

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
	away    string // the command that takes it away
	node    Node
	objects []*unstructured.Unstructured // as published, before our images are known
	grafana bool                         // whether it is among them: nothing needs it, so only where its image can be had
	images  []images.Image
	marker  Marker
	config  *rest.Config
	client  kubernetes.Interface
	stack   endpoints.Stack
}

func (a *ascent) climb(ctx context.Context) error {
	var err error
	if a.objects, err = manifests.Render(manifests.Options{Overlay: overlay, WithoutGrafana: true}); err != nil {
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
	if !a.grafana {
		a.board.line.Print("  %s", noGrafana)
	}
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
	whose, err := a.there.judge(placeOf(a.cfg.Root))
	switch {
	case err != nil:
		return "", err
	case whose == abandoned: // ours only once it is used
		a.away = a.there.byHand()
		return said, nil
	case whose == broken:
		return "", fmt.Errorf("cluster %s does not answer (%w): `stack kind down` takes it away, then run this again", a.cfg.Cluster, a.there.silent)
	case whose == halfMade:
		said += "; a half-made cluster of an earlier try was deleted"
		a.there = nil
		return said, errors.Join(remove(a.cfg.Cluster, a.at.kubeconfig), hostPorts(a.cfg.Ports).Check(ctx), a.forget())
	default:
		a.away = "stack kind down"
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
		err = fmt.Errorf("this checkout has cluster %s already: `stack down` takes it away, then run this again", known.Cluster)
	}
	return err
}

// forget removes what says that a stack runs, before there is one.
func (a *ascent) forget() error {
	return errors.Join(removeIfThere(a.at.Stack), removeIfThere(a.at.kubeconfig), removeIfThere(a.at.record))
}

func (a *ascent) buildPrograms(ctx context.Context, say func(string)) (string, error) {
	say("compiling our programs")
	var err error
	a.images, err = images.Build(ctx, images.Config{
		Root: a.cfg.Root, Arch: a.engine.arch, NoBuild: a.cfg.NoBuild,
	})
	return fmt.Sprintf("%d images, from scratch", len(a.images)), err
}
