package pgadmin_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/autoheal/pgadmin"
	"github.com/faultline-lab/faultline/autoheal/remedy"
	"github.com/faultline-lab/faultline/autoheal/workload"
)

// patient is a session of an ordinary role with an application name of its own.
type patient struct {
	*pgx.Conn
	incident.Session
}

// crowd makes sessions of one application, of an ordinary role.
func crowd(t *testing.T, u string, n int) (application string, all []patient) {
	t.Helper()
	ordinary := role(t, u)
	application = "stock-count/" + uuid.NewString()[:8]
	for range n {
		c := connect(t, ordinary)
		exec(t, c, fmt.Sprintf(`SET application_name = '%s'`, application))
		all = append(all, patient{c, itself(t, c)})
	}
	return application, all
}

// itself is what the server says of a session.
func itself(t *testing.T, c *pgx.Conn) incident.Session {
	t.Helper()
	var s incident.Session
	err := c.QueryRow(t.Context(), `SELECT pid, backend_start, application_name FROM pg_stat_activity WHERE pid = pg_backend_pid()`).
		Scan(&s.PID, &s.BackendStart, &s.Application)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func healer(t *testing.T, u string) *pgadmin.Admin {
	t.Helper()
	a, _ := keep(t, role(t, u, "pg_read_all_stats", "pg_signal_backend"))
	return a
}

func identities(all []patient) []incident.Session {
	var sessions []incident.Session
	for _, p := range all {
		sessions = append(sessions, p.Session)
	}
	return sessions
}

func apply(t *testing.T, r remedy.Remedy, application string, sessions []incident.Session) remedy.Effect {
	t.Helper()
	return r.Apply(t.Context(), remedy.Application{
		IncidentID: "i", IntendedAt: time.Now(), Timeout: 10 * time.Second,
		Target: incident.Target{Kind: incident.SessionsTarget, Workload: "inventory", Name: application, Sessions: sessions},
	})
}

// named is one remedy of all.
func remedyNamed(t *testing.T, a *pgadmin.Admin, name string) remedy.Remedy {
	t.Helper()
	all, err := remedy.All(remedy.Controls{ // these act on sessions only; who else is called panics
		Replicas: struct{ remedy.Replicas }{}, Scaler: struct{ remedy.Scaler }{}, Releases: struct{ remedy.Releases }{},
		Edge: struct{ remedy.Edge }{}, HTTP: http.DefaultClient, Sessions: a,
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range all {
		if r.Name() == name {
			return r
		}
	}
	t.Fatalf("there is no %s", name)
	return nil
}

func alive(t *testing.T, p patient) bool {
	t.Helper()
	return p.Ping(t.Context()) == nil
}

func TestSessionsAreEndedAllAtOnceAndNoOthers(t *testing.T) {
	u := server(t)
	a := healer(t, u)
	application, all := crowd(t, u, 4)
	bystander := all[3]
	end := remedyNamed(t, a, remedy.EndSessionName)
	effect := apply(t, end, application, identities(all[:3]))
	if effect.Result != incident.ResultDone || !strings.Contains(effect.Detail, "3 sessions of "+application+" ended") {
		t.Fatalf("%+v", effect)
	}
	for _, p := range all[:3] {
		if alive(t, p) {
			t.Errorf("pid %d is still there", p.PID)
		}
	}
	if !alive(t, bystander) {
		t.Error("the one that was not judged was ended as well")
	}
	if again := apply(t, end, application, identities(all[:3])); again.Result != incident.ResultSkipped {
		t.Errorf("the second time: %+v", again)
	}
}

// A pid that was given to another session in the meantime has another start.
func TestASessionIsItsPidAndItsStart(t *testing.T) {
	u := server(t)
	a := healer(t, u)
	application, all := crowd(t, u, 1)
	reused := all[0].Session
	reused.BackendStart = reused.BackendStart.Add(-time.Microsecond)
	effect := apply(t, remedyNamed(t, a, remedy.EndSessionName), application, []incident.Session{reused})
	if effect.Result != incident.ResultSkipped || !strings.Contains(effect.Detail, "still what was judged") || !alive(t, all[0]) {
		t.Errorf("%+v; want it to be left alone", effect)
	}
	other := apply(t, remedyNamed(t, a, remedy.EndSessionName), "somebody/else", identities(all))
	if other.Result != incident.ResultSkipped || !alive(t, all[0]) {
		t.Errorf("under another name: %+v; want it to be left alone", other)
	}
}

func TestTheHealerDoesNotEndItself(t *testing.T) {
	u := server(t)
	a := healer(t, u)
	own, err := a.Of(t.Context(), "autoheal/admin", time.Now().Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.Signal(t.Context(), remedy.EndSession, "autoheal/admin", own); !errors.Is(err, workload.ErrRefused) {
		t.Errorf("%v; want ErrRefused", err)
	}
	if err := a.Ping(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestASuperusersSessionIsAPersonsBusiness(t *testing.T) {
	u := server(t)
	a := healer(t, u)
	application, all := crowd(t, u, 1)
	super := connect(t, u)
	exec(t, super, fmt.Sprintf(`SET application_name = '%s'`, application))
	effect := apply(t, remedyNamed(t, a, remedy.EndSessionName), application, append(identities(all), itself(t, super)))
	if effect.Result != incident.ResultFailed || !strings.Contains(effect.Detail, "only a superuser may touch") {
		t.Errorf("%+v; want it to fail with the reason", effect)
	}
	if super.Ping(t.Context()) != nil {
		t.Error("it was ended all the same")
	}
	eventually(t, func() error {
		if alive(t, all[0]) {
			return errors.New("the ordinary one is still there")
		}
		return nil
	})
}

func TestARoleThatMayNotSignalIsToldWhatToGrant(t *testing.T) {
	u := server(t)
	a, _ := keep(t, role(t, u, "pg_read_all_stats"))
	application, all := crowd(t, u, 1)
	effect := apply(t, remedyNamed(t, a, remedy.EndSessionName), application, identities(all))
	if effect.Result != incident.ResultFailed || !strings.Contains(effect.Detail, "GRANT pg_signal_backend") || !alive(t, all[0]) {
		t.Errorf("%+v; want it to fail with what to grant", effect)
	}
}

// sleeping runs a long statement in the session, and returns what came of it, and the session with the start of it.
func sleeping(t *testing.T, u string, p patient) (ended <-chan error, running incident.Session) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	result := make(chan error, 1)
	var over sync.WaitGroup
	over.Go(func() { _, err := p.Exec(ctx, "SELECT pg_sleep(60)"); result <- err })
	t.Cleanup(func() { cancel(); over.Wait() })
	running = p.Session
	super := connect(t, u)
	eventually(t, func() error {
		return super.QueryRow(t.Context(), `SELECT query_start FROM pg_stat_activity WHERE pid = $1 AND state = 'active' AND query LIKE '%pg_sleep%'`, p.PID).
			Scan(&running.QueryStart)
	})
	return result, running
}

func TestAStatementIsCancelledAndItsSessionStays(t *testing.T) {
	u := server(t)
	a := healer(t, u)
	application, all := crowd(t, u, 1)
	ended, running := sleeping(t, u, all[0])
	earlier := running
	earlier.QueryStart = earlier.QueryStart.Add(-time.Second)
	cancel := remedyNamed(t, a, remedy.CancelQueryName)
	if effect := apply(t, cancel, application, []incident.Session{earlier}); effect.Result != incident.ResultSkipped {
		t.Errorf("another statement of the same session: %+v; want it to be left alone", effect)
	}
	effect := apply(t, cancel, application, []incident.Session{running})
	if err := <-ended; effect.Result != incident.ResultDone || err == nil || !strings.Contains(err.Error(), "57014") {
		t.Fatalf("%+v, and the statement ended with %v", effect, err)
	}
	if !alive(t, all[0]) {
		t.Error("the session is gone")
	}
	if again := apply(t, cancel, application, []incident.Session{running}); again.Result != incident.ResultSkipped {
		t.Errorf("the second time: %+v", again)
	}
}

func TestAReplicasOwnSessionsAreThoseFromBeforeTheIntent(t *testing.T) {
	u := server(t)
	a := healer(t, u)
	application, all := crowd(t, u, 2)
	workloadName, replica, _ := strings.Cut(application, "/")
	backends := remedyNamed(t, a, remedy.EndBackendsName)
	intent := remedy.Application{
		Target:  incident.Target{Kind: incident.ReplicaTarget, Workload: workloadName, Name: replica, Is: "start"},
		Timeout: 10 * time.Second, IntendedAt: all[1].BackendStart,
	}
	effect := backends.Apply(t.Context(), intent)
	if effect.Result != incident.ResultDone || alive(t, all[0]) || !alive(t, all[1]) {
		t.Errorf("%+v; want the first ended, and the one that began at the intent left", effect)
	}
	intent.Resumed = true
	if again := backends.Apply(t.Context(), intent); again.Result != incident.ResultDone || !alive(t, all[1]) {
		t.Errorf("resumed: %+v", again)
	}
}
