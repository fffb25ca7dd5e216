package airgap

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestPruneTakesOnlyWhatIsOursAndSupersededAndUnused(t *testing.T) {
	plan, err := newPlan()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	asked := filepath.Join(dir, "asked")
	script := "#!/bin/sh\ncase $1-$2 in\nversion-*) echo 20.10 ;;\nimage-ls) echo \"$@\" >" + asked + "; cat <<EOF\n" + strings.Join([]string{
		plan.node.ref, plan.base.ref, plan.database.ref, registry + "loki:old", registry + "kind-node:old", "registry.example/mine:1",
		registry + "pod-etcd:<none>", plan.node.ref + "-empty",
	}, "\n") + "\nEOF\n;;\nimage-rm) case $3 in *kind-node:old) echo 'conflict: a container is using it' >&2; exit 1 ;; esac ;;\nesac\n"
	if err := os.WriteFile(filepath.Join(dir, "docker"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	done, err := Prune(t.Context(), Options{CacheDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{plan.node.ref + "-empty", registry + "loki:old"}; !slices.Equal(done.Removed, want) {
		t.Errorf("removed were %s, want %s", done.Removed, want)
	}
	if want := []string{registry + "kind-node:old"}; !slices.Equal(done.Kept, want) {
		t.Errorf("kept were %s, want %s", done.Kept, want)
	}
	if text, err := os.ReadFile(asked); err != nil || !strings.Contains(string(text), "--filter=label="+label) {
		t.Errorf("asked was %s, %v", text, err)
	}
}
