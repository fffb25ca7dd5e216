package toolchain

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
)

// Source is what a program is built from.
type Source struct {
	Release string // without a leading v
	// Key changes with the pins, the flags and the platform, and not with the version of Go: it can be had without Go,
	// and is the same on all machines of one platform.
	Key string
}

// SourceOf says what the named program is built from. It looks at nothing outside of this program.
func SourceOf(name Name) (Source, error) {
	picked, err := pick(catalogue(), []Name{name})
	if err != nil {
		return Source{}, err
	}
	s := picked[0]
	pins, err := loadPins(pinned, s.pins)
	if err != nil {
		return Source{}, err
	}
	return Source{Release: s.release.String(), Key: s.key(pins, "")}, nil
}

// ModuleDir fetches the module of the named program, as pinned, and returns the folder in which its files are (read-only,
// in Go's module cache).
func ModuleDir(ctx context.Context, opts Options, name Name) (string, error) {
	finder, err := newFinder(ctx, opts, catalogue(), pinned)
	if err != nil {
		return "", err
	}
	picked, err := pick(finder.specs, []Name{name})
	if err != nil {
		return "", err
	}
	if finder.goErr != nil {
		return "", fmt.Errorf("the source of %s is needed: %w. Install Go 1.26 or later", name, finder.goErr)
	}
	return finder.moduleDir(ctx, picked[0])
}

// moduleDir lets go check the module against the pinned go.sum, which it does inside of a module that has one.
func (f *finder) moduleDir(ctx context.Context, s spec) (string, error) {
	place, err := f.place(s)
	if err != nil {
		return "", err
	}
	work, err := os.MkdirTemp("", "faultline-module-")
	if err != nil {
		return "", err
	}
	defer func() { _ = os.RemoveAll(work) }()
	if err := place.pins.write(work); err != nil {
		return "", err
	}
	cmd := exec.CommandContext(ctx, f.goTool.path, "mod", "download", "-json", s.module+"@"+s.at)
	var said strings.Builder
	cmd.Dir, cmd.Env, cmd.Stderr = work, goEnvironment(os.Environ()), &said
	output, err := cmd.Output()
	var module struct{ Dir, Error string }
	if jsonErr := json.Unmarshal(output, &module); err == nil && jsonErr != nil {
		return "", fmt.Errorf("go mod download %s: %w", s.module, jsonErr)
	}
	switch {
	case ctx.Err() != nil:
		return "", context.Cause(ctx)
	case err != nil:
		return "", explain(s, err, strings.Split(module.Error+"\n"+said.String(), "\n"), s.module+"@"+s.at)
	default:
		return module.Dir, nil
	}
}
