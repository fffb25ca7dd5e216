package toolchain

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/faultline-lab/faultline/deploy/toolchain/cache"
)

// unusedFor is how long a build that nobody used stays, once a newer one is made. Longer than a holiday, and long enough
// to go back and forth between two branches.
const unusedFor = 30 * 24 * time.Hour

// partial is in the name of the folder of a build that is not finished, followed by the builder's process id: the
// compiler of a builder that was killed may still write into that.
const partial = ".part-"

// place is where the cache keeps one build: <root>/<name>/<key>/<name>.
type place struct {
	dir  string // <root>/<name>
	key  string
	pins pins
}

func (f *finder) place(s spec) (place, error) {
	pins, err := loadPins(f.files, s.pins)
	if err != nil {
		return place{}, err
	}
	return place{dir: filepath.Join(f.root, string(s.name)), key: s.key(pins, f.goTool.version), pins: pins}, nil
}

func (p place) binary(s spec) string { return filepath.Join(p.dir, p.key, string(s.name)) }

// look returns the finished build, if there is one. What exists is whole: it appeared by a rename.
func (p place) look(s spec, started time.Time) (Tool, bool) {
	path := p.binary(s)
	info, err := os.Stat(path)
	if err != nil || info.Size() == 0 || info.Mode().Perm()&0o100 == 0 { // a power cut can leave the name without the content
		return Tool{}, false
	}
	now := time.Now()
	_ = os.Chtimes(filepath.Dir(path), now, now) // marks it used; in a read-only cache nothing is pruned either
	return Tool{s.name, path, s.release.String(), FromCache, time.Since(started)}, true
}

// build makes one program, unless another process does so while this one waits for its turn.
func (f *finder) build(ctx context.Context, s spec, title string) (Tool, error) {
	started := time.Now()
	place, err := f.place(s)
	if err != nil {
		return Tool{}, err
	}
	holder := fmt.Sprintf("process %d, which is building %s", os.Getpid(), s.name)
	told := false
	lock, err := cache.Acquire(ctx, filepath.Join(place.dir, "lock"), holder, func(holder string) {
		if !told {
			f.line.Print("%s: waiting for %s", title, holder)
			told = true
		}
		f.line.Update("%s: waiting for %s, %s", title, holder, time.Since(started).Round(time.Second))
	})
	if err != nil {
		f.line.Clear()
		return Tool{}, err
	}
	tool, err := f.underLock(ctx, s, place, title, started)
	f.line.Clear()
	return tool, errors.Join(err, lock.Release())
}

func (f *finder) underLock(ctx context.Context, s spec, place place, title string, started time.Time) (Tool, error) {
	if tool, ok := place.look(s, started); ok {
		f.line.Print("%s: built by another process meanwhile", title)
		return tool, nil
	}
	place.prune(time.Now())
	work := filepath.Join(place.dir, place.key+partial+strconv.Itoa(os.Getpid()))
	if err := place.compile(ctx, f, s, work, title); err != nil {
		return Tool{}, errors.Join(err, os.RemoveAll(work))
	}
	whole := filepath.Join(place.dir, place.key)
	err := errors.Join(os.RemoveAll(whole), os.Rename(filepath.Join(work, "out"), whole), os.RemoveAll(work))
	if err != nil {
		return Tool{}, err
	}
	took := time.Since(started)
	f.line.Print("%s: built in %s", title, took.Round(time.Second))
	return Tool{s.name, place.binary(s), s.release.String(), Built, took}, nil
}

// compile makes the program in work/out.
func (p place) compile(ctx context.Context, f *finder, s spec, work, title string) error {
	out := filepath.Join(work, "out")
	if err := os.MkdirAll(out, 0o755); err != nil {
		return fmt.Errorf("the cache cannot be written; %s names another place: %w", cache.Variable, err)
	}
	if err := p.pins.write(work); err != nil {
		return err
	}
	return (&build{goTool: f.goTool, spec: s, dir: work, line: f.line, title: title}).
		run(ctx, filepath.Join(out, string(s.name)))
}

// prune removes what killed builds left, and builds that have not been used for long. What cannot be removed stays until
// the next time. The caller holds the lock.
func (p place) prune(now time.Time) {
	entries, err := os.ReadDir(p.dir)
	if err != nil {
		return
	}
	for _, entry := range entries {
		info, err := entry.Info()
		if err != nil || !entry.IsDir() || entry.Name() == p.key {
			continue
		}
		if strings.Contains(entry.Name(), partial) || now.Sub(info.ModTime()) > unusedFor {
			_ = os.RemoveAll(filepath.Join(p.dir, entry.Name()))
		}
	}
}
