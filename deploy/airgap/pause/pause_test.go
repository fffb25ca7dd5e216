package pause

import (
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"strconv"
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
	cmd := exec.CommandContext(t.Context(), path)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(30 * time.Second); !catches(t, cmd.Process.Pid, syscall.SIGTERM); {
		if time.Now().After(deadline) {
			t.Fatal("it does not listen for SIGTERM")
		}
		time.Sleep(time.Millisecond)
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("it ended by %v", err)
	}
}

// catches reads whether a process handles a signal.
func catches(t *testing.T, pid int, sig syscall.Signal) bool {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	match := regexp.MustCompile(`SigCgt:\s*([0-9a-f]+)`).FindSubmatch(status)
	if match == nil {
		t.Fatal("its status has no SigCgt")
	}
	caught, err := strconv.ParseUint(string(match[1]), 16, 64)
	if err != nil {
		t.Fatal(err)
	}
	return caught>>(sig-1)&1 == 1
}
