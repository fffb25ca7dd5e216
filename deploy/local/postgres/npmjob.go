package postgres

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"time"

	"github.com/faultline-lab/faultline/deploy/local/runas"
	"github.com/faultline-lab/faultline/deploy/toolchain/progress"
)

// npmJob installs one package into the cache.
type npmJob struct {
	target   string // the folder that appears when all is done
	bin      string // where the programs are in it
	manifest fs.FS  // package.json and package-lock.json
	user     *runas.User
	lookPath func(string) (string, error)
	line     *progress.Line
}

// install works in a folder beside the target and renames it at the end, so that a target which exists is whole.
func (j npmJob) install(ctx context.Context) error {
	npm, err := j.lookPath("npm")
	if err != nil {
		return &notFoundError{why: "there is no npm to fetch it with"}
	}
	if ctx.Err() != nil { // the look at what is there may have failed for this alone
		return context.Cause(ctx)
	}
	work := j.target + ".part"
	// What lies there is from a process that was killed: the lock is ours.
	if err := os.RemoveAll(work); err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(work) }()
	if err := os.CopyFS(work, j.manifest); err != nil {
		return fmt.Errorf("the cache cannot be written: %w", err)
	}
	if err := j.npm(ctx, npm, work); err != nil {
		return err
	}
	if err := linkLibraries(filepath.Join(work, filepath.Dir(filepath.Dir(j.bin)))); err != nil {
		return err
	}
	if err := j.open(work); err != nil {
		return err
	}
	if _, err := inspect(ctx, j.user, filepath.Join(work, j.bin)); err != nil {
		return fmt.Errorf("the PostgreSQL that npm brought does not serve on this machine; install one of version %d or "+
			"later (%s): %w", MinimumMajor, packageNames, err)
	}
	// What was there and did not serve goes only now that something better has come.
	return errors.Join(os.RemoveAll(j.target), os.Rename(work, j.target))
}

// npm runs `npm ci`. Scripts of packages are not run: the only one there is makes links, which linkLibraries does.
func (j npmJob) npm(ctx context.Context, npm, dir string) error {
	started := time.Now()
	var output bytes.Buffer
	cmd := exec.CommandContext(ctx, npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier",
		"--global=false", "--loglevel=error")
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, &output, &output
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
	cmd.WaitDelay = 5 * time.Second

	done := make(chan error, 1)
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("npm: %w", err)
	}
	go func() { done <- cmd.Wait() }()
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	for {
		j.line.Update("postgres: npm is fetching PostgreSQL (about 20 MB), %s", time.Since(started).Round(time.Second))
		select {
		case <-ticker.C:
		case err := <-done:
			if ctx.Err() != nil {
				return fmt.Errorf("fetching PostgreSQL: %w", context.Cause(ctx))
			}
			if err != nil {
				return npmError(err, output.String())
			}
			j.line.Print("postgres: fetched by npm in %s", time.Since(started).Round(100*time.Millisecond))
			return nil
		}
	}
}

// linkLibraries makes the symbolic links that an npm package cannot contain; the package lists them.
func linkLibraries(pkg string) error {
	data, err := os.ReadFile(filepath.Join(pkg, "native", "pg-symlinks.json"))
	if err != nil {
		return fmt.Errorf("the npm package is not as expected: %w", err)
	}
	var links []struct{ Source, Target string }
	if err := json.Unmarshal(data, &links); err != nil {
		return fmt.Errorf("pg-symlinks.json of the npm package: %w", err)
	}
	for _, link := range links {
		if !filepath.IsLocal(link.Source) || !filepath.IsLocal(link.Target) {
			return fmt.Errorf("pg-symlinks.json of the npm package leads outside of it: %s", link.Target)
		}
		relative, err := filepath.Rel(filepath.Dir(link.Target), link.Source)
		if err != nil {
			return err
		}
		if err := os.Symlink(relative, filepath.Join(pkg, link.Target)); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	return nil
}

// open lets the unprivileged user read what root installed, whatever root's umask is.
func (j npmJob) open(work string) error {
	if j.user == nil {
		return nil
	}
	parents := []string{filepath.Dir(work), filepath.Dir(filepath.Dir(work))}
	for _, dir := range parents {
		reachable, err := j.user.Reaches(filepath.Join(dir, "x"))
		if err != nil {
			return err
		}
		if !reachable {
			if err := os.Chmod(dir, 0o755); err != nil {
				return err
			}
		}
	}
	return filepath.WalkDir(work, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.Type()&fs.ModeSymlink != 0 {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		mode := info.Mode().Perm() | 0o444
		if mode&0o100 != 0 {
			mode |= 0o111
		}
		return os.Chmod(path, mode)
	})
}

// unreachable matches npm's codes for a registry that does not answer.
var unreachable = regexp.MustCompile(`ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|ENOTCACHED`)

// npmError turns npm's output into what to do next.
func npmError(err error, output string) error {
	said := firstLines(output, 10) // npm begins with the code and what it means
	switch {
	case unreachable.MatchString(output):
		return &notFoundError{why: "npm could not reach its registry: it needs the network once", said: said}
	case strings.Contains(output, "EINTEGRITY"):
		return &notFoundError{why: "what npm's registry sent is not what was pinned (a broken proxy or mirror?)", said: said}
	default:
		return &notFoundError{why: fmt.Sprintf("npm failed (%v)", err), said: said}
	}
}

func firstLines(text string, n int) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.Join(lines[:min(n, len(lines))], "\n")
}

func lastLines(text string, n int) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	if len(lines) > n {
		lines = lines[len(lines)-n:]
	}
	return strings.Join(lines, "\n")
}
