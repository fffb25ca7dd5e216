package engine

import (
	"context"
	"errors"
	"fmt"
	"os"
	"regexp"

	"github.com/faultline-lab/faultline/deploy/airgap/docker"
	"github.com/faultline-lab/faultline/deploy/airgap/pause"
)

// refusedError says that the engine did not start a container, and not that something before that failed.
type refusedError struct{ err error }

func (e *refusedError) Error() string { return e.err.Error() }
func (e *refusedError) Unwrap() error { return e.err }

// capabilities are what runc names when it may not give them: "unable to apply caps", "can't apply capabilities".
var capabilities = regexp.MustCompile(`(?i)\bcap(s|abilit(y|ies))\b`)

func (e *refusedError) namesCapabilities() bool { return capabilities.MatchString(e.Error()) }

// probe starts a privileged container, and ends it. Its error is a *refusedError when the engine did not start it.
func probe(ctx context.Context, engine docker.Engine) (err error) {
	dir, err := os.MkdirTemp("", "faultline-probe-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	program, err := pause.Build(ctx, dir)
	if err != nil {
		return err
	}
	ref := fmt.Sprintf("faultline.local/probe:%d", os.Getpid())
	if err := engine.Build(ctx, ref, docker.Recipe{
		Dockerfile: "FROM scratch\nCOPY pause /pause\nENTRYPOINT [\"/pause\"]\n",
		Files:      []docker.File{{Name: "pause", Mode: 0o755, Path: program}},
	}); err != nil {
		return fmt.Errorf("building an image to try a container with: %w", err)
	}
	name := fmt.Sprintf("faultline-probe-%d", os.Getpid())
	defer func() {
		after := context.WithoutCancel(ctx)
		_, removed := engine.Output(after, "rm", "--force", "--volumes", name)
		_, untagged := engine.Output(after, "image", "rm", "--force", ref)
		if err == nil {
			err = errors.Join(removed, untagged)
		}
	}()
	if _, err = engine.Output(ctx, "run", "--detach", "--privileged", "--network=none", "--name="+name, ref); err != nil {
		return &refusedError{err}
	}
	return nil
}
