package runlock

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

const fileVariable = "FAULTLINE_TEST_LOCK"

func TestMain(m *testing.M) {
	path := os.Getenv(fileVariable)
	if path == "" {
		os.Exit(m.Run())
	}
	// Re-exec'd: another supervisor that takes the lock, says so, and holds it until it is killed.
	if _, err := Acquire(context.Background(), path, "the other one"); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println("held")
	time.Sleep(time.Hour)
}

func another(t *testing.T, path string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), fileVariable+"="+path)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	said := make([]byte, 4)
	if _, err := out.Read(said); err != nil || string(said) != "held" {
		t.Fatalf("it says %q (%v)", said, err)
	}
	return cmd
}

func TestASecondSupervisorIsToldWhoTheFirstIsAndWhatToDo(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	first := another(t, path)
	_, err := Acquire(t.Context(), path, "me")
	var held *HeldError
	if !errors.As(err, &held) || held.Holder.PID != first.Process.Pid || held.Holder.Command != "the other one" {
		t.Fatalf("got %v, want that process %d has it", err, first.Process.Pid)
	}
	for _, part := range []string{fmt.Sprint("process ", first.Process.Pid), "the other one", "stack down", "stack status"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("it does not say %q: %v", part, err)
		}
	}
	holder, isHeld, err := Current(path)
	if err != nil || !isHeld || holder != held.Holder || !holder.Alive() {
		t.Errorf("the look says %+v %v %v", holder, isHeld, err)
	}
}

func TestTheLockOfAKilledSupervisorIsFree(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	first := another(t, path)
	if err := first.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = first.Wait() // it was killed
	lock, err := Acquire(t.Context(), path, "me")
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := lock.Release(); err != nil {
			t.Error(err)
		}
	}()
	holder, held, err := Current(path)
	if err != nil || !held || holder.PID != os.Getpid() {
		t.Errorf("the look says %+v %v %v, want that we have it", holder, held, err)
	}
}

func TestWhileSomebodyCleansUpTheNextOneWaits(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	first := another(t, path)
	// A guard has the lock's file too. Here it is this process, by a second opening of the file.
	if err := first.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = first.Wait() // it was killed
	guard, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := flock(guard, syscall.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	got := make(chan error, 1)
	go func() {
		lock, err := Acquire(t.Context(), path, "me")
		if err == nil {
			err = lock.Release()
		}
		got <- err
	}()
	select {
	case err := <-got:
		t.Fatalf("it did not wait: %v", err)
	case <-time.After(100 * time.Millisecond):
	}
	if err := guard.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-got; err != nil {
		t.Error(err)
	}
}

func TestALookWhereNothingEverRanSaysThatNobodyHoldsTheLock(t *testing.T) {
	if _, held, err := Current(filepath.Join(t.TempDir(), "lock")); held || err != nil {
		t.Errorf("held %v, error %v", held, err)
	}
}

func TestALockThatItsHolderHasReleasedAndItsGuardStillHoldsIsHeldByNobodyAlive(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	lock, err := Acquire(t.Context(), path, "me")
	if err != nil {
		t.Fatal(err)
	}
	// The guard has the same open file, as a child inherits it.
	inherited, err := syscall.Dup(int(lock.File().Fd()))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = syscall.Close(inherited) }()
	if err := lock.Release(); err != nil {
		t.Fatal(err)
	}
	holder, held, err := Current(path)
	if err != nil || !held || holder.Alive() {
		t.Errorf("holder %+v, held %v, error %v; want held by nobody who lives", holder, held, err)
	}
}
