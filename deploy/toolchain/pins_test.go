package toolchain

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "renew the copies in pinned/ from deploy/tools")

func TestPinsAreThoseOfDeployTools(t *testing.T) {
	for _, s := range catalogue() {
		for from, to := range map[string]string{"go.mod": s.pins + ".mod", "go.sum": s.pins + ".sum"} {
			want, err := os.ReadFile(filepath.Join("..", "tools", s.pins, from))
			if err != nil {
				t.Fatal(err)
			}
			if *update {
				if err := os.WriteFile(filepath.Join("pinned", to), want, 0o644); err != nil {
					t.Fatal(err)
				}
				continue
			}
			if got, err := pinned.ReadFile("pinned/" + to); err != nil || !bytes.Equal(got, want) {
				t.Errorf("pinned/%s is not deploy/tools/%s/%s (%v): run go generate ./toolchain", to, s.pins, from, err)
			}
		}
	}
}

func TestTheCatalogueNamesTheVersionsThatArePinned(t *testing.T) {
	for _, s := range catalogue() {
		pins, err := loadPins(pinned, s.pins)
		if err != nil {
			t.Fatal(err)
		}
		if want := "\t" + s.module + " " + s.at; !strings.Contains(string(pins.mod), want+" ") {
			t.Errorf("%s: tools/%s/go.mod does not require%s", s.name, s.pins, want)
		}
		if s.pkg != s.module && !strings.HasPrefix(s.pkg, s.module+"/") {
			t.Errorf("%s: package %s is not of module %s", s.name, s.pkg, s.module)
		}
		if s.release.before(s.minimum) {
			t.Errorf("%s: what is built (%s) would not be taken from PATH (%s)", s.name, s.release, s.minimum)
		}
	}
}

func TestKeyChangesWithEverythingThatABuildDependsOn(t *testing.T) {
	base := spec{name: "hello", pkg: "example.org/hello", tags: "a", versionFlag: "main.Version"}
	files := pins{mod: []byte("module x"), sum: []byte("y")}
	key := base.key(files, "go1.26.0")
	if again := base.key(files, "go1.26.0"); again != key {
		t.Fatalf("the same build has two keys: %s, %s", key, again)
	}
	retagged, repackaged, reversioned, relinked := base, base, base, base
	retagged.tags, repackaged.pkg, reversioned.release = "b", "example.org/other", release{1, 2, 3}
	relinked.linked = []string{"main.Minor=34"}
	for name, other := range map[string]string{
		"go.mod":                     base.key(pins{mod: []byte("module z"), sum: files.sum}, "go1.26.0"),
		"go.sum":                     base.key(pins{mod: files.mod, sum: []byte("z")}, "go1.26.0"),
		"a byte moved between files": base.key(pins{mod: []byte("module xy"), sum: nil}, "go1.26.0"),
		"the Go version":             base.key(files, "go1.26.1"),
		"tags":                       retagged.key(files, "go1.26.0"),
		"the package":                repackaged.key(files, "go1.26.0"),
		"flags":                      reversioned.key(files, "go1.26.0"),
		"a variable":                 relinked.key(files, "go1.26.0"),
	} {
		if other == key {
			t.Errorf("%s changed and the key did not", name)
		}
	}
}
