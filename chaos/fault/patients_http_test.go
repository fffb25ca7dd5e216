package fault_test

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/faultline-lab/faultline/chaos/control"
	"github.com/faultline-lab/faultline/chaos/fault"
	"github.com/faultline-lab/faultline/chaos/internal/smallshop"
	"github.com/faultline-lab/faultline/observability/endpoints"
)

func importer(pool *pgxpool.Pool) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var part struct {
			Batch string `json:"batch"`
			Part  int    `json:"part"`
			Lines []struct {
				Customer string `json:"customer"`
				SKU      string `json:"sku"`
				Quantity int    `json:"quantity"`
			} `json:"lines"`
		}
		if err := json.NewDecoder(r.Body).Decode(&part); err != nil || part.Part < 1 || len(part.Lines) != 2 || part.Lines[1].SKU == "" {
			http.Error(w, "no such part", http.StatusBadRequest)
			return
		}
		_, err := pool.Exec(r.Context(), "INSERT INTO imports (batch, part) VALUES ($1, $2)", part.Batch, part.Part)
		if err == nil {
			_, err = pool.Exec(r.Context(), "INSERT INTO imported_lines VALUES ($1, $2)", part.Batch, part.Part)
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
		w.WriteHeader(http.StatusAccepted)
	})
}

func surgePatient(t *testing.T) patient {
	shop := smallshop.Open(t)
	return patient{stack: shop.Stack, workload: "orders", parameters: "{factor: 2.5}", sick: func(*testing.T) bool { return shop.Rate() != 40 }}
}

func TestARateThatSomebodyElseHasSetStays(t *testing.T) {
	shop := smallshop.Open(t)
	p := patient{stack: shop.Stack, workload: "orders", parameters: "{factor: 2.5}"}
	driver := p.open(t, "traffic-surge", "x")
	state := inject(t, driver).State
	change := func(body string) {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPut, shop.Stack.Endpoints.Loadgen+"/v1/rate", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := http.DefaultClient.Do(request); err != nil {
			t.Fatal(err)
		}
	}
	change(`{"checkouts_per_second":55}`)
	restore(t, driver, state)
	if shop.Rate() != 55 {
		t.Errorf("%d checkouts/s, want the 55 that somebody has set", shop.Rate())
	}
	change(`{"checkouts_per_second":60,"for":"1m"}`)
	if _, err := driver.Prepare(t.Context()); err == nil || !strings.Contains(err.Error(), "somebody asked for it") {
		t.Errorf("beside a surge of somebody else: %v", err)
	}
}

// supervised is a supervisor's control API with one workload.
type supervised struct {
	mu       sync.Mutex
	workload control.Workload
	asked    []string
}

func (s *supervised) serve(t *testing.T) endpoints.Stack {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/workloads", func(w http.ResponseWriter, _ *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		_ = json.NewEncoder(w).Encode(map[string]any{"workloads": []control.Workload{s.workload}})
	})
	mux.HandleFunc("PUT /v1/workloads/orders/version", func(w http.ResponseWriter, r *http.Request) {
		var body struct {
			Version string `json:"version"`
		}
		_ = json.NewDecoder(r.Body).Decode(&body)
		s.mu.Lock()
		defer s.mu.Unlock()
		s.asked = append(s.asked, body.Version)
		s.workload.Version = body.Version
		for i := range s.workload.Replicas { // one after the other, each for a moment
			time.AfterFunc(time.Duration(i+1)*30*time.Millisecond, func() { s.run(i, body.Version) })
		}
		w.WriteHeader(http.StatusAccepted)
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	token := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(token, []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	return endpoints.Stack{Target: endpoints.Local, Endpoints: endpoints.Endpoints{Control: server.URL}, ControlTokenFile: token}
}

func (s *supervised) run(replica int, version string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.workload.Replicas[replica].Version = version
	s.workload.Replicas[replica].StartID = uuid.NewString()
}

func (s *supervised) runs(version string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, replica := range s.workload.Replicas {
		if replica.Version == version {
			return true
		}
	}
	return s.workload.Version == version
}

func twoReplicas() *supervised {
	return &supervised{workload: control.Workload{Name: "orders", Desired: 2, Version: "v1", Versions: []string{"v1", "v2"}, Replicas: []control.Replica{
		{ID: "orders-1", StartID: "a", State: control.Ready, Version: "v1"}, {ID: "orders-2", StartID: "b", State: control.Ready, Version: "v1"},
	}}}
}

func releasePatient(t *testing.T) patient {
	s := twoReplicas()
	return patient{stack: s.serve(t), workload: "orders", parameters: "{version: v2}", sick: func(*testing.T) bool { return s.runs("v2") }}
}

func TestAReleaseThatSomebodyElseHasRolledBackIsLeftAlone(t *testing.T) {
	s := twoReplicas()
	p := patient{stack: s.serve(t), workload: "orders", parameters: "{version: v2}"}
	driver := p.open(t, "bad-release", "x")
	state := inject(t, driver).State
	s.mu.Lock()
	s.workload.Version = "v0"
	s.mu.Unlock()
	s.run(0, "v0")
	s.run(1, "v0")
	restore(t, driver, state)
	if s.runs("v1") || len(s.asked) != 1 {
		t.Errorf("asked for %v: the version that somebody chose was changed", s.asked)
	}
}

func TestAReleaseThatThereIsNotOrThatRunsAlreadyIsRefused(t *testing.T) {
	for version, want := range map[string]string{"v3": "there are: v1, v2", "v1": "already"} {
		s := twoReplicas()
		p := patient{stack: s.serve(t), workload: "orders", parameters: "{version: " + version + "}"}
		if _, err := p.open(t, "bad-release", "x").Prepare(t.Context()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", version, err)
		}
	}
}

// killPatient is a replica that is a real process, and started anew when it dies.
func killPatient(t *testing.T) patient {
	s := &supervised{workload: control.Workload{Name: "orders", Desired: 1, Replicas: []control.Replica{{ID: "orders-1"}}}}
	stack := s.serve(t)
	ending := make(chan struct{})
	ended := make(chan struct{})
	started := make(chan struct{}, 100)
	go func() {
		defer close(ended)
		for {
			process := exec.Command("sleep", "60")
			if err := process.Start(); err != nil {
				t.Error(err)
				return
			}
			s.mu.Lock()
			s.workload.Replicas[0] = control.Replica{ID: "orders-1", StartID: uuid.NewString(), State: control.Ready, PID: process.Process.Pid}
			s.mu.Unlock()
			started <- struct{}{}
			died := make(chan struct{})
			go func() { _ = process.Wait(); close(died) }()
			select {
			case <-ending:
				_ = process.Process.Kill()
				<-died
				return
			case <-died:
			}
			s.mu.Lock()
			s.workload.Replicas[0].State = control.Crashed
			s.mu.Unlock()
			time.Sleep(50 * time.Millisecond)
		}
	}()
	<-started
	t.Cleanup(func() { close(ending); <-ended })
	return patient{
		stack: stack, workload: "orders", parameters: "{}", passes: true,
		sick: func(*testing.T) bool {
			s.mu.Lock()
			defer s.mu.Unlock()
			return s.workload.Replicas[0].State != control.Ready
		},
	}
}

func TestAReplicaThatWasRestartedMeanwhileIsNotKilled(t *testing.T) {
	s := twoReplicas()
	bystander := exec.Command("sleep", "60")
	if err := bystander.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = bystander.Process.Kill(); _ = bystander.Wait() }()
	s.workload.Replicas[0].PID, s.workload.Replicas[1].PID = bystander.Process.Pid, bystander.Process.Pid
	p := patient{stack: s.serve(t), workload: "orders", parameters: "{}"}
	driver := p.open(t, "process-kill", "x")
	prepared := prepare(t, driver)
	s.run(0, "v1")
	s.run(1, "v1")
	if _, err := driver.Inject(t.Context(), prepared); err == nil || !strings.Contains(err.Error(), "restarted meanwhile") {
		t.Errorf("got %v", err)
	}
	if err := bystander.Process.Signal(os.Signal(nil)); err == nil && bystander.ProcessState != nil {
		t.Error("the bystander is dead")
	}
}

func TestTheSeedChoosesTheReplica(t *testing.T) {
	s := twoReplicas()
	s.workload.Replicas[0].PID, s.workload.Replicas[1].PID = 1, 2
	stack := s.serve(t)
	chosen := map[string]int{}
	for seed := range int64(20) {
		for range 2 {
			driver, err := fault.Open(experimentFor(t, "process-kill", "orders", "{}"),
				fault.Environment{Stack: stack, Metrics: known{}, ID: "x", Seed: seed, TTL: time.Minute})
			if err != nil {
				t.Fatal(err)
			}
			chosen[fmt.Sprint(seed, string(prepare(t, driver)))]++
		}
	}
	if len(chosen) != 20 {
		t.Errorf("chosen %v: the same seed gives different replicas", chosen)
	}
	if text := fmt.Sprint(chosen); !strings.Contains(text, "orders-1") || !strings.Contains(text, "orders-2") {
		t.Errorf("chosen %v: every seed gives the same replica", chosen)
	}
}

// provider is payments, as far as its latency goes.
type provider struct {
	mu    sync.Mutex
	extra int64
	until time.Time
}

func (p *provider) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if r.Method == http.MethodPut {
		var body struct {
			Extra int64  `json:"extra_ms"`
			For   string `json:"for"`
		}
		_ = json.NewDecoder(r.Body).Decode(&body)
		period, err := time.ParseDuration(body.For)
		if body.Extra != 0 && (err != nil || period > 15*time.Minute) {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		p.extra, p.until = body.Extra, time.Now().Add(period)
	}
	_ = json.NewEncoder(w).Encode(map[string]int64{"extra_ms": p.now()})
}

func (p *provider) now() int64 {
	if time.Now().Before(p.until) {
		return p.extra
	}
	return 0
}

func downstreamPatient(t *testing.T) patient {
	payments := &provider{}
	server := httptest.NewServer(payments)
	t.Cleanup(server.Close)
	s := &supervised{workload: control.Workload{Name: "payments", Desired: 1, Replicas: []control.Replica{
		{ID: "payments-1", State: control.Ready, Address: strings.TrimPrefix(server.URL, "http://")},
	}}}
	return patient{
		stack: s.serve(t), workload: "payments", parameters: "{extra: 300ms}",
		sick: func(*testing.T) bool {
			payments.mu.Lock()
			defer payments.mu.Unlock()
			return payments.now() != 0
		},
	}
}

func TestALatencyThatSomebodyElseHasAskedForStays(t *testing.T) {
	p := downstreamPatient(t)
	p.parameters = "{extra: 200ms}"
	state := inject(t, p.open(t, "slow-downstream", "x")).State
	p.parameters = "{extra: 300ms}"
	if _, err := p.open(t, "slow-downstream", "y").Prepare(t.Context()); err == nil || !strings.Contains(err.Error(), "200 ms slower already") {
		t.Errorf("beside another: %v", err)
	}
	restore(t, p.open(t, "slow-downstream", "y"), fault.State(`{"extra_ms":300}`))
	if !p.sick(t) {
		t.Error("somebody else's latency is gone")
	}
	restore(t, p.open(t, "slow-downstream", "x"), state)
	well(t, p)
}

// networkPatient is a real Toxiproxy before a server that echoes.
func networkPatient(t *testing.T) patient {
	api, proxy := toxiproxy(t)
	return patient{
		stack: endpoints.Stack{Endpoints: endpoints.Endpoints{Toxiproxy: api}}, workload: "orders", parameters: "{toxic: latency, latency: 60ms}",
		sick: func(t *testing.T) bool {
			took, err := roundTrip(t, proxy)
			return err != nil || took >= 120*time.Millisecond
		},
	}
}

func TestTheNetworkIsPartitionedResetOrSlowAndComesBack(t *testing.T) {
	for parameters, hurt := range map[string]func(time.Duration, error) bool{
		"{toxic: latency, latency: 60ms, jitter: 10ms}": func(took time.Duration, err error) bool {
			return err == nil && took >= 100*time.Millisecond && took < time.Second
		},
		"{toxic: partition}": func(_ time.Duration, err error) bool { return err != nil && os.IsTimeout(err) },
		"{toxic: reset}":     func(_ time.Duration, err error) bool { return err != nil && !os.IsTimeout(err) },
	} {
		t.Run(parameters, func(t *testing.T) {
			p := networkPatient(t)
			p.parameters = parameters
			driver := p.open(t, "network", uuid.NewString())
			proxy := proxyAddress(t, p.stack.Endpoints.Toxiproxy)
			state := inject(t, driver).State
			if took, err := roundTrip(t, proxy); !hurt(took, err) {
				t.Errorf("%s, %v", took, err)
			}
			restore(t, driver, state)
			well(t, p)
		})
	}
}

func TestAToxicOfSomebodyElseStays(t *testing.T) {
	p := networkPatient(t)
	post(t, p.stack.Endpoints.Toxiproxy+"/proxies/orders-db/toxics",
		`{"name":"somebody","type":"latency","stream":"upstream","attributes":{"latency":150}}`)
	driver := p.open(t, "network", uuid.NewString())
	restore(t, driver, inject(t, driver).State)
	if took, err := roundTrip(t, proxyAddress(t, p.stack.Endpoints.Toxiproxy)); err != nil || took < 150*time.Millisecond {
		t.Errorf("%s, %v: somebody else's toxic is gone", took, err)
	}
}

func TestAProxyThatThereIsNotIsRefused(t *testing.T) {
	p := networkPatient(t)
	p.workload = "storefront"
	if _, err := p.open(t, "network", "x").Prepare(t.Context()); err == nil || !strings.Contains(err.Error(), "proxy not found") {
		t.Errorf("got %v", err)
	}
}

// roundTrip sends a word through the proxy and waits for its echo.
func roundTrip(t *testing.T, address string) (time.Duration, error) {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(time.Second)); err != nil {
		t.Fatal(err)
	}
	begun := time.Now()
	if _, err := conn.Write([]byte("ping")); err != nil {
		return 0, err
	}
	_, err = conn.Read(make([]byte, 4))
	return time.Since(begun), err
}
