package abuse

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/faultline-lab/faultline/e2e/internal/ward"
)

// second starts another healer as the first one was started, with some flags of its own, and returns where it answers. It ends
// with the test.
func (l lab) second(t *testing.T, own ...string) (url string) {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	_ = listener.Close()
	own = append(own, "--listen="+address, "--instance=autoheal-2")
	command := l.Command(t)
	var args []string
	for _, argument := range command[1:] {
		if !replaced(argument, own) {
			args = append(args, argument)
		}
	}
	healer := exec.CommandContext(t.Context(), command[0], append(args, own...)...)
	healer.Env = l.Environment(t)
	log, err := os.Create(filepath.Join(t.TempDir(), "second.log"))
	if err != nil {
		t.Fatal(err)
	}
	healer.Stdout, healer.Stderr = log, log
	if err := healer.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = healer.Process.Signal(syscall.SIGTERM)
		_ = healer.Wait()
		if text, err := os.ReadFile(log.Name()); err == nil && t.Failed() {
			t.Logf("the second healer said:\n%s", text)
		}
	})
	url = "http://" + address
	l.Await(t, "the second healer", 30*time.Second, func() error {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url+"/readyz", nil)
		if err != nil {
			return err
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			return err
		}
		_ = response.Body.Close()
		if response.StatusCode != http.StatusOK {
			return fmt.Errorf("it is not ready: %s", response.Status)
		}
		return nil
	})
	return url
}

// replaced says whether one of the flags is given anew.
func replaced(argument string, own []string) bool {
	name, _, ok := strings.Cut(argument, "=")
	for _, flag := range own {
		if ok && strings.HasPrefix(flag, name+"=") {
			return true
		}
	}
	return false
}

// Two healers on one file, as a supervisor that has lost count would run them. Both see every incident.
func TestTwoHealersOnOneStoreHaveOneEffectForEachStep(t *testing.T) {
	l := open(t)
	l.choose(t, usual)
	l.fresh(t)
	l.second(t)
	l.Inject(t, "connection-leak", 3, window)
	l.checkEnd(t, nil, false)
	for replica, restarts := range l.Restarts(t, l.Since) {
		if restarts > 1 {
			t.Errorf("%s was restarted %d times by two healers", replica, restarts)
		}
	}
}

// A healer whose disk is full says so to Alertmanager, which asks again; what it has acknowledged it keeps.
func TestAFullDiskIsAnsweredWith503AndLosesNothing(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root can mount the small disk that this test fills: run it as root")
	}
	l := open(t)
	l.fresh(t)
	disk := t.TempDir()
	if err := syscall.Mount("tmpfs", disk, "tmpfs", 0, "size=2m"); err != nil {
		t.Skipf("a small disk cannot be mounted here (%v): nothing was tested", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(disk, syscall.MNT_DETACH) })
	url := l.second(t, "--store="+filepath.Join(disk, "autoheal.db"))
	told := map[string]bool{}
	full := false
	for i := 0; i < 200 && !full; i++ {
		alerts := flood(100, time.Now().UTC())
		for n := range alerts {
			alerts[n].Fingerprint = fmt.Sprintf("disk-%03d-%03d", i, n)
		}
		status, err := l.Post(t, url, alerts...)
		switch {
		case err != nil:
			t.Fatal(err)
		case status/100 == 2:
			for _, alert := range alerts {
				told[alert.Fingerprint] = true
			}
		case status == http.StatusServiceUnavailable:
			full = true
		default:
			t.Fatalf("a full disk was answered %d", status)
		}
	}
	if !full {
		t.Fatal("the disk never became full")
	}
	t.Logf("%d alerts were acknowledged before the disk was full", len(told))
	if err := syscall.Mount("tmpfs", disk, "tmpfs", syscall.MS_REMOUNT, "size=64m"); err != nil {
		t.Fatal(err)
	}
	l.Await(t, "the healer to take alerts again", time.Minute, func() error {
		status, err := l.Post(t, url, flood(1, time.Now().UTC())...)
		if err == nil && status/100 != 2 {
			err = fmt.Errorf("it answered %d", status)
		}
		return err
	})
	l.keptAt(t, filepath.Join(disk, "autoheal.db"), told)
}

// keptAt holds what was acknowledged against another healer's file.
func (l lab) keptAt(t *testing.T, file string, told map[string]bool) {
	t.Helper()
	other := &ward.Ward{Root: l.Root, Stack: l.Stack, Control: l.Control}
	other.Read(t, file)
	l.Await(t, "every acknowledged alert to be on disk", time.Minute, func() error {
		waiting, err := other.Waiting(t.Context())
		if err == nil && len(waiting) > 0 {
			err = fmt.Errorf("%d wait for an incident", len(waiting))
		}
		return err
	})
	other.CheckKept(t, told, other.AwaitEnd(t))
}
