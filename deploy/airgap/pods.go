package airgap

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/faultline-lab/faultline/deploy/airgap/docker"
	"github.com/faultline-lab/faultline/deploy/airgap/pause"
	"github.com/faultline-lab/faultline/deploy/toolchain"
)

// podPrograms are what runs in the pods of a cluster itself.
func podPrograms() []toolchain.Name {
	return []toolchain.Name{
		toolchain.Etcd, toolchain.CoreDNS, toolchain.LocalPathProvisioner, toolchain.KubeAPIServer,
		toolchain.KubeControllerManager, toolchain.KubeScheduler, toolchain.KubeProxy,
	}
}

// pod is one image that goes into the node: what it is called here, and there.
type pod struct{ ref, name string }

// pods are all of them.
type pods struct {
	all  []pod
	made []string // the images that exist only to be put into the node
}

// pairs tell the importing script which image gets which name.
func (p pods) pairs() []string {
	pairs := make([]string, len(p.all))
	for i, pod := range p.all {
		pairs[i] = pod.ref + "=" + pod.name
	}
	return pairs
}

// archived are the images, each once.
func (p pods) archived() []string {
	refs := make([]string, len(p.all))
	for i, pod := range p.all {
		refs[i] = pod.ref
	}
	slices.Sort(refs)
	return slices.Compact(refs)
}

// makePods makes the images that kubeadm, containerd and kind's storage class will ask for. What it made is in its result
// even when it fails.
func (b *builder) makePods(ctx context.Context, base, node, kindDir string, storage storage) (pods, error) {
	wanted, err := b.wanted(ctx, kindDir)
	if err != nil {
		return pods{}, err
	}
	_, tag, _ := strings.Cut(node, ":")
	var all pods
	for _, name := range append(wanted, storage.provisioner) {
		program := path.Base(strings.SplitN(name, ":", 2)[0])
		ref := registry + "pod-" + program + ":" + tag
		all.all = append(all.all, pod{ref, name})
		if slices.Contains(all.made, ref) {
			continue
		}
		all.made = append(all.made, ref)
		if err := b.makePod(ctx, program, base, ref); err != nil {
			return all, fmt.Errorf("%s: %w", name, err)
		}
	}
	// The helper makes and removes folders: any Debian can do that.
	all.all = append(all.all, pod{base, storage.helper})
	return all, nil
}

func (b *builder) makePod(ctx context.Context, name, base, ref string) error {
	binary := b.tools[toolchain.Name(name)].Path
	own := docker.File{Name: name, Mode: 0o755, Path: binary}
	switch name {
	case "kube-proxy":
		return b.onBase(ctx, base, ref, docker.Recipe{Dockerfile: read(name + "/Dockerfile"), Files: []docker.File{own}})
	case "local-path-provisioner":
		patient := docker.File{Name: "patient.sh", Mode: 0o755, Data: []byte(read(name + "/patient.sh"))}
		return b.onBase(ctx, base, ref, docker.Recipe{Dockerfile: read(name + "/Dockerfile"), Files: []docker.File{own, patient}})
	case "coredns": // its manifest has arguments and no program
		return b.build(ctx, ref, program{path: "/coredns"}.recipe(binary))
	case "pause":
		dir, err := b.part("pause")
		if err != nil {
			return err
		}
		if binary, err = pause.Build(ctx, dir); err != nil {
			return err
		}
		return b.build(ctx, ref, program{path: "/pause"}.recipe(binary))
	default:
		if binary == "" {
			return errors.New("there is no program for this image: kubeadm or kind asks for one that it did not ask for before")
		}
		return b.build(ctx, ref, program{path: "/usr/local/bin/" + name}.recipe(binary))
	}
}

// sandbox finds the image of which containerd makes each pod.
var sandbox = regexp.MustCompile(`(?m)^\s*sandbox_image\s*=\s*"([^"]+)"`)

// wanted are the names of the images that kubeadm and containerd ask for.
func (b *builder) wanted(ctx context.Context, kindDir string) ([]string, error) {
	version := "v" + b.tools[toolchain.Kubeadm].Version
	listed, err := exec.CommandContext(ctx, b.tools[toolchain.Kubeadm].Path, "config", "images", "list",
		"--kubernetes-version="+version).Output()
	if err != nil {
		return nil, fmt.Errorf("kubeadm does not say which images it needs: %w", err)
	}
	names := strings.Fields(string(listed))
	for _, name := range names {
		if err := b.fits(name); err != nil {
			return nil, err
		}
	}
	config, err := os.ReadFile(filepath.Join(kindDir, "images", "base", "files", "etc", "containerd", "config.toml"))
	if err != nil {
		return nil, err
	}
	match := sandbox.FindStringSubmatch(string(config))
	if match == nil {
		return nil, errors.New("kind's configuration of containerd names no sandbox_image: look where it is now")
	}
	if !slices.Contains(names, match[1]) {
		names = append(names, match[1])
	}
	return names, nil
}

// fits says whether the program that we have is the one that an image of that name should have.
func (b *builder) fits(name string) error {
	repository, tag, _ := strings.Cut(name, ":")
	tool, ours := b.tools[toolchain.Name(path.Base(repository))]
	if ours && !strings.HasPrefix(strings.TrimPrefix(tag, "v"), tool.Version) {
		return fmt.Errorf("kubeadm asks for %s, and deploy/tools pins %s %s: pin what it asks for", name, tool.Name, tool.Version)
	}
	return nil
}
