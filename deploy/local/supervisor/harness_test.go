package supervisor

import (
	"context"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/faultline-lab/faultline/deploy/local/hostproc"
	"github.com/faultline-lab/faultline/deploy/local/internal/fakeservice"
	"github.com/faultline-lab/faultline/deploy/local/ports"
	"github.com/faultline-lab/faultline/deploy/local/process"
)

func TestMain(m *testing.M) {
	fakeservice.ServeIfChild()
	os.Exit(m.Run())
}

// bound is how long a test waits for what has to come; it is no expectation.
const bound = 30 * time.Second

type nobody struct{}

func (nobody) Started(hostproc.ID, syscall.Signal) error { return nil }
func (nobody) Ended(hostproc.ID)                         {}

func noTask(context.Context) error { return nil }

// history records the progress of the parts.
type history struct {
	mu    sync.Mutex
	lines []string
}

func (h *history) add(p Progress) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.lines = append(h.lines, p.Part+" "+string(p.Phase))
}

// before says whether both lines are there, the first one earlier.
func (h *history) before(first, second string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	at := map[string]int{}
	for i, line := range h.lines {
		at[line] = i + 1
	}
	return at[first] > 0 && at[second] > at[first]
}

// service is a spec of a fake service; the supervisor sets its name and log.
func service(t *testing.T, options fakeservice.Options) process.Spec {
	t.Helper()
	path, args, env, err := fakeservice.Command(options)
	if err != nil {
		t.Fatal(err)
	}
	return process.Spec{
		Name: "set by the supervisor", LogFile: "set by the supervisor",
		Path: path, Args: args, Env: env, StopTimeout: 2 * time.Second,
		Probe: process.HTTP("http://" + options.Listen + "/readyz"),
	}
}

// workloadOn is a workload of fake services on the ports of orders. Version v1 is ready at once, slow after a moment, and
// broken never lives.
func workloadOn(t *testing.T, set ports.Set, replicas int) *Workload {
	t.Helper()
	address := func(ordinal int) string { return set.Address(ports.Orders(ordinal)) }
	return &Workload{
		Labels: map[string]string{"faultline.dev/autoheal": "enabled"}, Replicas: replicas, Max: ports.MaxOrders,
		Version: "v1", Versions: map[string]string{"v1": "-", "slow": "-", "broken": "-"}, Address: address,
		Spec: func(r Replica) process.Spec {
			options := fakeservice.Options{Listen: address(r.Ordinal), Say: "version " + r.Version}
			switch r.Version {
			case "slow":
				options.ReadyAfter = 300 * time.Millisecond
			case "broken":
				options.ExitCode = 7
			}
			return service(t, options)
		},
	}
}

func fakeWorkload(replicas, most int, version string) *Workload {
	return &Workload{
		Replicas: replicas, Max: most, Version: version, Versions: map[string]string{"v1": "-"},
		Address: func(int) string { return "" }, Spec: func(Replica) process.Spec { return process.Spec{} },
	}
}

func freePorts(t *testing.T) ports.Set {
	t.Helper()
	set, err := ports.Free(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// underTest is a supervisor that is stopped when the test ends, or before.
type underTest struct {
	*Supervisor
	stop func()
}

func prepared(t *testing.T, record *history, parts ...Part) underTest {
	t.Helper()
	launcher, err := process.NewLauncher(nobody{})
	if err != nil {
		t.Fatal(err)
	}
	s, err := New(Config{
		Parts: parts, Starter: launcher, NewID: uuid.NewString, StateDir: t.TempDir(), LogDir: t.TempDir(),
		Progress: record.add, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	stop := sync.OnceFunc(func() {
		ctx, cancel := context.WithTimeout(context.Background(), bound)
		defer cancel()
		if err := s.Stop(ctx); err != nil {
			t.Error(err)
		}
		launcher.Close()
	})
	t.Cleanup(stop)
	return underTest{s, stop}
}

func started(t *testing.T, parts ...Part) underTest {
	t.Helper()
	s := prepared(t, &history{}, parts...)
	ctx, cancel := context.WithTimeout(t.Context(), bound)
	defer cancel()
	if err := s.Start(ctx); err != nil {
		t.Fatal(err)
	}
	return s
}

func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(bound); !is(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("still not: %s", what)
		}
	}
}

func answers(address string) bool {
	response, err := http.Get("http://" + address + "/readyz")
	if err != nil {
		return false
	}
	_ = response.Body.Close()
	return response.StatusCode == http.StatusOK
}

func orders(t *testing.T, s underTest) WorkloadView {
	t.Helper()
	view, err := s.Workload("orders")
	if err != nil {
		t.Fatal(err)
	}
	return view
}

// states writes a workload's replicas as "orders-1:ready:v1 orders-2:...".
func states(w WorkloadView) string {
	var all []string
	for _, r := range w.Replicas {
		all = append(all, r.ID+":"+string(r.State)+":"+r.Version)
	}
	return strings.Join(all, " ")
}
