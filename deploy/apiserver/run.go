package apiserver

import (
	"context"
	"errors"
	"io"

	"github.com/faultline-lab/faultline/deploy/beside"
)

// KubeconfigVariable is where tests look for the kubeconfig of a throwaway API server.
const KubeconfigVariable = "FAULTLINE_TEST_KUBECONFIG"

// RunWith runs argv with the kubeconfig of a throwaway API server in its environment, and ends the server afterwards. It
// returns a *beside.ExitError when the command failed. When ctx ends, the command is asked to end, then made to.
func RunWith(ctx context.Context, opts Options, stdout, stderr io.Writer, argv []string) (err error) {
	cmd, err := beside.Command(argv)
	if err != nil {
		return err
	}
	server, err := Standalone(ctx, opts)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.Close()) }()
	cmd.Env = append(cmd.Env, KubeconfigVariable+"="+server.Kubeconfig)
	cmd.Stdout, cmd.Stderr = stdout, stderr
	return beside.Run(ctx, cmd)
}
