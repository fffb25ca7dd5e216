package postgrescontainer

import (
	"context"
	"fmt"
	"os"

	"github.com/testcontainers/testcontainers-go"
	"github.com/testcontainers/testcontainers-go/log"

	"github.com/faultline-lab/faultline/deploy/airgap/docker"
	"github.com/faultline-lab/faultline/deploy/toolchain/progress"
)

const (
	// folderPrefix begins the names of the folders whose locks say that a container's maker lives.
	folderPrefix = "faultline-postgres-container-"
	// makerLabel is on each container of ours and says who made it: the machine and the folder.
	makerLabel = "dev.faultline.postgres-maker"
	// reaperVariable tells testcontainers to do without its reaper.
	reaperVariable = "TESTCONTAINERS_RYUK_DISABLED"
	// hostVariable tells testcontainers where the ports of containers are.
	hostVariable = "TESTCONTAINERS_HOST_OVERRIDE"
)

// prepare finds the engine, and sees to it that it has the image and that testcontainers does not ask for what cannot be
// had. It also makes testcontainers hold its tongue, which by itself tells of each step on stderr.
func prepare(ctx context.Context, opts Options) (docker.Engine, error) {
	engine, err := docker.Find(ctx)
	if err != nil {
		return engine, err
	}
	if err := ensureImage(ctx, engine, opts); err != nil {
		return engine, err
	}
	log.SetDefault(log.NewNoopLogger())
	return engine, chooseReaper(ctx, engine)
}

// isHere says whether the engine's containers publish their ports on this machine's loopback. testcontainers guesses it
// from our being in a container or not, and then knows no engine that runs in the same one.
func isHere(ctx context.Context, engine docker.Engine) (bool, error) {
	if os.Getenv(hostVariable) != "" {
		return false, nil
	}
	name, err := engine.Output(ctx, "info", "--format={{.Name}}")
	return err == nil && name == docker.Hostname(), err
}

// ensureImage pulls the image unless it is there. testcontainers would try for a quarter of an hour.
func ensureImage(ctx context.Context, engine docker.Engine, opts Options) error {
	if hasImage(ctx, engine, opts.Image) {
		return nil
	}
	line := progress.New(opts.Progress)
	defer line.Clear()
	line.Update("postgres: pulling %s", opts.Image)
	if _, err := engine.Output(ctx, "pull", "--quiet", opts.Image); err != nil {
		return fmt.Errorf("the Docker engine has no image %s, and it cannot be pulled; without a registry, `stack airgap` "+
			"builds one and `--image=airgap` takes it: %w", opts.Image, err)
	}
	return nil
}

func hasImage(ctx context.Context, engine docker.Engine, ref string) bool {
	_, err := engine.Output(ctx, "image", "inspect", "--format={{.Id}}", ref)
	return err == nil
}

// chooseReaper turns testcontainers' reaper off where its image is not there: it cannot be pulled in every network, and
// we remove our container ourselves. Who sets the variable decides.
func chooseReaper(ctx context.Context, engine docker.Engine) error {
	//nolint:staticcheck // deprecated without anything in its place, and the version is in the name
	reaper := testcontainers.ReaperDefaultImage
	if os.Getenv(reaperVariable) != "" || hasImage(ctx, engine, reaper) {
		return nil
	}
	return os.Setenv(reaperVariable, "true")
}
