package toolchain

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestASourceHasAKeyOfItsOwn(t *testing.T) {
	keys := map[string]Name{}
	for _, s := range catalogue() {
		source, err := SourceOf(s.name)
		if err != nil {
			t.Fatal(err)
		}
		if other, taken := keys[source.Key]; taken {
			t.Errorf("%s and %s have one key", s.name, other)
		}
		keys[source.Key] = s.name
		if source.Release != s.release.String() {
			t.Errorf("%s: the release is %q", s.name, source.Release)
		}
	}
	if _, err := SourceOf("grafana"); err == nil {
		t.Error("an unknown program has a source")
	}
}

func TestTheModuleOfKindHasTheFilesOfItsNode(t *testing.T) {
	dir, err := ModuleDir(t.Context(), Options{CacheDir: t.TempDir()}, Kind)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "images", "base", "files", "usr", "local", "bin", "entrypoint")); err != nil {
		t.Error(err)
	}
}

func TestKindIsTheOneThatOurOwnCodeIsWrittenAgainst(t *testing.T) {
	mod, err := os.ReadFile(filepath.Join("..", "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	kind := find(catalogue(), Kind)
	if want := kind.module + " " + kind.at + "\n"; !strings.Contains(string(mod), want) {
		t.Errorf("deploy/go.mod does not require %s: the cluster and its node image would not fit", want)
	}
}
