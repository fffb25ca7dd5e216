package smallshop

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/faultline-lab/faultline/chaos/sli"
	"github.com/faultline-lab/faultline/observability/endpoints"
)

// PoolMax is the size of each replica's pool.
const PoolMax = 4

// token is what the control API wants for changes.
const token = "small-shop"

// Shop is a running one. Tests change its exported switches while it runs, under Lock.
type Shop struct {
	sync.Mutex
	// Mended shops release the connection of a refused order too.
	Mended bool
	// Metrics maps a PromQL expression to its values; any other expression gives no series.
	Metrics map[string][]float64

	StackFile string
	Stack     endpoints.Stack

	database string
	replicas []*replica
	next     int
	seconds  []sli.Second
	restarts []string
	hurt     bool // a connection was lost in this second
	rates    rates

	traceParents map[string]string // by path
}

// PostgresURL is the throwaway server that the tests may use. Without one the test is skipped, except in CI.
func PostgresURL(t *testing.T) string {
	t.Helper()
	url := os.Getenv("FAULTLINE_TEST_POSTGRES_URL")
	switch {
	case url != "":
	case os.Getenv("CI") == "true":
		t.Fatal("FAULTLINE_TEST_POSTGRES_URL is not set: in CI a real Postgres is a must")
	default:
		t.Skip("NOT TESTED: whether leaked connections are found and taken away in a real Postgres. " +
			"Set FAULTLINE_TEST_POSTGRES_URL to a superuser URL of a throwaway server; `make test` provides one.")
	}
	return url
}

// Open starts a shop that is well, and ends it with the test.
func Open(t *testing.T) *Shop {
	t.Helper()
	admin := PostgresURL(t)
	s := &Shop{database: createDatabase(t, admin), Metrics: map[string][]float64{}, traceParents: map[string]string{}, rates: rates{usual: 40}}
	ctx, cancel := context.WithCancel(context.Background())
	var background sync.WaitGroup
	t.Cleanup(func() {
		cancel()
		background.Wait()
		for _, r := range s.replicas {
			r.end()
		}
	})
	// The database is shared by all tests of a server, so the workload's name must not be.
	for n := 1; n <= 2; n++ {
		r, err := startReplica(ctx, s.database, s.Workload(), fmt.Sprintf("%s-%d", s.Workload(), n))
		if err != nil {
			t.Fatal(err)
		}
		s.replicas = append(s.replicas, r)
	}
	s.Metrics[fmt.Sprintf("sum(db_client_connection_max{job=%q})", s.Workload())] = []float64{2 * PoolMax}
	s.Metrics["steady"] = []float64{1}
	s.writeStack(t, admin)
	background.Go(func() { s.customers(ctx) })
	begun := s.past()
	background.Go(func() { s.clock(ctx, begun) })
	return s
}

func createDatabase(t *testing.T, admin string) string {
	t.Helper()
	name := "chaos_" + uuid.NewString()[:8]
	execute(t, admin, "CREATE DATABASE "+name)
	t.Cleanup(func() { execute(t, admin, "DROP DATABASE "+name+" WITH (FORCE)") })
	config, err := pgx.ParseConfig(admin)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("host=%s port=%d user=%s password='%s' dbname=%s", config.Host, config.Port, config.User, config.Password, name)
}

// OrdinaryUser gives the address of the same server for a user without any right, who is gone after the test.
func OrdinaryUser(t *testing.T) string {
	t.Helper()
	admin := PostgresURL(t)
	name := "nobody_" + uuid.NewString()[:8]
	execute(t, admin, "CREATE ROLE "+name+" LOGIN PASSWORD 'nobody'")
	t.Cleanup(func() { execute(t, admin, "DROP ROLE "+name) })
	config, err := pgx.ParseConfig(admin)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("host=%s port=%d user=%s password=nobody dbname=%s", config.Host, config.Port, name, config.Database)
}

func execute(t *testing.T, url, sql string) {
	t.Helper()
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(ctx)
	if _, err := conn.Exec(ctx, sql); err != nil {
		t.Fatal(err)
	}
}

// Database is the address of the shop's own database.
func (s *Shop) Database() string { return s.database }

// Workload is the name that this shop's orders run under; other tests use the same server at the same time.
func (s *Shop) Workload() string { return "orders" + s.database[max(0, len(s.database)-4):] }

func (s *Shop) writeStack(t *testing.T, admin string) {
	t.Helper()
	serve := func(server *httptest.Server) string {
		t.Cleanup(server.Close)
		return server.URL
	}
	folder := t.TempDir()
	tokenFile := filepath.Join(folder, "control-token")
	s.Stack = endpoints.Stack{
		Target: "local", PID: os.Getpid(), StartedAt: time.Now().UTC(),
		Endpoints: endpoints.Endpoints{
			Storefront: serve(httptest.NewServer(s.storefront())),
			Control:    serve(httptest.NewServer(s.control())),
			Prometheus: serve(httptest.NewServer(s.prometheus())),
			Loadgen:    serve(httptest.NewServer(s.loadgen())),
		},
		DatabaseURLs: map[string]string{"admin": admin}, ControlTokenFile: tokenFile,
	}
	s.StackFile = filepath.Join(folder, "stack.json")
	if err := os.WriteFile(tokenFile, []byte(token+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := endpoints.Write(s.StackFile, s.Stack); err != nil {
		t.Fatal(err)
	}
}

// Experiment is an experiment for this shop, as YAML.
func (s *Shop) Experiment() string {
	condition, _ := json.Marshal("steady")
	return fmt.Sprintf(`name: small-leak
title: A leak in a small shop
hypothesis:
  text: The shop gets well again.
  steady_state: [{says: the shop is steady, query: %s, op: "==", threshold: 1}]
  client: {good_seconds: 2, within: 5s}
fault:
  kind: connection-leak
  parameters: {coupon: SPRING24, orders: 16, at_most: 32, burst: 500ms, max_hold: 1s, products: [SKU-0007], customers: [c-901]}
scope: {workload: %s}
duration: 3s
abort: [{says: somebody pulled the cord, query: cord, op: "==", threshold: 1}]
expect: {alert: PoolExhausted, cause: connection-leak, right: [restart-replicas]}
`, condition, s.Workload())
}
