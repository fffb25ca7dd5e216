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
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/faultline-lab/faultline/chaos/experiment"
)

// tooManyConnections is the SQLSTATE of a server without a free slot.
const tooManyConnections = "53300"

// fullBound is how long it may take until the server has no free slot left.
const fullBound = 20 * time.Second

// capParameters are the fault's keys in the experiment file.
type capParameters struct {
	Application string              `yaml:"application"` // what the sessions call themselves
	Sessions    int                 `yaml:"sessions"`    // as many as can be had, up to this many
	Every       experiment.Duration `yaml:"every"`       // how often a full server is asked again
}

func checkServerCap(e experiment.Experiment) error {
	_, err := readCapParameters(e)
	return err
}

func readCapParameters(e experiment.Experiment) (capParameters, error) {
	var p capParameters
	if err := e.Fault.Parameters.Decode(&p); err != nil {
		return p, err
	}
	need := needs{e: e}
	need.that(p.Application != "", "application", "what the sessions call themselves, for example batch-export")
	need.that(p.Sessions > 0, "sessions", "how many sessions there may be at most: at least one")
	need.that(p.Every.Duration >= 5*time.Millisecond, "every", "how often a full server is asked for another slot, for example 20ms: at least 5ms")
	return p, need.err()
}

// serverCap is a job with far too many workers: it opens sessions until the server has no slot left, and takes each one that
// becomes free. It is an ordinary user, so the reserved slots are out of its reach. When an administrator ends one of its
// sessions, the job has failed: it asks for no more. The server ends its sessions after the fault's time to live.
type serverCap struct {
	workload   string
	parameters capParameters
	database   string
	admin      sessions
	name       string
	ttl        time.Duration

	mu      sync.Mutex
	held    int
	ctx     context.Context
	end     context.CancelFunc // ends everything
	failed  chan struct{}      // closed when an administrator ended a session
	failing sync.Once
	working sync.WaitGroup
}

func openServerCap(e experiment.Experiment, env Environment) (Driver, error) {
	parameters, err := readCapParameters(e)
	if err != nil {
		return nil, err
	}
	database, err := env.database(e.Scope.Workload)
	if err != nil {
		return nil, err
	}
	admin, err := env.database("admin")
	if err != nil {
		return nil, err
	}
	s := &serverCap{
		workload: e.Scope.Workload, parameters: parameters, database: database, admin: sessions{admin},
		name: parameters.Application + "/" + env.shortID(), ttl: env.TTL, failed: make(chan struct{}),
	}
	s.ctx, s.end = context.WithCancel(context.Background()) //nolint:gosec // LetGo calls it
	return s, nil
}

// Prepare looks whether the job may connect at all, and as whom.
func (s *serverCap) Prepare(ctx context.Context) (State, error) {
	ctx, cancel := context.WithTimeout(ctx, databaseBound)
	defer cancel()
	conn, err := connect(ctx, s.database, map[string]string{"application_name": "chaos"})
	if err != nil {
		return nil, fmt.Errorf("the database of %s does not answer: %w", s.workload, err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	var privileged bool
	const ask = `SELECT rolsuper FROM pg_roles WHERE rolname = current_user`
	if err := conn.QueryRow(ctx, ask).Scan(&privileged); err != nil {
		return nil, err
	}
	if privileged {
		return nil, errors.New("the role is a superuser: it would take the reserved slots too, and nobody could help any more")
	}
	return json.Marshal(sessionState{s.name})
}

// Inject takes slots until there is none left, and goes on taking those that become free.
func (s *serverCap) Inject(ctx context.Context, prepared State) (Injection, error) {
	injection := Injection{State: prepared, Affected: []string{s.name}}
	full := make(chan struct{})
	s.working.Go(func() { s.take(full) })
	select {
	case <-full:
	case <-s.ctx.Done():
		return injection, errStopped
	case <-ctx.Done():
		return injection, ctx.Err()
	case <-time.After(fullBound):
		return injection, fmt.Errorf("the server still has free slots after %d sessions: raise sessions", s.count())
	}
	injection.Detail = fmt.Sprintf("%d sessions of %s have every free slot, and take each that becomes free, for %s at most", s.count(), s.name, s.ttl)
	return injection, nil
}

func (s *serverCap) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.held
}

// take opens one session after the other. It closes full when the server refuses one for the first time.
func (s *serverCap) take(full chan<- struct{}) {
	said := false
	for n := 0; n < s.parameters.Sessions; {
		conn, err := s.open()
		switch {
		case s.ctx.Err() != nil || s.hasFailed():
			if conn != nil {
				_ = conn.Close(context.Background())
			}
			return
		case err == nil:
			n++
			s.add(1)
			s.working.Go(func() { s.hold(conn) })
			continue
		}
		var answer *pgconn.PgError
		if errors.As(err, &answer) && answer.Code == tooManyConnections && !said {
			said = true
			close(full)
		}
		if sleep(s.ctx, s.parameters.Every.Duration) != nil {
			return
		}
	}
}

func (s *serverCap) open() (*pgx.Conn, error) {
	ctx, cancel := context.WithTimeout(s.ctx, databaseBound)
	defer cancel()
	return connect(ctx, s.database, map[string]string{
		"application_name": s.name, "idle_session_timeout": strconv.FormatInt(s.ttl.Milliseconds(), 10),
	})
}

// hold keeps a session until it is let go of, or until the server ends it.
func (s *serverCap) hold(conn *pgx.Conn) {
	defer s.add(-1)
	_, err := conn.WaitForNotification(s.ctx) // none ever comes: it waits for the end
	if s.ctx.Err() == nil && err != nil {
		s.failing.Do(func() { close(s.failed) })
	}
	_ = conn.Close(context.Background())
}

func (s *serverCap) add(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.held += n
}

func (s *serverCap) hasFailed() bool {
	select {
	case <-s.failed:
		return true
	default:
		return false
	}
}

// LetGo closes every session and asks for no more.
func (s *serverCap) LetGo() {
	s.end()
	s.working.Wait()
}

// StillPresent counts the sessions.
func (s *serverCap) StillPresent(ctx context.Context, encoded State) (Presence, error) {
	state, err := decode[sessionState](encoded)
	if err != nil {
		return Presence{}, err
	}
	found, err := s.admin.named(ctx, state.Application)
	if err != nil {
		return Presence{}, err
	}
	if len(found) == 0 {
		return Presence{Subjects: []string{}, Detail: "there is no session of " + state.Application}, nil
	}
	return Presence{
		Present: true, Subjects: []string{state.Application}, Detail: fmt.Sprintf("%d sessions of %s", len(found), state.Application),
	}, nil
}

// Restore ends the run's sessions, and no others.
func (s *serverCap) Restore(ctx context.Context, encoded State) error {
	state, err := decode[sessionState](encoded)
	if err != nil {
		return err
	}
	s.LetGo()
	return s.admin.end(ctx, state.Application)
}
