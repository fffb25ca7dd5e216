package airgap

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/faultline-lab/faultline/deploy/airgap/docker"
	"github.com/faultline-lab/faultline/deploy/toolchain"
)

// kindDir is the source of kind.
func kindDir(t *testing.T) string {
	t.Helper()
	dir, err := toolchain.ModuleDir(t.Context(), toolchain.Options{CacheDir: t.TempDir()}, toolchain.Kind)
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestTheStorageClassIsReadFromKindsSource(t *testing.T) {
	found, err := readStorage(kindDir(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"provisioner: rancher.io/local-path", "image: " + found.provisioner + "\n", "image: " + found.helper + "\n",
	} {
		if !strings.Contains(found.manifest, want) {
			t.Errorf("%q is not in the manifest:\n%s", want, found.manifest)
		}
	}
}

func TestASourceWithoutTheStorageClassIsAnError(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "pkg", "build", "nodeimage", "const_storage.go")
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"renamed": "package x\nconst somethingElse = `y`\n", "computed": "package x\nconst defaultStorageManifest = f()\n", "no Go": "?",
	} {
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if got, err := readStorage(dir); err == nil {
			t.Errorf("%s: got %+v", name, got)
		}
	}
}

func TestTheNodeHasKindsFilesWithTheirModes(t *testing.T) {
	b := &builder{tools: map[toolchain.Name]toolchain.Tool{
		toolchain.Kubelet: {Path: "/bin/kubelet", Version: "1.34.4"}, toolchain.Kubeadm: {Path: "/bin/kubeadm"},
		toolchain.Kubectl: {Path: "/bin/kubectl"}, toolchain.Crictl: {Path: "/bin/crictl"},
	}}
	files, err := b.nodeFiles(kindDir(t), storage{manifest: "kind: StorageClass\n"})
	if err != nil {
		t.Fatal(err)
	}
	byName := map[string]docker.File{}
	for _, file := range files {
		byName[file.Name] = file
	}
	for name, mode := range map[string]os.FileMode{
		"kind/usr/local/bin/entrypoint": 0o755, "kind/kind/bin/mount-product-files.sh": 0o755,
		"kind/etc/containerd/config.toml": 0o644, "programs/usr/bin/kubelet": 0o755, "programs/kind/version": 0o644,
		"ptp.conflist": 0o644,
	} {
		if file, there := byName[name]; !there || file.Mode != mode {
			t.Errorf("%s: %+v, there is %v", name, file, there)
		}
	}
	if got := string(byName["programs/kind/version"].Data); got != "v1.34.4" {
		t.Errorf("the version is %q", got)
	}
}

func TestKindsContainerdStillHasWhatTheRecipeChanges(t *testing.T) {
	config, err := os.ReadFile(filepath.Join(kindDir(t), "images", "base", "files", "etc", "containerd", "config.toml"))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(config), "restrict_oom_score_adj = false") {
		t.Error("restrict_oom_score_adj is not as recipe/kind-node/Dockerfile expects it")
	}
	if match := sandbox.FindStringSubmatch(string(config)); match == nil || !strings.Contains(match[1], "/pause:") {
		t.Errorf("the image of the sandbox is %q", match)
	}
}
