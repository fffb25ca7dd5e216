package hostproc

import (
	"errors"
	"net"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"syscall"
	"testing"
)

func TestAProcessIsIdentifiedUntilItHasEnded(t *testing.T) {
	cmd := exec.Command("sleep", "60")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	id, err := Identify(cmd.Process.Pid)
	if err != nil || !id.Alive() {
		t.Fatalf("%+v: %v", id, err)
	}
	other := ID{PID: id.PID, Start: id.Start + "1"}
	if other.Alive() || !errors.Is(other.Signal(syscall.SIGKILL), ErrGone) {
		t.Error("a process of the same pid but another start time is taken for this one")
	}
	if err := id.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	// Until Wait it is a zombie, which is gone as well.
	for id.Alive() {
		runtime.Gosched()
	}
	_ = cmd.Wait() // it was killed
	if _, err := Identify(id.PID); !errors.Is(err, ErrGone) {
		t.Errorf("got %v, want that it is gone", err)
	}
}

func TestAMarkedProcessIsFoundByItsEnvironment(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux shows the environment of processes")
	}
	mark := "FAULTLINE_TEST_MARK=" + t.TempDir()
	cmd := exec.Command("sleep", "60")
	cmd.Env = []string{"A=b", mark}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}()
	id, err := Identify(cmd.Process.Pid)
	if err != nil {
		t.Fatal(err)
	}
	if found := WithEnv(mark); !slices.Equal(found, []ID{id}) {
		t.Errorf("found %v, want %v", found, id)
	}
	if found := WithEnv(mark + "x"); len(found) > 0 {
		t.Errorf("found %v for another mark", found)
	}
}

func TestTheListenerOnAPortIsFound(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux tells who listens")
	}
	for _, address := range []string{"127.0.0.1:0", "[::1]:0", ":0"} {
		listener, err := net.Listen("tcp", address)
		if err != nil {
			t.Logf("%s: %v", address, err) // a machine without IPv6
			continue
		}
		pid, command, ok := Listener(listener.Addr().(*net.TCPAddr).Port)
		if !ok || pid != os.Getpid() || command == "" {
			t.Errorf("%s: %d %q %v, want this process, %d", address, pid, command, ok, os.Getpid())
		}
		port := listener.Addr().(*net.TCPAddr).Port
		_ = listener.Close()
		if pid, _, ok := Listener(port); ok {
			t.Errorf("%s: process %d is said to listen on a closed port", address, pid)
		}
	}
}

func TestMemoryIsTold(t *testing.T) {
	size, err := FamilyMemory(os.Getpid())
	if runtime.GOOS != "linux" {
		if !errors.Is(err, ErrUnsupported) {
			t.Errorf("got %v, want that it is not supported", err)
		}
		return
	}
	own, ownErr := Memory(os.Getpid())
	if err != nil || ownErr != nil || own < 1<<20 || size < own/2 {
		t.Errorf("own %d (%v), with family %d (%v)", own, ownErr, size, err)
	}
}
