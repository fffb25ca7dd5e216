package airgap

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"

	"github.com/faultline-lab/faultline/deploy/airgap/docker"
	"github.com/faultline-lab/faultline/deploy/beside"
	"github.com/faultline-lab/faultline/deploy/toolchain"
)

const (
	// makerLabel is on the container in which the images of the pods are put into a node, and says who does that.
	makerLabel = "dev.faultline.kind-node-maker"
	// makerPrefix begins the names of the folders that are there as long as such a maker.
	makerPrefix = "faultline-kind-node-"
)

// makeNode is kind's node, and then the images of its pods put into the containerd of that.
func (b *builder) makeNode(ctx context.Context, base, ref string) (err error) {
	kindDir, err := toolchain.ModuleDir(ctx, toolchain.Options{CacheDir: b.opts.CacheDir}, toolchain.Kind)
	if err != nil {
		return err
	}
	storage, err := readStorage(kindDir)
	if err != nil {
		return err
	}
	files, err := b.nodeFiles(kindDir, storage)
	if err != nil {
		return err
	}
	empty := ref + "-empty"
	if err := b.onBase(ctx, base, empty, docker.Recipe{Dockerfile: read("kind-node/Dockerfile"), Files: files}); err != nil {
		return err
	}
	pods, err := b.makePods(ctx, base, ref, kindDir, storage)
	defer func() { err = errors.Join(err, b.remove(ctx, append(pods.made, empty))) }()
	if err != nil {
		return err
	}
	b.step("putting the images of its pods into it")
	return b.fill(ctx, empty, ref, pods)
}

// remove takes away what was only on the way to an image: the layers that it has in common with one stay.
func (b *builder) remove(ctx context.Context, refs []string) error {
	have, err := b.engine.Images(context.WithoutCancel(ctx))
	if err != nil {
		return err
	}
	var there []string
	for _, ref := range refs {
		if have[ref] {
			there = append(there, ref)
		}
	}
	if len(there) == 0 {
		return nil
	}
	_, err = b.engine.Output(context.WithoutCancel(ctx), append([]string{"image", "rm"}, there...)...)
	return err
}

// nodeFiles are kind's and Kubernetes'.
func (b *builder) nodeFiles(kindDir string, storage storage) ([]docker.File, error) {
	files, err := docker.Tree(filepath.Join(kindDir, "images", "base", "files"), "kind", func(at string, _ fs.FileMode) bool {
		return path.Dir(at) == "usr/local/bin" || path.Dir(at) == "kind/bin"
	})
	if err != nil {
		return nil, fmt.Errorf("kind's files for its node: %w", err)
	}
	for name, at := range map[toolchain.Name]string{
		toolchain.Kubelet: "usr/bin/kubelet", toolchain.Kubeadm: "usr/bin/kubeadm", toolchain.Kubectl: "usr/bin/kubectl",
		toolchain.Crictl: "usr/local/bin/crictl",
	} {
		files = append(files, docker.File{Name: "programs/" + at, Mode: 0o755, Path: b.tools[name].Path})
	}
	return append(files,
		docker.File{Name: "programs/kind/version", Mode: 0o644, Data: []byte("v" + b.tools[toolchain.Kubelet].Version)},
		docker.File{Name: "programs/kind/manifests/default-storage.yaml", Mode: 0o644, Data: []byte(storage.manifest)},
		docker.File{Name: "ptp.conflist", Mode: 0o644, Data: []byte(read("kind-node/ptp.conflist"))},
	), nil
}

// fill runs the node's containerd for as long as it takes the images, and keeps what it then has. Another user of the
// engine may be doing the same: the lock is only this user's.
func (b *builder) fill(ctx context.Context, empty, ref string, pods pods) (err error) {
	maker, err := beside.NewFolder(makerPrefix)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, maker.Remove()) }()
	if err := b.engine.RemoveOrphans(ctx, makerLabel); err != nil {
		return err
	}
	container := filepath.Base(maker.Path) // which has this prefix and a number that no other has
	defer func() { err = errors.Join(err, b.engine.RemoveContainer(context.WithoutCancel(ctx), container)) }()

	run := []string{
		"run", "--interactive", "--name=" + container, "--label=" + makerLabel + "=" + docker.Maker(maker.Path), "--network=none",
		"--security-opt=seccomp=unconfined", "--entrypoint=/bin/sh", empty, "-c", read("kind-node/import-images.sh"), "import-images.sh",
	}
	if err := b.engine.Pipe(ctx, append([]string{"save"}, pods.archived()...), append(run, pods.pairs()...)); err != nil {
		return err
	}
	b.step("keeping it")
	// What is committed has the container's labels: a node that said who made it would be taken for one in the making.
	_, err = b.engine.Output(ctx, "commit", "--change=LABEL "+label+" "+makerLabel+`=""`,
		`--change=ENTRYPOINT ["/usr/local/bin/entrypoint", "/sbin/init"]`, "--change=CMD []", container, ref)
	return err
}
