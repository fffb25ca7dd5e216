package closedloop

import (
	"syscall"
	"testing"

	"github.com/faultline-lab/faultline/e2e/internal/looptest"
	"github.com/faultline-lab/faultline/e2e/stackrun"
)

// portOffset keeps the test's stack out of the way of one that runs on the default ports, and below the range from
// which the kernel takes ports for outgoing connections.
const portOffset = "11000"

func startStack(t *testing.T, root string) *stackrun.Handle {
	t.Helper()
	return looptest.Start(t, root, portOffset)
}

// alive says whether a process exists.
func alive(pid int) bool { return syscall.Kill(pid, 0) == nil }
