package toolchain

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
)

// pinned holds the go.mod and go.sum of each folder of deploy/tools, as <folder>.mod and <folder>.sum, so that the
// stack command needs no checkout. They are copies because Go embeds nothing from another module's folder; a test fails
// when they are stale, and go generate renews them.
//
//go:generate go test . -run ^TestPins -update
//go:embed pinned
var pinned embed.FS

// pins are the two files that say what a program is built from.
type pins struct{ mod, sum []byte }

func loadPins(files fs.FS, folder string) (pins, error) {
	mod, err := fs.ReadFile(files, "pinned/"+folder+".mod")
	if err != nil {
		return pins{}, err
	}
	sum, err := fs.ReadFile(files, "pinned/"+folder+".sum")
	if err != nil {
		return pins{}, err
	}
	return pins{mod: mod, sum: sum}, nil
}

// write puts the module where go can build it.
func (p pins) write(dir string) error {
	if err := os.WriteFile(filepath.Join(dir, "go.mod"), p.mod, 0o644); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "go.sum"), p.sum, 0o644)
}

// key names a build by everything that it depends on, so that one that exists need never be looked at again.
func (s spec) key(p pins, goVersion string) string {
	hash := sha256.New()
	for _, part := range []string{
		string(p.mod), string(p.sum), s.pkg, fmt.Sprint(s.buildFlags()), goVersion, runtime.GOOS, runtime.GOARCH,
	} {
		fmt.Fprintf(hash, "%d:%s", len(part), part) // lengths, so that no two lists run together to the same text
	}
	return hex.EncodeToString(hash.Sum(nil)[:8])
}

// buildFlags go to go list and go build alike, so that both mean the same packages. Without debugging information the
// builds are a tenth quicker and the binaries a third smaller.
func (s spec) buildFlags() []string {
	link := "-s -w"
	if s.versionFlag != "" {
		link += " -X " + s.versionFlag + "=" + s.release.String()
	}
	for _, variable := range s.linked {
		link += " -X " + variable
	}
	return []string{
		"-mod=readonly", "-trimpath", "-buildvcs=false", "-tags=" + s.tags, "-gcflags=all=-dwarf=false", "-ldflags=" + link,
	}
}
