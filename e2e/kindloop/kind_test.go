package kindloop

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/faultline-lab/faultline/chaos/target"
	"github.com/faultline-lab/faultline/e2e/internal/looptest"
	"github.com/faultline-lab/faultline/e2e/record"
	"github.com/faultline-lab/faultline/observability/endpoints"
)

// The test's cluster stands beside one that somebody uses, on ports of its own.
const (
	cluster    = "faultline-test"
	portOffset = "12000"
)

func TestTheStoryOnKind(t *testing.T) {
	needEngine(t)
	t.Setenv("FAULTLINE_CLUSTER", cluster)
	t.Setenv("FAULTLINE_PORT_OFFSET", portOffset)
	root := checkout(t)
	t.Cleanup(func() { tearDown(t, root); checkNothingIsLeft(t, root) })

	var first record.Record
	t.Run("demo makes the cluster, and the leak is healed by replacing exactly the pods that leak", func(t *testing.T) {
		first = demo(t, root)
		looptest.CheckHealed(t, first)
		if first.Target != endpoints.Kind {
			t.Errorf("target = %q", first.Target)
		}
	})
	if t.Failed() {
		t.FailNow()
	}
	before := orders(t, root)
	t.Run("the pods that leaked are gone, and as many others serve in their place", func(t *testing.T) {
		for _, pod := range first.Affected {
			if slices.Contains(before, pod) {
				t.Errorf("%s leaked, and is still there: %v", pod, before)
			}
		}
		if len(before) != 2 {
			t.Errorf("%d pods of orders, want 2: %v", len(before), before)
		}
	})
	t.Run("demo uses the cluster that is there", func(t *testing.T) {
		made := startedAt(t, root)
		looptest.CheckHealed(t, demo(t, root))
		if again := startedAt(t, root); !again.Equal(made) {
			t.Errorf("the cluster was made at %s, and is now one of %s", made, again)
		}
	})
	t.Run("without the healer the same fault stays", func(t *testing.T) {
		looptest.CheckLeftAlone(t, looptest.Trial(t, root, "none", 20*time.Second))
	})
}

// needEngine skips where no Docker engine answers; in CI one has to.
func needEngine(t *testing.T) {
	t.Helper()
	output, err := exec.CommandContext(t.Context(), "docker", "version", "--format", "{{.Server.Version}}").CombinedOutput()
	if err == nil {
		return
	}
	const what = "no Docker engine answers: NOT TESTED is the whole story on Kubernetes"
	if os.Getenv("CI") != "" {
		t.Fatalf("%s, and in CI it must be: %v: %s", what, err, output)
	}
	t.Skipf("%s. `.faultline/bin/stack airgap engine` (root, Debian) starts one.", what)
}

// checkout is a checkout of its own, with our programs and the sources that their images are built from: the one that the
// test runs in may have a stack. It is always the same folder, so that the next run finds, and takes away, the
// cluster of one that was interrupted.
func checkout(t *testing.T) string {
	t.Helper()
	root, err := filepath.Abs("../../.faultline/test-kind")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(root, ".faultline")); err == nil {
		tearDown(t, root)
	}
	if err := os.RemoveAll(root); err != nil {
		t.Fatal(err)
	}
	looptest.Furnish(t, root)
	sources := os.DirFS("../..")
	files, err := fs.Glob(sources, "go.work*")
	if err != nil || len(files) == 0 {
		t.Fatalf("no go.work (%v)", err)
	}
	for _, file := range files {
		data, err := fs.ReadFile(sources, file)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(root, file), data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	modules, err := fs.Glob(sources, "*/go.mod")
	if err != nil || len(modules) == 0 {
		t.Fatalf("no modules (%v)", err)
	}
	for _, module := range modules {
		folder := filepath.Dir(module)
		if err := os.CopyFS(filepath.Join(root, folder), os.DirFS(filepath.Join("../..", folder))); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

// demo tells the story as a person would have it told, and returns the record.
func demo(t *testing.T, root string) record.Record {
	t.Helper()
	told := exec.CommandContext(t.Context(), filepath.Join(root, ".faultline", "bin", "demo"), "--root="+root, "--target=kind", "--once")
	log := looptest.Log{T: t}
	told.Stdout, told.Stderr = log, log
	if err := told.Run(); err != nil {
		t.Errorf("the demo: %v", err)
	}
	found, err := record.Load(filepath.Join(root, ".faultline", "last-trial.json"))
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// orders names the pods of orders.
func orders(t *testing.T, root string) []string {
	t.Helper()
	stack, err := endpoints.Read(filepath.Join(root, endpoints.DefaultFile))
	if err != nil {
		t.Fatal(err)
	}
	control, err := target.Open(stack)
	if err != nil {
		t.Fatal(err)
	}
	found, err := control.Workload(t.Context(), "orders")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, replica := range found.Replicas {
		names = append(names, replica.ID)
	}
	return names
}

// tearDown takes the cluster away.
func tearDown(t *testing.T, root string) {
	t.Helper()
	down := exec.Command(filepath.Join(root, ".faultline", "bin", "stack"), "--root="+root, "kind", "down") // the test's own context may have ended
	if output, err := down.CombinedOutput(); err != nil {
		t.Errorf("taking the cluster down: %v: %s", err, output)
	}
}

func checkNothingIsLeft(t *testing.T, root string) {
	left, err := exec.Command("docker", "ps", "--all", "--quiet", "--filter", "label=io.x-k8s.kind.cluster="+cluster).Output()
	if err != nil || strings.TrimSpace(string(left)) != "" {
		t.Errorf("containers of the cluster are left: %s (%v)", left, err)
	}
	for _, file := range []string{endpoints.DefaultFile, ".faultline/run/kubeconfig"} {
		if _, err := os.Stat(filepath.Join(root, file)); !os.IsNotExist(err) {
			t.Errorf("%s is left (%v)", file, err)
		}
	}
}

// startedAt is when the cluster was made.
func startedAt(t *testing.T, root string) time.Time {
	t.Helper()
	stack, err := endpoints.Read(filepath.Join(root, endpoints.DefaultFile))
	if err != nil {
		t.Fatal(err)
	}
	return stack.StartedAt
}
