package fault

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/faultline-lab/faultline/chaos/experiment"
)

// transactionTimeoutVersion is the first Postgres that bounds whole transactions.
const transactionTimeoutVersion = 170000

// lockParameters are the fault's keys in the experiment file.
type lockParameters struct {
	Products    []string `yaml:"products"`    // whose rows are locked
	Application string   `yaml:"application"` // what the session calls itself
}

func checkLock(e experiment.Experiment) error {
	_, err := readLockParameters(e)
	return err
}

func readLockParameters(e experiment.Experiment) (lockParameters, error) {
	var p lockParameters
	if err := e.Fault.Parameters.Decode(&p); err != nil {
		return p, err
	}
	need := needs{e: e}
	need.that(len(p.Products) > 0, "products", "the products whose rows are locked, for example [SKU-0001]")
	need.that(p.Application != "", "application", "what the session calls itself, for example stock-count")
	return p, need.err()
}

// lockContention is a session that forgot its transaction: it has read some products FOR UPDATE and does nothing more.
// Postgres itself ends it after the fault's time to live, and when this process is gone.
type lockContention struct {
	workload   string
	parameters lockParameters
	database   string
	admin      sessions
	name       string
	ttl        time.Duration

	mu   sync.Mutex
	over bool
	held *pgx.Conn
}

func openLock(e experiment.Experiment, env Environment) (Driver, error) {
	parameters, err := readLockParameters(e)
	if err != nil {
		return nil, err
	}
	// The service's own role: a session of a superuser could not be ended by anybody but another.
	database, err := env.database(e.Scope.Workload)
	if err != nil {
		return nil, err
	}
	admin, err := env.database("admin")
	if err != nil {
		return nil, err
	}
	return &lockContention{
		workload: e.Scope.Workload, parameters: parameters, database: database, admin: sessions{admin},
		name: parameters.Application + "/" + env.shortID(), ttl: env.TTL,
	}, nil
}

// sessionState names the sessions of the run.
type sessionState struct {
	Application string `json:"application"`
}

// Prepare looks whether the products are there, without locking them.
func (l *lockContention) Prepare(ctx context.Context) (State, error) {
	ctx, cancel := context.WithTimeout(ctx, databaseBound)
	defer cancel()
	conn, err := connect(ctx, l.database, map[string]string{"application_name": "chaos"})
	if err != nil {
		return nil, fmt.Errorf("the database of %s does not answer: %w", l.workload, err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	var found int
	if err := conn.QueryRow(ctx, `SELECT count(*) FROM products WHERE sku = ANY ($1)`, l.parameters.Products).Scan(&found); err != nil {
		return nil, err
	}
	if found != len(l.parameters.Products) {
		return nil, fmt.Errorf("%d of the products %v are there", found, l.parameters.Products)
	}
	return json.Marshal(sessionState{l.name})
}

// Inject takes the locks, in the order in which everybody takes them.
func (l *lockContention) Inject(ctx context.Context, prepared State) (Injection, error) {
	injection := Injection{State: prepared, Affected: []string{l.name}}
	conn, err := l.open(ctx)
	if err != nil {
		return injection, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.over {
		return injection, errors.Join(errStopped, conn.Close(context.WithoutCancel(ctx)))
	}
	l.held = conn
	ctx, cancel := context.WithTimeout(ctx, databaseBound)
	defer cancel()
	_, err = conn.Exec(ctx, `BEGIN`)
	if err == nil {
		_, err = conn.Exec(ctx, `SELECT sku, stock FROM products WHERE sku = ANY ($1) ORDER BY sku FOR UPDATE`, l.parameters.Products)
	}
	if err != nil {
		return injection, fmt.Errorf("locking %v: %w", l.parameters.Products, err)
	}
	injection.Detail = fmt.Sprintf("%s holds the rows of %v, for %s at most", l.name, l.parameters.Products, l.ttl)
	return injection, nil
}

// open gives a session that the server ends by itself.
func (l *lockContention) open(ctx context.Context) (*pgx.Conn, error) {
	ttl := strconv.FormatInt(l.ttl.Milliseconds(), 10)
	ctx, cancel := context.WithTimeout(ctx, databaseBound)
	defer cancel()
	conn, err := connect(ctx, l.database, map[string]string{
		"application_name": l.name, "idle_in_transaction_session_timeout": ttl,
	})
	if err != nil {
		return nil, err
	}
	var version int
	err = conn.QueryRow(ctx, `SELECT current_setting('server_version_num')::int`).Scan(&version)
	if err == nil && version >= transactionTimeoutVersion {
		_, err = conn.Exec(ctx, `SET transaction_timeout = `+ttl)
	}
	if err != nil {
		_ = conn.Close(context.WithoutCancel(ctx))
		return nil, err
	}
	return conn, nil
}

// LetGo ends the session, and with it its transaction.
func (l *lockContention) LetGo() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.over = true
	if l.held != nil {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_ = l.held.Close(ctx) // Restore asks the server whether it is gone
		l.held = nil
	}
}

// StillPresent asks the server for the session's transaction.
func (l *lockContention) StillPresent(ctx context.Context, encoded State) (Presence, error) {
	state, err := decode[sessionState](encoded)
	if err != nil {
		return Presence{}, err
	}
	found, err := l.admin.named(ctx, state.Application)
	if err != nil {
		return Presence{}, err
	}
	if len(found) == 0 {
		return Presence{Subjects: []string{}, Detail: "there is no session " + state.Application}, nil
	}
	one := found[0]
	return Presence{
		Present: true, Subjects: []string{state.Application},
		Detail: fmt.Sprintf("%s (backend %d) is %s since %.1f s, and %d sessions wait for it", state.Application, one.PID, one.State, one.Age, one.Waiting),
	}, nil
}

// Restore ends the run's session, and no other.
func (l *lockContention) Restore(ctx context.Context, encoded State) error {
	state, err := decode[sessionState](encoded)
	if err != nil {
		return err
	}
	l.LetGo()
	return l.admin.end(ctx, state.Application)
}
