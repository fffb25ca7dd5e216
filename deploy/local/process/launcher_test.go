package process

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/faultline-lab/faultline/deploy/local/hostproc"
	"github.com/faultline-lab/faultline/deploy/local/internal/fakeservice"
)

func TestMain(m *testing.M) {
	fakeservice.ServeIfChild()
	os.Exit(m.Run())
}

// bound is how long a test waits for what has to come; it is no expectation.
const bound = 30 * time.Second

// register records what a launcher says.
type register struct {
	mu      sync.Mutex
	running map[hostproc.ID]syscall.Signal
}

func (r *register) Started(id hostproc.ID, death syscall.Signal) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.running[id] = death
	return nil
}

func (r *register) Ended(id hostproc.ID) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.running, id)
}

func (r *register) count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.running)
}

// fake returns a process of the fake service, and who it is registered with.
func fake(t *testing.T, options fakeservice.Options) (*Process, *register) {
	t.Helper()
	path, args, env, err := fakeservice.Command(options)
	if err != nil {
		t.Fatal(err)
	}
	registered := &register{running: map[hostproc.ID]syscall.Signal{}}
	launcher, err := NewLauncher(registered)
	if err != nil {
		t.Fatal(err)
	}
	probe := func(context.Context) error { return nil }
	if options.Listen != "" {
		probe = HTTP("http://" + options.Listen + "/readyz")
	}
	p, err := New(Config{
		Spec: Spec{
			Name: "fake", Path: path, Args: args, Env: env, Probe: probe, StopTimeout: time.Second,
			LogFile: filepath.Join(t.TempDir(), "fake.log"),
		},
		Starter: launcher, NewID: uuid.NewString,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		stopAndClose(t, p)
		launcher.Close()
	})
	return p, registered
}

func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

func start1(t *testing.T, p *Process) Status {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), bound)
	defer cancel()
	if err := errors.Join(p.Start(), p.AwaitReady(ctx, 1)); err != nil {
		t.Fatal(err)
	}
	return p.Status()
}

func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(bound); !is(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("still not: %s", what)
		}
	}
}

func TestARealServiceStartsAnswersAndEndsInOrder(t *testing.T) {
	address := freeAddress(t)
	p, registered := fake(t, fakeservice.Options{Listen: address, ReadyAfter: 100 * time.Millisecond, Say: "hello"})
	status := start1(t, p)
	group, err := syscall.Getpgid(status.PID)
	if err != nil || group != status.PID {
		t.Errorf("it is in group %d (%v), want one of its own, %d", group, err, status.PID)
	}
	if registered.count() != 1 {
		t.Errorf("%d registered children, want 1", registered.count())
	}
	if err := p.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	log, err := os.ReadFile(p.LogFile())
	if err != nil || string(log) != "hello\nended in order\n" {
		t.Errorf("the log is %q (%v)", log, err)
	}
	if registered.count() != 0 {
		t.Error("it is still registered after its end")
	}
}

func TestARealServiceThatIsKilledComesBackOnTheSamePort(t *testing.T) {
	address := freeAddress(t)
	p, _ := fake(t, fakeservice.Options{Listen: address})
	before := start1(t, p)
	if err := syscall.Kill(before.PID, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	eventually(t, "a new start that is ready", func() bool {
		now := p.Status()
		return now.State == Ready && now.StartID != before.StartID
	})
	if now := p.Status(); now.Restarts != 1 || now.PID == before.PID {
		t.Errorf("status %+v", now)
	}
	response, err := http.Get("http://" + address + "/readyz")
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
}

func TestAServiceThatIgnoresTheStopSignalIsKilled(t *testing.T) {
	p, _ := fake(t, fakeservice.Options{Listen: freeAddress(t), IgnoreTERM: true})
	status := start1(t, p)
	if err := p.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := hostproc.Identify(status.PID); !errors.Is(err, hostproc.ErrGone) {
		t.Errorf("process %d: %v, want that it is gone", status.PID, err)
	}
	if end := p.Status().LastEnd; !strings.Contains(end, "killed") {
		t.Errorf("it ended so: %s", end)
	}
}

func TestNothingIsInheritedFromTheEnvironment(t *testing.T) {
	t.Setenv("FAULTLINE_SECRET", "leaked")
	address := freeAddress(t)
	p, _ := fake(t, fakeservice.Options{Listen: address})
	start1(t, p)
	response, err := http.Get("http://" + address + "/env")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil || strings.TrimSpace(string(body)) != "[FAULTLINE_FAKE_SERVICE=1]" {
		t.Errorf("the environment is %s (%v)", body, err)
	}
}

func TestABinaryThatIsNotThereIsSaidSo(t *testing.T) {
	launcher, err := NewLauncher(&register{running: map[hostproc.ID]syscall.Signal{}})
	if err != nil {
		t.Fatal(err)
	}
	defer launcher.Close()
	_, err = launcher.Start(Spec{Path: "/no/such/binary", LogFile: filepath.Join(t.TempDir(), "x.log")})
	if !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v, want that there is no such file", err)
	}
}

func TestTheFamilyOfAProcessHoldsDescendantsOfOtherGroups(t *testing.T) {
	file := filepath.Join(t.TempDir(), "pid")
	p, _ := fake(t, fakeservice.Options{Listen: freeAddress(t), Grandchild: file})
	status := start1(t, p)
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	grandchild, err := strconv.Atoi(string(data))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Kill(grandchild, syscall.SIGKILL) })
	pids := map[int]bool{}
	for _, id := range hostproc.Family(status.PID) {
		pids[id.PID] = id.Alive()
	}
	if len(pids) != 2 || !pids[status.PID] || !pids[grandchild] {
		t.Errorf("the family of %d is %v, want it and %d", status.PID, pids, grandchild)
	}
}
