package docker

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// ErrNoEngine says that no Docker engine answers.
var ErrNoEngine = errors.New("no Docker engine answers")

const (
	// answerWithin bounds the first question: an engine on a dead host would let it hang for minutes.
	answerWithin = 15 * time.Second
	// keepLines is how much of a failed command's output its error shows.
	keepLines = 15
)

// Engine is a Docker engine that answers.
type Engine struct {
	cli     string // the docker command
	Version string // of the server
}

// Find asks the engine that the docker command talks to for its version.
func Find(ctx context.Context) (Engine, error) {
	cli, err := exec.LookPath("docker")
	if err != nil {
		return Engine{}, fmt.Errorf("%w: there is no docker command on PATH. On a Debian-like machine, as root, "+
			"`stack airgap engine` installs and starts one", ErrNoEngine)
	}
	bounded, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	engine := Engine{cli: cli}
	engine.Version, err = engine.Output(bounded, "version", "--format={{.Server.Version}}")
	switch {
	case ctx.Err() != nil:
		return Engine{}, context.Cause(ctx)
	case err != nil && strings.Contains(err.Error(), "permission denied"):
		return Engine{}, fmt.Errorf("%w to this user: run it as root, or as a member of the group docker: %w", ErrNoEngine, err)
	case err != nil:
		return Engine{}, fmt.Errorf("%w: start it (as root on a Debian-like machine: `stack airgap engine`), or have "+
			"DOCKER_HOST name one: %w", ErrNoEngine, err)
	}
	return engine, nil
}

// Output runs one docker command and returns what it printed on stdout, without the spaces around it.
func (e Engine) Output(ctx context.Context, args ...string) (string, error) {
	var stdout strings.Builder
	err := e.run(ctx, nil, &stdout, args...)
	return strings.TrimSpace(stdout.String()), err
}

// run is one docker command. Its error has the end of what the command said on stderr.
func (e Engine) run(ctx context.Context, stdin io.Reader, stdout io.Writer, args ...string) error {
	var stderr bytes.Buffer
	cmd := e.command(ctx, args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = stdin, stdout, &stderr
	return failure(ctx, args[0], cmd.Run(), stderr.String())
}

// command is a docker command in a process group of its own, so that Ctrl-C on a terminal reaches only us, and we end it.
func (e Engine) command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, e.cli, args...)
	// Debian's package has the classic builder and no other.
	cmd.Env = append(os.Environ(), "DOCKER_BUILDKIT=0", "DOCKER_CLI_HINTS=false")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
	cmd.WaitDelay = 10 * time.Second
	return cmd
}

// failure adds what a failed command said.
func failure(ctx context.Context, command string, err error, said string) error {
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return fmt.Errorf("docker %s: %w", command, context.Cause(ctx))
	default:
		return fmt.Errorf("docker %s: %w: %s", command, err, lastLines(said, keepLines))
	}
}

func lastLines(text string, n int) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}

// Images are the names of all images that the engine has, as name:tag.
func (e Engine) Images(ctx context.Context) (map[string]bool, error) {
	listed, err := e.Output(ctx, "image", "ls", "--format={{.Repository}}:{{.Tag}}")
	if err != nil {
		return nil, err
	}
	images := map[string]bool{}
	for name := range strings.FieldsSeq(listed) {
		images[name] = true
	}
	return images, nil
}

// Pipe gives what one docker command prints to another one as its input.
func (e Engine) Pipe(ctx context.Context, from, to []string) error {
	ctx, cancel := context.WithCancel(ctx) // when one fails, the other has nothing to wait for
	defer cancel()
	reader, writer, err := os.Pipe()
	if err != nil {
		return err
	}
	var stderr bytes.Buffer
	source := e.command(ctx, from...)
	source.Stdout, source.Stderr = writer, &stderr
	if err := source.Start(); err != nil {
		return errors.Join(err, reader.Close(), writer.Close())
	}
	_ = writer.Close() // the command has it
	toErr := e.run(ctx, reader, io.Discard, to...)
	_ = reader.Close()
	if toErr != nil {
		cancel()
	}
	return errors.Join(toErr, failure(ctx, from[0], source.Wait(), stderr.String()))
}
