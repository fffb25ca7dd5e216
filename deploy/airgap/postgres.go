package airgap

import (
	"context"
	"io/fs"
	"path/filepath"
	"strconv"

	"github.com/faultline-lab/faultline/deploy/airgap/docker"
	"github.com/faultline-lab/faultline/deploy/local/postgres"
)

// makePostgres is Debian with the npm package's server in it.
func (b *builder) makePostgres(ctx context.Context, base, ref string, pin postgres.Pin) error {
	files, err := docker.Tree(filepath.Dir(b.postgres.BinDir), "postgres", func(_ string, mode fs.FileMode) bool {
		return mode&0o100 != 0
	})
	if err != nil {
		return err
	}
	files = append(files, docker.File{Name: "entrypoint.sh", Mode: 0o755, Data: []byte(read("postgres/entrypoint.sh"))})
	return b.onBase(ctx, base, ref, docker.Recipe{
		Dockerfile: read("postgres/Dockerfile"), Files: files, Args: map[string]string{"MAJOR": strconv.Itoa(pin.Version.Major)},
	})
}
