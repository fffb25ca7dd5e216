package control

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/faultline-lab/faultline/deploy/local/hostproc"
	"github.com/faultline-lab/faultline/deploy/local/internal/fakeservice"
	"github.com/faultline-lab/faultline/deploy/local/ports"
	"github.com/faultline-lab/faultline/deploy/local/process"
	"github.com/faultline-lab/faultline/deploy/local/supervisor"
	"github.com/faultline-lab/faultline/observability/telemetry"
)

func TestMain(m *testing.M) {
	fakeservice.ServeIfChild()
	os.Exit(m.Run())
}

// bound is how long a test waits for what has to come; it is no expectation.
const bound = 30 * time.Second

const token = "0123456789abcdef"

type nobody struct{}

func (nobody) Started(hostproc.ID, syscall.Signal) error { return nil }
func (nobody) Ended(hostproc.ID)                         {}

// stack is a running supervisor with one workload, orders, of real processes, behind its API.
type stack struct {
	url   string
	ports ports.Set
}

func startStack(t *testing.T) stack {
	t.Helper()
	return startTraced(t, startTelemetry(t, ""))
}

func startTelemetry(t *testing.T, tracesURL string) *telemetry.Telemetry {
	t.Helper()
	senses, err := telemetry.Start(t.Context(), telemetry.Config{
		Service: Service, Instance: Service, Version: Version, TracesURL: tracesURL,
	})
	if err != nil {
		t.Fatal(err)
	}
	return senses
}

func startTraced(t *testing.T, senses *telemetry.Telemetry) stack {
	t.Helper()
	set, err := ports.Free(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	launcher, err := process.NewLauncher(nobody{})
	if err != nil {
		t.Fatal(err)
	}
	address := func(ordinal int) string { return set.Address(ports.Orders(ordinal)) }
	overseer, err := supervisor.New(supervisor.Config{
		Parts: []supervisor.Part{{Name: "orders", Kind: supervisor.Service, Workload: &supervisor.Workload{
			Labels: map[string]string{"faultline.dev/autoheal": "enabled"}, Replicas: 2, Max: ports.MaxOrders,
			Version: "v1", Versions: map[string]string{"v1": "-", "v2": "-"}, Address: address,
			Spec: func(r supervisor.Replica) process.Spec { return fake(t, address(r.Ordinal)) },
		}}},
		Starter: launcher, NewID: uuid.NewString, StateDir: t.TempDir(), LogDir: t.TempDir(), Log: slog.New(slog.DiscardHandler),
		Traces: senses.TracerProvider(), Metrics: senses.MeterProvider(),
	})
	if err != nil {
		t.Fatal(err)
	}
	handler, err := New(Config{
		Supervisor: overseer, Token: token, Log: slog.New(slog.DiscardHandler), Telemetry: senses, Address: set.Address(ports.Control),
	})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(handler)
	t.Cleanup(func() {
		server.Close()
		ctx, cancel := context.WithTimeout(context.Background(), bound)
		defer cancel()
		if err := overseer.Stop(ctx); err != nil {
			t.Error(err)
		}
		launcher.Close()
	})
	ctx, cancel := context.WithTimeout(t.Context(), bound)
	defer cancel()
	if err := overseer.Start(ctx); err != nil {
		t.Fatal(err)
	}
	return stack{url: server.URL, ports: set}
}

func fake(t *testing.T, address string) process.Spec {
	path, args, env, err := fakeservice.Command(fakeservice.Options{Listen: address})
	if err != nil {
		t.Error(err)
	}
	return process.Spec{Path: path, Args: args, Env: env, Probe: process.HTTP("http://" + address + "/readyz")}
}

// call makes a request and returns status and body; with is the Authorization header.
func (s stack) call(t *testing.T, method, path, with, body string) (int, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, s.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if with != "" {
		request.Header.Set("Authorization", with)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	if got := response.Header.Get("Content-Type"); got != "application/json" {
		t.Errorf("%s %s: content type %q", method, path, got)
	}
	return response.StatusCode, string(answer)
}

func (s stack) orders(t *testing.T) supervisor.WorkloadView {
	t.Helper()
	var view supervisor.WorkloadView
	s.read(t, "/v1/workloads/orders", &view)
	return view
}

func (s stack) read(t *testing.T, path string, into any) {
	t.Helper()
	status, body := s.call(t, http.MethodGet, path, "", "")
	if status != http.StatusOK {
		t.Fatalf("GET %s: %d %s", path, status, body)
	}
	if err := json.Unmarshal([]byte(body), into); err != nil {
		t.Fatalf("GET %s: %v: %s", path, err, body)
	}
}

func (s stack) eventually(t *testing.T, what string, is func(supervisor.WorkloadView) bool) {
	t.Helper()
	for deadline := time.Now().Add(bound); !is(s.orders(t)); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("still not: %s", what)
		}
	}
}

const bearer = "Bearer " + token

func TestTheFormsOfTheContract(t *testing.T) {
	s := startStack(t)
	var list map[string][]map[string]any
	s.read(t, "/v1/workloads", &list)
	workload := list["workloads"][0]
	for _, key := range []string{"name", "labels", "desired", "max", "version", "versions", "replicas"} {
		if _, ok := workload[key]; !ok {
			t.Errorf("a workload has no %q: %v", key, workload)
		}
	}
	replica := workload["replicas"].([]any)[0].(map[string]any)
	for _, key := range []string{"id", "start_id", "state", "version", "address", "pid", "started_at", "ready_at", "restarts"} {
		if _, ok := replica[key]; !ok {
			t.Errorf("a replica has no %q: %v", key, replica)
		}
	}
	var groups []supervisor.TargetGroup
	s.read(t, "/v1/discovery?job=orders&ready=true", &groups)
	want := fmt.Sprintf("[{[%s] map[instance:orders-1 job:orders version:v1]} {[%s] map[instance:orders-2 job:orders version:v1]}]",
		s.ports.Address(ports.Orders(1)), s.ports.Address(ports.Orders(2)))
	if got := fmt.Sprint(groups); got != want {
		t.Errorf("discovery is\n%s, want\n%s", got, want)
	}
	var processes []map[string]any
	s.read(t, "/v1/processes", &processes)
	if len(processes) != 2 || processes[1]["name"] != "orders-2" || processes[1]["kind"] != "service" || processes[1]["state"] != "ready" {
		t.Errorf("processes: %v", processes)
	}
	if status, body := s.call(t, http.MethodGet, "/readyz", "", ""); status != http.StatusOK {
		t.Errorf("/readyz: %d %s", status, body)
	}
}

func TestMemoryIsThatOfEachProcess(t *testing.T) {
	s := startStack(t)
	if runtime.GOOS != "linux" {
		if status, _ := s.call(t, http.MethodGet, "/v1/memory", "", ""); status != http.StatusNotImplemented {
			t.Errorf("status %d, want 501", status)
		}
		return
	}
	var memory struct{ Processes []supervisor.MemoryView }
	s.read(t, "/v1/memory", &memory)
	if len(memory.Processes) != 2 {
		t.Fatalf("memory of %d processes, want 2", len(memory.Processes))
	}
	for _, m := range memory.Processes {
		if m.PSSBytes < 100<<10 || m.PSSBytes > 500<<20 {
			t.Errorf("%s has %d bytes", m.Name, m.PSSBytes)
		}
	}
}

func TestChangesAreRefusedWith(t *testing.T) {
	s := startStack(t)
	first := s.orders(t).Replicas[0]
	restart := "/v1/workloads/orders/replicas/orders-1/restart"
	for name, c := range map[string]struct {
		method, path, with, body string
		status                   int
		code                     string
	}{
		"401 without a token":                    {"PUT", "/v1/workloads/orders/scale", "", `{"replicas":1}`, 401, "unauthorized"},
		"401 with another token":                 {"PUT", "/v1/workloads/orders/scale", bearer + "0", `{"replicas":1}`, 401, "unauthorized"},
		"401 with the token but not as a bearer": {"PUT", "/v1/workloads/orders/scale", token, `{"replicas":1}`, 401, "unauthorized"},
		"404 for a workload there is not":        {"PUT", "/v1/workloads/order/scale", bearer, `{"replicas":1}`, 404, "not_found"},
		"404 for a replica there is not":         {"POST", "/v1/workloads/orders/replicas/orders-9/restart", bearer, `{"start_id":"x"}`, 404, "not_found"},
		"404 for a path there is not":            {"GET", "/v2/workloads", "", "", 404, "not_found"},
		"409 for another start id":               {"POST", restart, bearer, `{"start_id":"x"}`, 409, "conflict"},
		"400 for a restart without a start id":   {"POST", restart, bearer, `{}`, 400, "bad_request"},
		"400 for what is no JSON":                {"PUT", "/v1/workloads/orders/scale", bearer, `replicas=1`, 400, "bad_request"},
		"400 for an unknown key":                 {"PUT", "/v1/workloads/orders/scale", bearer, `{"replica":1}`, 400, "bad_request"},
		"400 for a scale without a number":       {"PUT", "/v1/workloads/orders/scale", bearer, `{}`, 400, "bad_request"},
		"400 for a time that is none":            {"PUT", "/v1/workloads/orders/scale", bearer, `{"replicas":1,"for":"soon"}`, 400, "bad_request"},
		"400 for a way back without a time":      {"PUT", "/v1/workloads/orders/scale", bearer, `{"replicas":1,"back_to":2}`, 400, "bad_request"},
		"422 for a time that is too long":        {"PUT", "/v1/workloads/orders/scale", bearer, `{"replicas":1,"for":"1h"}`, 422, "unprocessable"},
		"413 for a body without end":             {"PUT", "/v1/workloads/orders/scale", bearer, `{"replicas":` + strings.Repeat(" ", maxBody) + `1}`, 413, "too_large"},
		"422 for more replicas than there are":   {"PUT", "/v1/workloads/orders/scale", bearer, `{"replicas":9}`, 422, "unprocessable"},
		"422 for fewer than none":                {"PUT", "/v1/workloads/orders/scale", bearer, `{"replicas":-1}`, 422, "unprocessable"},
		"422 for a version there is not":         {"PUT", "/v1/workloads/orders/version", bearer, `{"version":"v3"}`, 422, "unprocessable"},
		"409 for wiping what runs":               {"DELETE", "/v1/workloads/orders/state", bearer, "", 409, "conflict"},
		"400 for ready=maybe":                    {"GET", "/v1/discovery?ready=maybe", "", "", 400, "bad_request"},
		"404 for the discovery of nothing":       {"GET", "/v1/discovery?job=order", "", "", 404, "not_found"},
	} {
		t.Run(name, func(t *testing.T) {
			status, body := s.call(t, c.method, c.path, c.with, c.body)
			var answer struct {
				Error struct{ Code, Message string }
			}
			if err := json.Unmarshal([]byte(body), &answer); err != nil {
				t.Fatalf("%v: %s", err, body)
			}
			if status != c.status || answer.Error.Code != c.code || answer.Error.Message == "" {
				t.Errorf("got %d %s", status, body)
			}
		})
	}
	if now := s.orders(t); now.Desired != 2 || now.Version != "v1" || now.Replicas[0].StartID != first.StartID {
		t.Errorf("a refused change had an effect: %+v", now)
	}
}

func TestARestartOverHTTPEndsExactlyTheChildThatWasMeant(t *testing.T) {
	s := startStack(t)
	before := s.orders(t).Replicas
	body := fmt.Sprintf(`{"start_id":%q}`, before[0].StartID)
	path := "/v1/workloads/orders/replicas/orders-1/restart"
	if status, answer := s.call(t, http.MethodPost, path, bearer, body); status != http.StatusAccepted {
		t.Fatalf("%d %s", status, answer)
	}
	s.eventually(t, "orders-1 is ready under a new start id", func(now supervisor.WorkloadView) bool {
		return now.Replicas[0].State == process.Ready && now.Replicas[0].StartID != before[0].StartID
	})
	if status, answer := s.call(t, http.MethodPost, path, bearer, body); status != http.StatusConflict {
		t.Errorf("the same again: %d %s", status, answer)
	}
	after := s.orders(t).Replicas
	if after[0].Address != before[0].Address || after[1].StartID != before[1].StartID {
		t.Errorf("before %+v\nafter %+v", before, after)
	}
}

func TestAScaleForATimeOverHTTPSaysWhenItEndsAndEnds(t *testing.T) {
	s := startStack(t)
	status, answer := s.call(t, http.MethodPut, "/v1/workloads/orders/scale", bearer, `{"replicas":3,"for":"1s","back_to":2}`)
	if status != http.StatusAccepted || !strings.Contains(answer, `"back_to":2`) || !strings.Contains(answer, `"desired_until":"`) {
		t.Fatalf("%d %s", status, answer)
	}
	s.eventually(t, "two are wanted again, and there are two", func(now supervisor.WorkloadView) bool {
		return now.Desired == 2 && len(now.Replicas) == 2 && now.Until == nil
	})
}

func TestAFreshStoreOverHTTP(t *testing.T) {
	s := startStack(t)
	change := func(method, path, body string) {
		t.Helper()
		if status, answer := s.call(t, method, path, bearer, body); status != http.StatusAccepted {
			t.Fatalf("%s %s: %d %s", method, path, status, answer)
		}
	}
	change(http.MethodPut, "/v1/workloads/orders/scale", `{"replicas":0}`)
	s.eventually(t, "no replica is left", func(now supervisor.WorkloadView) bool { return len(now.Replicas) == 0 })
	change(http.MethodDelete, "/v1/workloads/orders/state", "")
	change(http.MethodPut, "/v1/workloads/orders/version", `{"version":"v2"}`)
	change(http.MethodPut, "/v1/workloads/orders/scale", `{"replicas":1}`)
	s.eventually(t, "one replica of v2 is ready", func(now supervisor.WorkloadView) bool {
		return len(now.Replicas) == 1 && now.Replicas[0].State == process.Ready && now.Replicas[0].Version == "v2"
	})
}
