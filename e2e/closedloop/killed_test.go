package closedloop

import (
	"path/filepath"
	"syscall"
	"testing"

	"github.com/faultline-lab/faultline/e2e/internal/looptest"
	"github.com/faultline-lab/faultline/observability/endpoints"
)

func TestAKilledSupervisorLeavesNothingAndTheNextStartWorks(t *testing.T) {
	root := looptest.Root(t)
	stack := startStack(t, root)
	ours := looptest.Processes(t, stack.Stack)
	if len(ours) < 12 {
		t.Fatalf("only %d processes are listed: %+v", len(ours), ours)
	}

	if err := syscall.Kill(stack.Stack.PID, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	for _, process := range ours {
		looptest.WaitUntil(t, process.Name+" to end after its supervisor", func() bool { return !alive(process.PID) })
	}
	looptest.WaitUntil(t, "the file of the dead stack to go", func() bool {
		_, err := endpoints.Read(filepath.Join(root, endpoints.DefaultFile))
		return err != nil
	})

	again := startStack(t, root)
	if again.Stack.PID == stack.Stack.PID {
		t.Errorf("the second stack has the first one's pid %d", again.Stack.PID)
	}
}
