package toolchain

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/faultline-lab/faultline/deploy/toolchain/progress"
)

// showEvery is how often the passing line is renewed while go says nothing (it links for many seconds without a word).
const showEvery = time.Second

// fetchingLine begins what go says when it fetches a module.
const fetchingLine = "go: downloading "

// build is one program being made: its modules fetched, its packages counted and compiled.
type build struct {
	goTool goTool
	spec   spec
	dir    string // holds go.mod and go.sum
	line   *progress.Line
	title  string

	mu       sync.Mutex
	started  time.Time
	compiled int
	counted  bool
	total    int      // packages to compile, once they are counted
	fetched  int      // modules
	fetching string   // the module that go asked for last
	said     []string // by go, what is not progress
}

// run leaves the program at output.
func (b *build) run(ctx context.Context, output string) error {
	b.started = time.Now()
	stop := progress.Every(showEvery, b.show)
	defer stop()

	// go list fetches the modules and tells which packages are not compiled yet: after an interrupted build, or
	// when another program shares some, those in Go's build cache do not count.
	listed, err := b.goCommand(ctx, "list", "-deps", "-f", "{{if .Stale}}{{.ImportPath}}{{end}}")
	if err != nil {
		return err
	}
	b.mu.Lock()
	b.counted, b.total = true, len(strings.Fields(listed))
	b.mu.Unlock()
	_, err = b.goCommand(ctx, "build", "-v", "-o", output)
	return err
}

// goCommand runs one go command on the program's package and returns what it printed on stdout.
func (b *build) goCommand(ctx context.Context, command string, flags ...string) (string, error) {
	args := append([]string{command}, b.spec.buildFlags()...)
	args = append(append(args, flags...), b.spec.pkg)
	cmd := exec.CommandContext(ctx, b.goTool.path, args...)
	cmd.Dir, cmd.Env = b.dir, goEnvironment(os.Environ())
	// go runs compilers: all of them end together, by a signal to their group.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGINT) }
	cmd.WaitDelay = 5 * time.Second

	reader, writer := io.Pipe()
	var stdout strings.Builder
	cmd.Stdout, cmd.Stderr = &stdout, writer
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		b.watch(reader)
	}()
	err := cmd.Run()
	_ = writer.Close() // never fails
	<-watched
	if ctx.Err() != nil {
		// Past its grace period go is killed alone, and a compiler may be left.
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		return "", fmt.Errorf("building %s was interrupted (run it again and it goes on from there): %w", b.spec.name,
			context.Cause(ctx))
	}
	if err != nil {
		return "", explain(b.spec, err, b.said, b.fetching)
	}
	return stdout.String(), nil
}

// watch reads what go says: modules that it fetches, packages that it compiles, and the rest, which matters when it
// fails.
func (b *build) watch(stderr io.Reader) {
	lines := bufio.NewScanner(stderr)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		b.take(lines.Text())
		b.show()
	}
	_, _ = io.Copy(io.Discard, stderr) // a line without end must not make go wait for ever
}

func (b *build) take(line string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case strings.HasPrefix(line, fetchingLine):
		b.fetched++
		b.fetching = strings.Replace(strings.TrimPrefix(line, fetchingLine), " ", "@", 1)
	case b.counted && !strings.ContainsAny(line, " :\t"):
		b.compiled++ // go build -v: an import path, nothing else
	default:
		b.said = append(b.said, line)
	}
}

// show renews the passing line.
func (b *build) show() {
	b.mu.Lock()
	defer b.mu.Unlock()
	elapsed := time.Since(b.started).Round(time.Second)
	switch {
	case !b.counted && b.fetched == 0:
		b.line.Update("%s: looking at its modules, %s", b.title, elapsed)
	case !b.counted:
		b.line.Update("%s: fetching modules, %d so far, %s", b.title, b.fetched, elapsed)
	case b.compiled >= b.total:
		b.line.Update("%s: all %d packages compiled, linking, %s", b.title, b.total, elapsed)
	default:
		b.line.Update("%s: %d of %d packages compiled, %s", b.title, b.compiled, b.total, elapsed)
	}
}
