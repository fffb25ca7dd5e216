package postgrescontainer

import (
	"context"
	"errors"
	"io"

	"github.com/faultline-lab/faultline/deploy/beside"
	"github.com/faultline-lab/faultline/deploy/local/postgres"
)

// RunWith runs argv with the URL of a temporary server in its environment, as postgres.RunWith does, only that the server
// is a container.
func RunWith(ctx context.Context, opts Options, stdout, stderr io.Writer, argv []string) (err error) {
	cmd, err := beside.Command(argv)
	if err != nil {
		return err // before a server is started for nothing
	}
	server, err := Start(ctx, opts)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.Close()) }()

	cmd.Env = append(cmd.Env, postgres.URLVariable+"="+server.URL)
	cmd.Stdout, cmd.Stderr = stdout, stderr
	return beside.Run(ctx, cmd)
}
