package beside

import (
	"bufio"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// helperVariable makes the test binary act as a program with a server, so that a test can kill it. Its value is the
// prefix of the folder.
const helperVariable = "FAULTLINE_TEST_BESIDE"

func TestMain(m *testing.M) {
	prefix := os.Getenv(helperVariable)
	if prefix == "" {
		os.Exit(m.Run())
	}
	folder, err := NewFolder(prefix)
	if err != nil {
		os.Exit(70)
	}
	server, err := Start(folder.Path, "sleeper", "/bin/sh", "-c", "sleep 300")
	if err != nil {
		os.Exit(71)
	}
	_, _ = os.Stdout.WriteString(strconv.Itoa(server.cmd.Process.Pid) + " " + folder.Path + "\n")
	<-server.Exited()
}

func TestAServerSaysItsLastWords(t *testing.T) {
	server, err := Start(t.TempDir(), "talker", "/bin/sh", "-c", "echo no room on the disk >&2")
	if err != nil {
		t.Fatal(err)
	}
	<-server.Exited()
	cause := errors.New("it ended")
	if err := server.Explain(cause); !errors.Is(err, cause) || !strings.Contains(err.Error(), "talker said last:\n  no room on the disk") {
		t.Errorf("got %v", err)
	}
	server.Kill() // of one that has gone, returns
}

func TestAServerThatIsNotThereDoesNotStart(t *testing.T) {
	if _, err := Start(t.TempDir(), "nobody", "/there/is/no/such/program"); err == nil || !strings.Contains(err.Error(), "start nobody") {
		t.Errorf("got %v", err)
	}
}

func TestAKilledParentTakesItsServerAlongAndTheNextOneSweeps(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("NOT TESTED: only Linux tells a child of its parent's death")
	}
	prefix := "faultline-beside-test-" + strconv.Itoa(os.Getpid()) + "-"
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), helperVariable+"="+prefix)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	text, left, _ := strings.Cut(strings.TrimSpace(line), " ")
	pid, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	second, err := NewFolder(prefix) // while the first maker lives
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(left); err != nil {
		t.Errorf("a folder was swept while its maker lives: %v", err)
	}
	if err := errors.Join(cmd.Process.Kill(), second.Remove()); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // it was killed
	for deadline := time.Now().Add(30 * time.Second); running(pid); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the server outlives its parent")
		}
	}
	third, err := NewFolder(prefix)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(left); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%s is still there: %v", left, err)
	}
	if err := third.Remove(); err != nil {
		t.Error(err)
	}
	if rest, _ := filepath.Glob(filepath.Join(os.TempDir(), prefix+"*")); len(rest) > 0 { //nolint:usetesting // the system's folder is where NewFolder puts them
		t.Errorf("left behind: %v", rest)
	}
}

// running says whether a process is there that is not only waiting to be reaped.
func running(pid int) bool {
	if syscall.Kill(pid, 0) != nil {
		return false
	}
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	return err == nil && !strings.Contains(string(stat), ") Z ")
}
