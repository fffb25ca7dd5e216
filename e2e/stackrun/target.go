package stackrun

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/faultline-lab/faultline/observability/endpoints"
)

// Auto leaves the choice of the target to Choose.
const Auto = "auto"

// Choose says which target a study takes, and why, in a sentence. Auto takes the stack that runs in the checkout already;
// else kind, where a Docker engine answers and the node image is there or can be pulled; else local processes.
func Choose(ctx context.Context, root, asked string) (target, why string, err error) {
	if asked != Auto {
		return asked, "as asked", nil
	}
	file := filepath.Join(root, endpoints.DefaultFile)
	if stack, err := endpoints.Read(file); err == nil && (stack.Target == endpoints.Kind || runs(root, stack)) {
		return stack.Target, "this checkout has one already", nil
	}
	output, err := exec.CommandContext(ctx, binary(root), "--root="+root, "kind", "possible").CombinedOutput()
	reason := strings.TrimPrefix(strings.TrimSpace(string(output)), "stack: ")
	refused, no := errors.AsType[*exec.ExitError](err)
	switch {
	case err == nil:
		return endpoints.Kind, reason, nil
	case no && refused.ExitCode() == 1 && reason != "":
		return endpoints.Local, reason, nil
	case ctx.Err() != nil:
		return "", "", ctx.Err()
	default:
		return "", "", fmt.Errorf("asking whether a kind cluster is possible: %w: run `make build` first, or give --target", err)
	}
}

// binary is the stack command.
func binary(root string) string { return filepath.Join(root, ".faultline", "bin", "stack") }
