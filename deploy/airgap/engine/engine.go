package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"

	"github.com/faultline-lab/faultline/deploy/airgap/docker"
	"github.com/faultline-lab/faultline/deploy/toolchain/cache"
	"github.com/faultline-lab/faultline/deploy/toolchain/progress"
)

// ErrNeedsRoot says that something has to be changed that only root can change.
var ErrNeedsRoot = errors.New("only root can do that")

// Options are optional, all of them.
type Options struct {
	// Dir is where the log and the process id of an engine that is started here are. Default: engine in the cache folder.
	Dir string
	// Progress shows what is being done. Default: nowhere.
	Progress io.Writer
}

// Change is something on the machine that is now another than before.
type Change struct{ What, Undo string }

// setup is one call of Setup.
type setup struct {
	dir     string
	line    *progress.Line
	root    string // of the file system; only tests have another one
	uid     int
	changes []Change
}

// Setup installs what is missing, starts an engine when none answers, and sees to it that the engine can run privileged
// containers, which kind's nodes are. What is there and works is left as it is. The changes made so far are told even when
// it fails; the error says what to do.
func Setup(ctx context.Context, opts Options) ([]Change, error) {
	if opts.Dir == "" {
		dir, err := cache.Dir("")
		if err != nil {
			return nil, err
		}
		opts.Dir = filepath.Join(dir, "engine")
	}
	if runtime.GOOS != "linux" {
		return nil, fmt.Errorf("on %s install and start Docker Desktop, or another Docker engine", runtime.GOOS)
	}
	s := &setup{dir: opts.Dir, line: progress.New(opts.Progress), root: "/", uid: os.Geteuid()}
	defer s.line.Clear()
	err := s.run(ctx)
	return s.changes, err
}

func (s *setup) run(ctx context.Context) error {
	_, notFound := docker.Find(ctx)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err := s.install(ctx, notFound != nil); err != nil {
		return err
	}
	if notFound != nil {
		if host := os.Getenv("DOCKER_HOST"); host != "" {
			return fmt.Errorf("DOCKER_HOST names %s, which does not answer: start it there, or unset the variable for an engine "+
				"on this machine: %w", host, notFound)
		}
		if err := s.start(ctx); err != nil {
			return err
		}
	}
	if err := s.privileged(ctx); err != nil {
		return err
	}
	return s.inotify()
}

// changed notes what is now different.
func (s *setup) changed(what, undo string) {
	s.changes = append(s.changes, Change{What: what, Undo: undo})
	s.line.Print("%s", what)
}

// mustBeRoot says what would be done if this were root.
func (s *setup) mustBeRoot(what string) error {
	if s.uid == 0 {
		return nil
	}
	return fmt.Errorf("%w: %s. Run `stack airgap engine` as root", ErrNeedsRoot, what)
}

// at is a path of the machine.
func (s *setup) at(path string) string { return filepath.Join(s.root, path) }

// privileged tries a privileged container, and again with our runtime where that can help.
func (s *setup) privileged(ctx context.Context) error {
	engine, err := docker.Find(ctx)
	if err != nil {
		return err
	}
	failed := probe(ctx, engine)
	refused, ok := errors.AsType[*refusedError](failed)
	if !ok || ctx.Err() != nil {
		return failed // or nil; what fails before a container is started says nothing about containers
	}
	status, err := os.ReadFile(s.at("proc/1/status"))
	if err != nil {
		return errors.Join(failed, err)
	}
	if lacks, err := lacksResource(string(status)); err != nil || !lacks || !refused.namesCapabilities() {
		return errors.Join(fmt.Errorf("this Docker engine answers, but cannot run a privileged container, which kind's nodes "+
			"are: %w", failed), err)
	}
	if err := s.installRuntime(ctx, engine); err != nil {
		return fmt.Errorf("privileged containers do not start (%w), since this machine gives nobody CAP_SYS_RESOURCE: %w", failed, err)
	}
	return probe(ctx, engine)
}
