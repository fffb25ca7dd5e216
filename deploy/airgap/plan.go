package airgap

import (
	"context"

	"github.com/faultline-lab/faultline/deploy/airgap/pause"
	"github.com/faultline-lab/faultline/deploy/local/postgres"
	"github.com/faultline-lab/faultline/deploy/toolchain"
)

const (
	// registry is where the images would come from if it existed: nobody can pull another one by these names.
	registry = "faultline.local/"
	// label is on every image of ours, and on those only.
	label = "dev.faultline.airgap=image"
	// suite of Debian: the systemd of the next one refuses cgroup v1, which engines of this one still have.
	suite = "bookworm"
)

// image is one that the engine should have.
type image struct {
	title    string
	ref      string           // what it is called
	official string           // the one in whose place it is used
	programs []toolchain.Name // that it needs, and that may have to be built
	make     func(context.Context, *builder) error
}

// plan is all that there should be.
type plan struct {
	base     image // of node and database
	node     image
	database image
	programs []image
}

// newPlan knows all names.
func newPlan() (plan, error) {
	var p plan
	baseKey := newKey()
	if err := baseKey.recipe("debian"); err != nil {
		return plan{}, err
	}
	baseKey.add(suite)
	base := registry + "debian:" + suite + "-" + baseKey.String()
	p.base = image{title: "Debian " + suite, ref: base, make: func(ctx context.Context, b *builder) error {
		return b.makeBase(ctx, base)
	}}

	var err error
	if p.node, err = nodeImage(base); err != nil {
		return plan{}, err
	}
	if p.database, err = postgresImage(base); err != nil {
		return plan{}, err
	}
	for _, program := range programs() {
		made, err := program.image()
		if err != nil {
			return plan{}, err
		}
		p.programs = append(p.programs, made)
	}
	return p, nil
}

// nodeImage is named after all that goes into it, the images of its pods included.
func nodeImage(base string) (image, error) {
	names := append([]toolchain.Name{
		toolchain.Kind, toolchain.Kubelet, toolchain.Kubeadm, toolchain.Kubectl, toolchain.Crictl,
	}, podPrograms()...)
	nodeKey := newKey()
	nodeKey.add(base, pause.Source, (program{path: "/"}).dockerfile())
	for _, folder := range []string{"kind-node", "kube-proxy", "local-path-provisioner"} {
		if err := nodeKey.recipe(folder); err != nil {
			return image{}, err
		}
	}
	if err := nodeKey.sources(names...); err != nil {
		return image{}, err
	}
	kubelet, err := toolchain.SourceOf(toolchain.Kubelet)
	if err != nil {
		return image{}, err
	}
	ref := registry + "kind-node:v" + kubelet.Release + "-" + nodeKey.String()
	return image{
		title: "kind node with Kubernetes " + kubelet.Release, ref: ref, programs: names[1:], // kind is only read
		make: func(ctx context.Context, b *builder) error { return b.makeNode(ctx, base, ref) },
	}, nil
}

func postgresImage(base string) (image, error) {
	pin, err := postgres.Pinned()
	if err != nil {
		return image{}, err
	}
	databaseKey := newKey()
	if err := databaseKey.recipe("postgres"); err != nil {
		return image{}, err
	}
	databaseKey.add(base, pin.Key)
	ref := registry + "postgres:" + pin.Version.Text + "-" + databaseKey.String()
	return image{
		title: "PostgreSQL " + pin.Version.Text, ref: ref, official: "docker.io/library/postgres",
		make: func(ctx context.Context, b *builder) error { return b.makePostgres(ctx, base, ref, pin) },
	}, nil
}

// stack are the images that take an official one's place.
func (p plan) stack() []image { return append([]image{p.database}, p.programs...) }

// missing are those that the engine does not have. The base is not needed once the others are there.
func (p plan) missing(have map[string]bool) []image {
	var missing []image
	for _, image := range append([]image{p.node}, p.stack()...) {
		if !have[image.ref] {
			missing = append(missing, image)
		}
	}
	return missing
}

func (p plan) result() Result {
	result := Result{Node: p.node.ref, Stack: map[string]string{}}
	for _, image := range p.stack() {
		result.Stack[image.official] = image.ref
	}
	return result
}
