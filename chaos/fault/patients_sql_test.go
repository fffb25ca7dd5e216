package fault_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/faultline-lab/faultline/chaos/fault"
	"github.com/faultline-lab/faultline/chaos/internal/smallshop"
	"github.com/faultline-lab/faultline/observability/endpoints"
)

// database makes a database with a role of its own that owns it, and gives the role's address. Both go with the test.
func database(t *testing.T, roleOptions string, statements ...string) (url, name string) {
	t.Helper()
	admin := smallshop.PostgresURL(t)
	name = "fault_" + uuid.NewString()[:8]
	execute(t, admin, fmt.Sprintf("CREATE ROLE %s LOGIN PASSWORD 'p' %s", name, roleOptions))
	execute(t, admin, fmt.Sprintf("CREATE DATABASE %s OWNER %s", name, name))
	t.Cleanup(func() {
		execute(t, admin, fmt.Sprintf("DROP DATABASE %s WITH (FORCE)", name))
		execute(t, admin, "DROP ROLE "+name)
	})
	config, err := pgx.ParseConfig(admin)
	if err != nil {
		t.Fatal(err)
	}
	url = fmt.Sprintf("host=%s port=%d user=%s password=p dbname=%s", config.Host, config.Port, name, name)
	for _, statement := range statements {
		execute(t, url, statement)
	}
	return url, name
}

func execute(t *testing.T, url, sql string) {
	t.Helper()
	conn, err := pgx.Connect(context.Background(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	if _, err := conn.Exec(context.Background(), sql); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

func count(t *testing.T, url, sql string, args ...any) int {
	t.Helper()
	conn, err := pgx.Connect(context.Background(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	var n int
	if err := conn.QueryRow(context.Background(), sql, args...).Scan(&n); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return n
}

// databases are the addresses of a stack whose only service has this database.
func databases(t *testing.T, workload, url string) map[string]string {
	return map[string]string{workload: url, "admin": smallshop.PostgresURL(t)}
}

func lockPatient(t *testing.T) patient {
	url, name := database(t, "", "CREATE TABLE products (sku text PRIMARY KEY, stock int)", "INSERT INTO products VALUES ('SKU-0001', 5), ('SKU-0002', 5)")
	return patient{
		stack: endpoints.Stack{DatabaseURLs: databases(t, name, url)}, workload: name,
		parameters: "{products: [SKU-0001], application: stock-count}",
		sick: func(t *testing.T) bool {
			return locked(t, url, "SKU-0001")
		},
	}
}

func locked(t *testing.T, url, sku string) bool {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	_, err = conn.Exec(t.Context(), "SELECT * FROM products WHERE sku = $1 FOR UPDATE NOWAIT", sku)
	var answer *pgconn.PgError
	if err != nil && (!errors.As(err, &answer) || answer.Code != "55P03") {
		t.Fatal(err)
	}
	return err != nil
}

func TestALockIsOnItsProductAloneAndTheServerEndsItInTime(t *testing.T) {
	p := lockPatient(t)
	url := p.stack.DatabaseURLs[p.workload]
	e := experimentFor(t, "lock-contention", p.workload, p.parameters)
	driver, err := fault.Open(e, fault.Environment{Stack: p.stack, Metrics: known{}, ID: uuid.NewString(), TTL: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { letGo(driver) })
	injection := inject(t, driver)
	if !locked(t, url, "SKU-0001") || locked(t, url, "SKU-0002") {
		t.Error("want a lock on SKU-0001 and none on SKU-0002")
	}
	waitPresent(t, driver, injection.State) // nobody takes it away but the server
	if locked(t, url, "SKU-0001") {
		t.Error("the lock is still there")
	}
}

func TestALockThatSomebodyElseHoldsStays(t *testing.T) {
	p := lockPatient(t)
	url := p.stack.DatabaseURLs[p.workload]
	conn, err := pgx.Connect(t.Context(), url+" application_name=stock-count/another")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	if _, err := conn.Exec(t.Context(), "BEGIN; SELECT * FROM products WHERE sku = 'SKU-0002' FOR UPDATE"); err != nil {
		t.Fatal(err)
	}
	driver := p.open(t, "lock-contention", uuid.NewString())
	restore(t, driver, inject(t, driver).State)
	if locked(t, url, "SKU-0001") || !locked(t, url, "SKU-0002") {
		t.Error("want no lock on SKU-0001 and somebody's on SKU-0002")
	}
}

func TestAProductThatIsNotThereCannotBeLocked(t *testing.T) {
	p := lockPatient(t)
	p.parameters = "{products: [SKU-0001, SKU-9999], application: stock-count}"
	if _, err := p.open(t, "lock-contention", "x").Prepare(t.Context()); err == nil || !strings.Contains(err.Error(), "1 of the products") {
		t.Errorf("got %v", err)
	}
}

// slots is how many sessions the role of capPatient may have: a server of one's own for each test would be too dear.
const slots = 6

func capPatient(t *testing.T) patient {
	url, name := database(t, fmt.Sprintf("CONNECTION LIMIT %d", slots))
	return patient{
		stack: endpoints.Stack{DatabaseURLs: databases(t, name, url)}, workload: name,
		parameters: "{application: batch-export, sessions: 40, every: 5ms}",
		sick: func(t *testing.T) bool {
			conn, err := pgx.Connect(t.Context(), url)
			if err == nil {
				_ = conn.Close(context.Background())
			}
			return err != nil
		},
	}
}

func TestHogsTakeSlotsAsTheyBecomeFreeUntilAnAdministratorEndsOne(t *testing.T) {
	p := capPatient(t)
	url, admin := p.stack.DatabaseURLs[p.workload], p.stack.DatabaseURLs["admin"]
	ours, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	driver := p.open(t, "server-cap", uuid.NewString())
	t.Cleanup(func() { letGo(driver) })
	prepared := prepare(t, driver)
	eventually(t, "Prepare's own session has ended", func() bool { return sessionsOf(t, admin, p.workload, "%") == 1 })
	if _, err := driver.Inject(t.Context(), prepared); err != nil {
		t.Fatal(err)
	}
	if n := sessionsOf(t, admin, p.workload, "batch-export/%"); n != slots-1 {
		t.Errorf("%d hogs, want %d: one slot is ours", n, slots-1)
	}
	if err := ours.Close(t.Context()); err != nil { // as a pool does with a connection that is old
		t.Fatal(err)
	}
	eventually(t, "the hogs have the slot", func() bool { return sessionsOf(t, admin, p.workload, "batch-export/%") == slots })
	const end = "SELECT count(pg_terminate_backend(pid)) FROM (SELECT pid FROM pg_stat_activity WHERE usename = $1 LIMIT 1) one"
	if count(t, admin, end, p.workload) != 1 {
		t.Fatal("no hog could be ended")
	}
	eventually(t, "a slot is free", func() bool { return !p.sick(t) })
	for range 20 { // and stays so, for longer than a full server is asked again
		time.Sleep(5 * time.Millisecond)
		if n := sessionsOf(t, admin, p.workload, "batch-export/%"); n >= slots {
			t.Fatalf("%d hogs: the job goes on although an administrator ended it", n)
		}
	}
	restore(t, driver, prepared)
	well(t, p)
}

func sessionsOf(t *testing.T, admin, role, application string) int {
	return count(t, admin, "SELECT count(*) FROM pg_stat_activity WHERE usename = $1 AND application_name LIKE $2", role, application)
}

func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if condition() {
			return
		}
	}
	t.Fatalf("waited 20 s in vain until %s", what)
}

func TestASuperuserIsRefusedAsAHog(t *testing.T) {
	admin := smallshop.PostgresURL(t)
	p := patient{stack: endpoints.Stack{DatabaseURLs: databases(t, "orders", admin)}, workload: "orders", parameters: "{application: a, sessions: 1, every: 5ms}"}
	if _, err := p.open(t, "server-cap", "x").Prepare(t.Context()); err == nil || !strings.Contains(err.Error(), "superuser") {
		t.Errorf("got %v", err)
	}
}

// office is a storefront and orders in one, with a pool of two connections for the reports.
func queryPatient(t *testing.T) patient {
	url, name := database(t, "")
	pool, err := pgxpool.New(t.Context(), url+" pool_max_conns=2 application_name="+name+"/"+name+"-1")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	if err := smallshop.Connect(t.Context(), pool); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), 200*time.Millisecond)
		defer cancel()
		conn, err := pool.Acquire(ctx)
		if err != nil {
			http.Error(w, `{"error":{"code":"unavailable","message":"no connection"}}`, http.StatusServiceUnavailable)
			return
		}
		defer conn.Release()
		if _, err := conn.Exec(r.Context(), "SELECT pg_sleep(30) /* revenue */"); err != nil {
			http.Error(w, `{"error":{"code":"unavailable","message":"cancelled"}}`, http.StatusServiceUnavailable)
		}
	}))
	t.Cleanup(server.Close)
	admin := smallshop.PostgresURL(t)
	return patient{
		stack: endpoints.Stack{Endpoints: endpoints.Endpoints{Storefront: server.URL}, DatabaseURLs: databases(t, name, url)}, workload: name,
		connections: 2, parameters: "{path: '/reports/revenue?days=90', reports: 4, at_most: 8, within: 5s, statement: '/* revenue */'}",
		sick: func(t *testing.T) bool {
			return count(t, admin, "SELECT count(*) FROM pg_stat_activity WHERE usename = $1 AND state = 'active'", name) > 0
		},
	}
}

func TestAReportThatIsCancelledIsNotAskedForAgain(t *testing.T) {
	p := queryPatient(t)
	driver := p.open(t, "slow-query", uuid.NewString())
	t.Cleanup(func() { letGo(driver) })
	injection := inject(t, driver)
	admin := p.stack.DatabaseURLs["admin"]
	const cancel = "SELECT count(pg_cancel_backend(pid)) FROM pg_stat_activity WHERE usename = $1 AND state = 'active'"
	if n := count(t, admin, cancel, p.workload); n != 2 {
		t.Fatalf("%d reports cancelled, want 2", n)
	}
	waitPresent(t, driver, injection.State)
	time.Sleep(300 * time.Millisecond) // longer than a new one would take to begin
	present(t, driver, injection.State, false)
}

func TestReportsThatSomebodyElseRunsAreARefusal(t *testing.T) {
	p := queryPatient(t)
	driver := p.open(t, "slow-query", uuid.NewString())
	t.Cleanup(func() { letGo(driver) })
	inject(t, driver)
	if _, err := p.open(t, "slow-query", "x").Prepare(t.Context()); err == nil || !strings.Contains(err.Error(), "2 statements run") {
		t.Errorf("got %v", err)
	}
}

func TestReportsThatAreQuickAreAnError(t *testing.T) {
	p := queryPatient(t)
	p.parameters = strings.Replace(p.parameters, "within: 5s", "within: 300ms", 1)
	p.parameters = strings.Replace(p.parameters, "/* revenue */", "/* no such report */", 1)
	driver := p.open(t, "slow-query", "x")
	t.Cleanup(func() { letGo(driver) })
	if _, err := driver.Inject(t.Context(), prepare(t, driver)); err == nil || !strings.Contains(err.Error(), "only 0 reports run on 2 connections") {
		t.Errorf("got %v", err)
	}
}

func batchPatient(t *testing.T) patient {
	url, name := database(t, "", "CREATE TABLE imports (batch text, part int, created_at timestamptz DEFAULT now(), PRIMARY KEY (batch, part))",
		"CREATE TABLE imported_lines (batch text, part int, FOREIGN KEY (batch, part) REFERENCES imports)",
		"INSERT INTO imports VALUES ('nightly-of-somebody', 1)")
	pool, err := pgxpool.New(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	server := httptest.NewServer(importer(pool))
	t.Cleanup(server.Close)
	return patient{
		stack: endpoints.Stack{Endpoints: endpoints.Endpoints{Storefront: server.URL}, DatabaseURLs: databases(t, name, url)}, workload: name,
		parameters: "{path: /imports, together: 3, every: 50ms, lines: 2, products: [SKU-0002, SKU-0003]}",
		sick: func(t *testing.T) bool {
			if count(t, url, "SELECT count(*) FROM imports WHERE batch = 'nightly-of-somebody'") != 1 {
				t.Error("somebody else's batch is gone")
			}
			return count(t, url, "SELECT count(*) FROM imports") > 1
		},
	}
}
