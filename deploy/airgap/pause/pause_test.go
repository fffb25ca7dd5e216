package pause

import (
	"os/exec"
	"runtime"
	"syscall"
	"testing"
	"time"
)

func TestItGoesInOrderWhenItIsTold(t *testing.T) {
	path, err := Build(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if runtime.GOOS != "linux" {
		t.Skip("NOT TESTED: pause is a program for Linux")
	}
	// When it has begun to listen cannot be seen from outside (Go's runtime catches every signal from the start), so it is
	// given more time at each try. One that never listens ends by the signal every time.
	var ended error
	for patience := 5 * time.Millisecond; patience < 10*time.Second; patience *= 2 {
		cmd := exec.CommandContext(t.Context(), path)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(patience)
		if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		if ended = cmd.Wait(); ended == nil {
			return
		}
	}
	t.Errorf("it ended by %v", ended)
}
