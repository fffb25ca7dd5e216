package toolchain

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/faultline-lab/faultline/deploy/toolchain/progress"
)

// Ensure returns the named programs, all of them when no name is given, each from PATH when there in a version that
// serves (those of a cluster never), else from the cache, else built. Builds run one after the other. When ctx ends in the middle, what was
// compiled is kept, and the next call goes on from there. The error says what to do.
func Ensure(ctx context.Context, opts Options, names ...Name) (map[Name]Tool, error) {
	finder, err := newFinder(ctx, opts, catalogue(), pinned)
	if err != nil {
		return nil, err
	}
	return finder.ensure(ctx, names)
}

// finder holds what one call of Ensure or List works with.
type finder struct {
	specs    []spec
	files    fs.FS
	root     string // of the built programs: a folder for each
	lookPath func(string) (string, error)
	line     *progress.Line
	goTool   goTool
	goErr    error // why there is no goTool
}

func newFinder(ctx context.Context, opts Options, specs []spec, files fs.FS) (*finder, error) {
	opts, err := opts.defaults()
	if err != nil {
		return nil, err
	}
	f := &finder{
		specs: specs, files: files, root: filepath.Join(opts.CacheDir, "tools"), lookPath: opts.LookPath,
		line: progress.New(opts.Progress),
	}
	f.goTool, f.goErr = findGo(ctx, opts.LookPath, os.TempDir())
	return f, ctx.Err()
}

func (f *finder) ensure(ctx context.Context, names []Name) (map[Name]Tool, error) {
	picked, err := pick(f.specs, names)
	if err != nil {
		return nil, err
	}
	found := make(map[Name]Tool, len(picked))
	var missing []spec
	for _, s := range picked {
		tool, ok, err := f.find(ctx, s, f.line.Print)
		if err != nil {
			return nil, err
		}
		if !ok {
			missing = append(missing, s)
			continue
		}
		found[s.name] = tool
	}
	if len(missing) == 0 {
		return found, nil
	}
	if f.goErr != nil {
		return nil, noGo(f.goErr, missing)
	}
	f.announce(missing)
	for i, s := range missing {
		tool, err := f.build(ctx, s, fmt.Sprintf("%s (%d of %d)", s.name, i+1, len(missing)))
		if err != nil {
			return nil, err
		}
		found[s.name] = tool
	}
	return found, nil
}

// find looks on PATH and in the cache. It tells note when it passes over a program on PATH.
func (f *finder) find(ctx context.Context, s spec, note func(string, ...any)) (Tool, bool, error) {
	started := time.Now()
	if path, err := f.onPath(s); err == nil {
		version, err := s.ask(ctx, path)
		switch {
		case ctx.Err() != nil:
			return Tool{}, false, context.Cause(ctx)
		case err != nil:
			note("%s: %s is not used: it %v", s.name, path, err)
		case version.before(s.minimum):
			note("%s: %s is not used: it is version %s, and %s or later is needed", s.name, path, version, s.minimum)
		default:
			path, err = filepath.Abs(path)
			return Tool{s.name, path, version.String(), FromPath, time.Since(started)}, true, err
		}
	}
	if f.goErr != nil {
		return Tool{}, false, nil // without a Go version there is no key to look for
	}
	place, err := f.place(s)
	if err != nil {
		return Tool{}, false, err
	}
	tool, ok := place.look(s, started)
	return tool, ok, nil
}

// onPath finds the program where a package manager puts it, unless only our own build of it will do.
func (f *finder) onPath(s spec) (string, error) {
	if s.exact {
		return "", exec.ErrNotFound
	}
	return f.lookPath(s.binary)
}

// announce prepares people for the wait.
func (f *finder) announce(missing []spec) {
	names := make([]string, len(missing))
	for i, s := range missing {
		names[i] = fmt.Sprintf("%s %s", s.name, s.release)
	}
	f.line.Print("building %s from source: minutes, this once (kept in %s; Ctrl-C loses nothing)",
		strings.Join(names, ", "), f.root)
}

// noGo says what to do without a Go toolchain.
func noGo(err error, missing []spec) error {
	names := make([]string, len(missing))
	for i, s := range missing {
		if s.exact {
			names[i] = fmt.Sprintf("%s %s, which is only ever built", s.name, s.release)
			continue
		}
		names[i] = fmt.Sprintf("%s %s or later, in packages called %s", s.binary, s.minimum, s.packages)
	}
	list := "\n  " + strings.Join(names, "\n  ")
	if !errors.Is(err, ErrNoGo) {
		return fmt.Errorf("%w\nMend it, or install these with a package manager:%s", err, list)
	}
	return fmt.Errorf("%w, and these programs are missing:%s\nInstall Go 1.26 or later and they are built, or install "+
		"them with a package manager", err, list)
}
