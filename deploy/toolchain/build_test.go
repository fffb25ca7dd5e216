package toolchain

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"
)

// hello is a tiny program that takes the place of a tool; everything else is as in a real build.
func hello() spec {
	return spec{
		name: "hello", binary: "hello", versionArgs: []string{"version"}, version: afterVersion, minimum: release{1, 0, 0},
		pins: "hello", module: "example.org/hello", at: "v1.0.0", release: release{1, 2, 3}, pkg: "example.org/hello",
		versionFlag: "main.Version", packages: "hello",
	}
}

// helloPins has the program come from testdata.
func helloPins(t *testing.T) fs.FS {
	t.Helper()
	source, err := filepath.Abs(filepath.Join("testdata", "hello"))
	if err != nil {
		t.Fatal(err)
	}
	return pinsOf("module x\n\ngo 1.26.0\n\nrequire example.org/hello v1.0.0\n\nreplace example.org/hello => "+source+"\n", "")
}

func pinsOf(mod, sum string) fs.FS {
	return fstest.MapFS{"pinned/hello.mod": {Data: []byte(mod)}, "pinned/hello.sum": {Data: []byte(sum)}}
}

// bench is a cache for one test, and what is built into it.
type bench struct {
	cache string
	specs []spec
	files fs.FS
}

func newBench(t *testing.T) bench {
	return bench{cache: t.TempDir(), specs: []spec{hello()}, files: helloPins(t)}
}

func (b bench) ensure(ctx context.Context, progress *lines) (Tool, error) {
	nothing := filepath.Join(b.cache, "nothing-on-path")
	finder, err := newFinder(ctx, Options{CacheDir: b.cache, LookPath: onPath(nothing, true), Progress: progress},
		b.specs, b.files)
	if err != nil {
		return Tool{}, err
	}
	found, err := finder.ensure(ctx, nil)
	return found[b.specs[0].name], err
}

// lines keeps what was written, for several writers.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lines) Write(data []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(data)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func TestBuiltOnceThenCached(t *testing.T) {
	b := newBench(t)
	first, err := b.ensure(t.Context(), &lines{})
	if err != nil {
		t.Fatal(err)
	}
	if first.Origin != Built || first.Version != "1.2.3" {
		t.Errorf("got %+v", first)
	}
	output, err := exec.Command(first.Path).Output()
	if err != nil || !strings.Contains(string(output), "version 1.2.3") {
		t.Errorf("it says %q, %v", output, err)
	}
	second, err := b.ensure(t.Context(), &lines{})
	if err != nil || second.Origin != FromCache || second.Path != first.Path {
		t.Errorf("the second time: %+v, %v", second, err)
	}
}

func TestTwoBuildsAtOnceAreOne(t *testing.T) {
	b := newBench(t)
	t.Setenv("GOCACHE", t.TempDir()) // cold, so that the second has something to wait for
	var both sync.WaitGroup
	var tools [2]Tool
	var said [2]lines
	for i := range tools {
		both.Go(func() {
			var err error
			if tools[i], err = b.ensure(t.Context(), &said[i]); err != nil {
				t.Error(err)
			}
		})
	}
	both.Wait()
	if got := fmt.Sprintf("%s %s", tools[0].Origin, tools[1].Origin); got != "built cache" && got != "cache built" {
		t.Errorf("got %s, want one built and one from the cache", got)
	}
	waited := fmt.Sprintf("waiting for process %d, which is building hello", os.Getpid())
	if all := said[0].String() + said[1].String(); !strings.Contains(all, waited) {
		t.Errorf("the one that waited does not say for whom:\n%s", all)
	}
}

func TestAnInterruptedBuildLeavesNothingHalfDoneAndGoesOn(t *testing.T) {
	b := newBench(t)
	t.Setenv("GOCACHE", t.TempDir())
	finder, err := newFinder(t.Context(), Options{CacheDir: b.cache}, b.specs, b.files)
	if err != nil {
		t.Fatal(err)
	}
	staleBefore := stale(t, finder)

	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("Ctrl-C")
	go func() {
		// Some packages are compiled, and the program is not.
		for countStale(t, finder) > staleBefore/2 && t.Context().Err() == nil {
			time.Sleep(10 * time.Millisecond)
		}
		cancel(why)
	}()
	_, err = b.ensure(ctx, &lines{})
	if !errors.Is(err, why) || !strings.Contains(err.Error(), "run it again") {
		t.Fatalf("got %v", err)
	}
	assertOnlyLocks(t, b.cache)
	if left := stale(t, finder); left >= staleBefore {
		t.Errorf("%d of %d packages are left to compile: nothing was kept", left, staleBefore)
	}
	tool, err := b.ensure(t.Context(), &lines{})
	if err != nil || tool.Origin != Built {
		t.Errorf("the second time: %+v, %v", tool, err)
	}
}

// stale counts the packages that would have to be compiled.
func stale(t *testing.T, f *finder) int {
	t.Helper()
	count := countStale(t, f)
	if count < 0 {
		t.Fatal("go list failed")
	}
	return count
}

func countStale(t *testing.T, f *finder) int {
	work := t.TempDir()
	place, err := f.place(hello())
	if err != nil || place.pins.write(work) != nil {
		return -1
	}
	args := append([]string{"list", "-deps", "-f", "{{if .Stale}}{{.ImportPath}}{{end}}"}, hello().buildFlags()...)
	cmd := exec.Command(f.goTool.path, append(args, hello().pkg)...)
	cmd.Dir, cmd.Env = work, goEnvironment(os.Environ())
	output, err := cmd.Output()
	if err != nil {
		return -1
	}
	return len(strings.Fields(string(output)))
}

// assertOnlyLocks fails when there is more than locks in the cache.
func assertOnlyLocks(t *testing.T, cache string) {
	t.Helper()
	err := filepath.WalkDir(cache, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() && entry.Name() != "lock" {
			t.Errorf("left behind: %s", path)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

func TestABuildThatFailsSaysWhatToDo(t *testing.T) {
	toxiproxy, err := loadPins(pinned, "toxiproxy")
	if err != nil {
		t.Fatal(err)
	}
	real := hello()
	real.pkg = "github.com/Shopify/toxiproxy/v2/cmd/server"
	wrongHash := "h1:" + strings.Repeat("A", 43) + "="
	forged := "example.org/hello v1.0.0 " + wrongHash + "\nexample.org/hello v1.0.0/go.mod " + wrongHash + "\n"
	const requires = "module x\n\ngo 1.26.0\n\nrequire example.org/hello v1.0.0\n"

	for name, test := range map[string]struct {
		spec  spec
		files fs.FS
		proxy string
		want  error
		says  []string
	}{
		"the network is switched off": {
			real, pinsOf(string(toxiproxy.mod), string(toxiproxy.sum)), "off", ErrFetch,
			[]string{"github.com/Shopify/toxiproxy/v2@v2.12.0", "needs the Go module proxy once", "package manager"},
		},
		"the proxy does not answer": {
			real, pinsOf(string(toxiproxy.mod), string(toxiproxy.sum)), "http://127.0.0.1:1", ErrFetch,
			[]string{"@v", "connection refused", "what was fetched and compiled is kept"},
		},
		"the module is not what go.sum says": {
			hello(), pinsOf(requires, forged), "file://" + fileProxy(t), ErrChecksum,
			[]string{"deploy/tools/hello/go.sum", "checksum mismatch"},
		},
		"go.sum lacks the module": {
			hello(), pinsOf(requires, ""), "file://" + fileProxy(t), ErrChecksum,
			[]string{"deploy/tools/README.md", "missing go.sum entry"},
		},
		"the pins want a newer Go": {
			hello(), pinsOf("module x\n\ngo 1.999.0\n", ""), "off", ErrOldGo,
			[]string{"Go 1.999.0 or later", "Update Go"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("GOPROXY", test.proxy)
			t.Setenv("GOMODCACHE", t.TempDir())
			t.Setenv("GOFLAGS", "-modcacherw") // so that the temporary folder can be removed
			t.Setenv("GOTOOLCHAIN", "local")
			b := bench{cache: t.TempDir(), specs: []spec{test.spec}, files: test.files}
			_, err := b.ensure(t.Context(), &lines{})
			if !errors.Is(err, test.want) {
				t.Fatalf("got %v", err)
			}
			for _, want := range test.says {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q is not in:\n%v", want, err)
				}
			}
			assertOnlyLocks(t, b.cache)
		})
	}
}

// fileProxy is a module proxy in a folder, with example.org/hello v1.0.0's go.mod.
func fileProxy(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	dir := filepath.Join(root, "example.org", "hello", "@v")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"v1.0.0.mod": "module example.org/hello\n", "v1.0.0.info": `{"Version":"v1.0.0"}`, "list": "v1.0.0\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func TestPruneKeepsWhatIsInUse(t *testing.T) {
	now := time.Now()
	p := place{dir: t.TempDir(), key: "current"}
	for name, age := range map[string]time.Duration{
		"current": 2 * unusedFor, "other-branch": unusedFor / 2, "forgotten": 2 * unusedFor, "current.part-4242": 0,
	} {
		dir := filepath.Join(p.dir, name)
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(dir, now.Add(-age), now.Add(-age)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(p.dir, "lock"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	p.prune(now)
	entries, err := os.ReadDir(p.dir)
	if err != nil {
		t.Fatal(err)
	}
	var left []string
	for _, entry := range entries {
		left = append(left, entry.Name())
	}
	if got := strings.Join(left, " "); got != "current lock other-branch" {
		t.Errorf("left are %s", got)
	}
}
