package remedy

import (
	"context"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/autoheal/workload"
)

// server is a database server whose sessions take a moment to end.
type server struct {
	live        []incident.Session
	endsIn      time.Duration // negative: never
	loseAnswers int
	fail        []error
	signalled   map[int]time.Time
}

func (s *server) ended(one incident.Session) bool {
	at, asked := s.signalled[one.PID]
	return asked && s.endsIn >= 0 && time.Since(at) >= s.endsIn
}

func (s *server) Left(_ context.Context, _ Signal, _ string, judged []incident.Session) ([]incident.Session, error) {
	var left []incident.Session
	for _, one := range s.live {
		if !s.ended(one) && slices.ContainsFunc(judged, func(j incident.Session) bool {
			return j.PID == one.PID && j.BackendStart.Equal(one.BackendStart)
		}) {
			left = append(left, one)
		}
	}
	return left, nil
}

func (s *server) Signal(ctx context.Context, signal Signal, application string, judged []incident.Session) ([]incident.Session, error) {
	if len(s.fail) > 0 {
		err := s.fail[0]
		s.fail = s.fail[1:]
		return nil, err
	}
	reached, err := s.Left(ctx, signal, application, judged)
	for _, one := range reached {
		if _, asked := s.signalled[one.PID]; !asked {
			s.signalled[one.PID] = time.Now()
		}
	}
	if s.loseAnswers > 0 {
		s.loseAnswers--
		return nil, errLost
	}
	return reached, err
}

func (s *server) Of(context.Context, string, time.Time) ([]incident.Session, error) {
	return s.live, nil
}

var begun = time.Date(2026, 1, 2, 3, 4, 5, 678901000, time.UTC)

func hogs() []incident.Session {
	return []incident.Session{{PID: 8, BackendStart: begun, Application: "batch/1"}, {PID: 7, BackendStart: begun, Application: "batch/1"}}
}

func TestEndSession(t *testing.T) {
	for name, tc := range map[string]struct {
		change  func(*server)
		with    func(Application) Application
		result  string
		detail  string
		reached int
	}{
		"ends all of them and waits until they are gone": {func(*server) {}, nil, incident.ResultDone, "2 sessions of batch/1 ended", 2},
		"leaves alone who has another start": {
			func(s *server) { s.live[0].BackendStart = begun.Add(time.Microsecond) }, nil, incident.ResultDone, "1 session of batch/1 ended (7@2026-01-02T03:04:05.678901Z)", 1,
		},
		"does nothing where all have gone": {func(s *server) { s.live = nil }, nil, incident.ResultSkipped, "still what was judged", 0},
		"is done where an earlier life of the healer ended them": {
			func(s *server) { s.live = nil }, resumed, incident.ResultDone, "by an earlier request", 0,
		},
		"is carried out where an earlier life of the healer did not come to it": {func(*server) {}, resumed, incident.ResultDone, "", 2},
		"survives a lost answer":     {func(s *server) { s.loseAnswers = 1 }, nil, incident.ResultDone, "", 2},
		"is not argued with":         {func(s *server) { s.fail = []error{workload.ErrRefused} }, nil, incident.ResultFailed, "not allowed", 0},
		"fails where they do not go": {func(s *server) { s.endsIn = -1 }, nil, incident.ResultFailed, "not all have within 5s: still there: 8@", 2},
		"is not asked for again once not wanted": {
			func(s *server) { s.fail = []error{workload.ErrNotNow} }, func(a Application) Application { return a.judged("the switch is on") },
			incident.ResultSkipped, "the switch is on", 0,
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &server{live: hogs(), endsIn: 100 * time.Millisecond, signalled: map[int]time.Time{}}
				tc.change(s)
				a := application(incident.SessionsTarget, "batch/1", "", "")
				a.Target.Sessions = hogs()
				if tc.with != nil {
					a = tc.with(a)
				}
				effect := (&EndSessions{s}).Apply(t.Context(), a)
				if effect.Result != tc.result || !strings.Contains(effect.Detail, tc.detail) || len(s.signalled) != tc.reached {
					t.Errorf("%+v, %d were reached", effect, len(s.signalled))
				}
			})
		})
	}
}

func TestSessionsAreTargetsByTheirApplication(t *testing.T) {
	seen := Sight{Diagnosis: incident.Diagnosis{Workload: "orders", Sessions: append(hogs(),
		incident.Session{PID: 9, BackendStart: begun, Application: "a/2", QueryStart: begun.Add(time.Second), Statement: "SELECT 1"},
		incident.Session{PID: 10, BackendStart: begun}, // nobody's
	)}}
	targets, _ := (&EndSessions{}).Targets(seen, nil)
	if len(targets) != 2 || targets[0].Name != "a/2" || targets[1].Name != "batch/1" || targets[1].Workload != "orders" ||
		targets[1].Is != "7@2026-01-02T03:04:05.678901Z 8@2026-01-02T03:04:05.678901Z" || len(targets[1].Sessions) != 2 {
		t.Errorf("%+v", targets)
	}
	targets, _ = (&CancelQueries{}).Targets(seen, nil)
	if len(targets) != 1 || targets[0].Name != "a/2" || !strings.HasSuffix(targets[0].Is, "/2026-01-02T03:04:06.678901Z") {
		t.Errorf("to be cancelled: %+v; want the one of which the statement is known", targets)
	}
	seen.Diagnosis.Sessions = hogs()
	if targets, why := (&CancelQueries{}).Targets(seen, nil); len(targets) > 0 || !strings.Contains(why, "run a statement") {
		t.Errorf("%+v, %q", targets, why)
	}
}
