package kind

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

const (
	// answerWithin is how long the engine may take for a word about itself.
	answerWithin = 10 * time.Second
	// firstWordWithin is how long a registry may keep the engine waiting: a closed network shall be noticed, not waited for.
	firstWordWithin = 15 * time.Second
)

// ErrNoEngine says that there is nothing to run a cluster on.
var ErrNoEngine = errors.New("no Docker engine answers")

// errSilent is why a pull is given up.
var errSilent = errors.New("the registry gave no answer")

// engine is the Docker engine that the docker command leads to, which is also the one that kind uses.
type engine struct {
	version   string
	arch      string // as Go names it
	cgroupV1  bool
	firstWord time.Duration
}

// findEngine returns ErrNoEngine, with what to do, when none answers.
func findEngine(ctx context.Context) (*engine, error) {
	if _, err := exec.LookPath("docker"); err != nil {
		return nil, fmt.Errorf("%w: there is no docker command on PATH: install Docker, or take TARGET=local, which needs none", ErrNoEngine)
	}
	bounded, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	said, err := docker(bounded, "version", "--format", "{{.Server.Version}} {{.Server.Os}} {{.Server.Arch}}")
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if err != nil {
		return nil, fmt.Errorf("%w (%w): start it (on a Debian-like machine, as root, `stack airgap engine` installs and "+
			"starts one), or take TARGET=local, which needs none", ErrNoEngine, err)
	}
	words := strings.Fields(said)
	if len(words) != 3 {
		return nil, fmt.Errorf("%w: docker version says %q", ErrNoEngine, said)
	}
	if words[1] != "linux" {
		return nil, fmt.Errorf("%w for Linux containers: this one runs those of %s, switch it over", ErrNoEngine, words[1])
	}
	found := &engine{version: words[0], arch: words[2], firstWord: firstWordWithin}
	cgroup, err := docker(bounded, "info", "--format", "{{.CgroupVersion}}")
	found.cgroupV1 = err == nil && strings.TrimSpace(cgroup) == "1" // an engine that does not know is a new one
	return found, ctx.Err()
}

// has says whether the image is there.
func (e *engine) has(ctx context.Context, ref string) (bool, error) {
	_, err := docker(ctx, "image", "inspect", "--format", "{{.Id}}", ref)
	if _, exited := errors.AsType[*exec.ExitError](err); exited && ctx.Err() == nil {
		return false, nil
	}
	return err == nil, err
}

// reaches says whether a registry answers for the image. It is asked by the docker command, not by the engine, so an
// engine with a mirror of its own may know more: a pull tells.
func (e *engine) reaches(ctx context.Context, ref string) bool {
	bounded, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	_, err := docker(bounded, "manifest", "inspect", ref)
	return err == nil
}

// pull fetches the image. It gives up when the registry says nothing at all for a while; after its first word it has all
// the time it needs.
func (e *engine) pull(ctx context.Context, ref string, say func(string)) error {
	pulling, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	silence := time.AfterFunc(e.firstWord, func() { cancel(fmt.Errorf("%w within %s", errSilent, e.firstWord)) })
	defer silence.Stop()
	cmd := dockerCommand(pulling, "pull", ref)
	var complaint bytes.Buffer
	cmd.Stdout, cmd.Stderr = &listener{heard: func(line string) {
		silence.Stop()
		say("pulling " + ref + ": " + line)
	}}, &complaint
	if err := cmd.Run(); err != nil {
		if pulling.Err() != nil {
			err = context.Cause(pulling)
		}
		return fmt.Errorf("pulling %s: %w%s", ref, err, lastLine(complaint.String()))
	}
	return nil
}

// save writes images as one archive.
func (e *engine) save(ctx context.Context, to io.Writer, refs []string) error {
	cmd := dockerCommand(ctx, append([]string{"save"}, refs...)...)
	var complaint bytes.Buffer
	cmd.Stdout, cmd.Stderr = to, &complaint
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		return fmt.Errorf("docker save: %w%s", err, lastLine(complaint.String()))
	}
	return nil
}

// listener hands on each line that is written to it.
type listener struct {
	rest  string
	heard func(string)
}

func (l *listener) Write(text []byte) (int, error) {
	l.rest += string(text)
	for {
		line, rest, whole := strings.Cut(l.rest, "\n")
		if !whole {
			return len(text), nil
		}
		l.rest = rest
		l.heard(strings.TrimSpace(line))
	}
}

// docker returns what the command prints.
func docker(ctx context.Context, args ...string) (string, error) {
	cmd := dockerCommand(ctx, args...)
	var out, complaint bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &complaint
	err := cmd.Run()
	switch {
	case ctx.Err() != nil:
		return "", fmt.Errorf("docker %s: %w", args[0], context.Cause(ctx))
	case err != nil:
		return "", fmt.Errorf("docker %s: %w%s", args[0], err, lastLine(complaint.String()))
	default:
		return strings.TrimSpace(out.String()), nil
	}
}

// dockerCommand runs in a process group of its own: a Ctrl-C reaches it through the context, in our order.
func dockerCommand(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "docker", args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = time.Second
	return cmd
}

// lastLine is what a command complained last, ready to follow an error.
func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	if last := strings.TrimSpace(lines[len(lines)-1]); last != "" {
		return ": " + last
	}
	return ""
}
