package postgres

import (
	"context"
	"errors"
	"io"

	"github.com/faultline-lab/faultline/deploy/beside"
)

// URLVariable is where tests look for the superuser's URL of a throwaway server.
const URLVariable = "FAULTLINE_TEST_POSTGRES_URL"

// RunWith runs argv with the URL of a temporary server in its environment, and stops the server afterwards. It returns
// a *beside.ExitError when the command failed. When ctx ends, the command is asked to end, then made to.
func RunWith(ctx context.Context, opts Options, stdout, stderr io.Writer, argv []string) (err error) {
	cmd, err := beside.Command(argv)
	if err != nil {
		return err // before a server is started for nothing
	}
	server, err := Standalone(ctx, opts)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.Close()) }()

	cmd.Env = append(cmd.Env, URLVariable+"="+server.URL)
	cmd.Stdout, cmd.Stderr = stdout, stderr
	return beside.Run(ctx, cmd)
}
