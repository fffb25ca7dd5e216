package fault

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/faultline-lab/faultline/chaos/control"
	"github.com/faultline-lab/faultline/chaos/experiment"
)

// queryParameters are the fault's keys in the experiment file.
type queryParameters struct {
	Path      string              `yaml:"path"`      // of the report, at the edge
	Reports   int                 `yaml:"reports"`   // asked for at once at the start
	AtMost    int                 `yaml:"at_most"`   // more are asked for in place of those that got no connection, up to this many
	Within    experiment.Duration `yaml:"within"`    // nothing is asked for after this time
	Statement string              `yaml:"statement"` // a text that the report's query contains, and no other
}

func checkSlowQuery(e experiment.Experiment) error {
	_, err := readQueryParameters(e)
	return err
}

func readQueryParameters(e experiment.Experiment) (queryParameters, error) {
	var p queryParameters
	if err := e.Fault.Parameters.Decode(&p); err != nil {
		return p, err
	}
	need := needs{e: e}
	need.that(len(p.Path) > 1 && p.Path[0] == '/', "path", "the report at the edge, for example /reports/revenue?days=365")
	need.that(p.Reports > 0, "reports", "how many reports are asked for at once: at least one")
	need.that(p.AtMost >= p.Reports, "at_most", "the bound on all requests: at least as many as reports")
	need.that(p.Within.Duration > 0, "within", "how long reports may be asked for, for example 3s")
	need.that(p.Statement != "", "statement", "a text by which the report's query is known")
	return p, need.err()
}

// slowQuery has an office that asks for long reports, all at once. One that fails later is not asked for again.
type slowQuery struct {
	workload   string
	parameters queryParameters
	storefront string
	admin      sessions
	metrics    Metrics
	client     *http.Client

	ctx     context.Context
	end     context.CancelFunc // gives up what is being waited for
	waiting sync.WaitGroup
}

func openSlowQuery(e experiment.Experiment, env Environment) (Driver, error) {
	parameters, err := readQueryParameters(e)
	if err != nil {
		return nil, err
	}
	if env.Stack.Endpoints.Storefront == "" {
		return nil, errors.New("the stack names no storefront: there is nowhere to ask for a report")
	}
	admin, err := env.database("admin")
	if err != nil {
		return nil, err
	}
	q := &slowQuery{
		workload: e.Scope.Workload, parameters: parameters, storefront: env.Stack.Endpoints.Storefront, admin: sessions{admin}, metrics: env.Metrics,
		client: &http.Client{Timeout: env.TTL, Transport: env.Transport.Around(&http.Transport{MaxIdleConnsPerHost: parameters.AtMost})},
	}
	q.ctx, q.end = context.WithCancel(context.Background()) //nolint:gosec // LetGo calls it
	return q, nil
}

// queryState is when the reports were asked for, in the database's own time.
type queryState struct {
	Connections int `json:"connections"` // all that the pools of the workload may hold

	From time.Time  `json:"from"`
	To   *time.Time `json:"to"` // nil when the injection was cut off
}

// Prepare asks how many connections there are, and whether such a report runs already.
func (q *slowQuery) Prepare(ctx context.Context) (State, error) {
	connections, err := poolSize(ctx, q.metrics, q.workload)
	if err != nil {
		return nil, err
	}
	if connections > q.parameters.Reports {
		return nil, fmt.Errorf("the pools of %s hold %d connections, and %d reports are asked for at once: raise reports, or scale %s back",
			q.workload, connections, q.parameters.Reports, q.workload)
	}
	now, err := q.admin.clock(ctx)
	if err != nil {
		return nil, err
	}
	running, err := q.running(ctx, queryState{From: now.Add(-time.Hour)})
	if err != nil {
		return nil, err
	}
	if len(running) > 0 {
		return nil, fmt.Errorf("somebody runs reports already: %s", describeActive(running))
	}
	return json.Marshal(queryState{Connections: connections, From: now})
}

// Inject asks for the reports, and returns when the database runs one on every connection of the pools.
func (q *slowQuery) Inject(ctx context.Context, prepared State) (Injection, error) {
	injection := Injection{State: prepared}
	state, err := decode[queryState](prepared)
	if err != nil {
		return injection, err
	}
	refused := make(chan string, q.parameters.AtMost)
	over := time.Now().Add(q.parameters.Within.Duration)
	sent, answers := 0, map[string]int{}
	for range q.parameters.Reports {
		q.ask(refused)
		sent++
	}
	var running []session
	for len(running) < state.Connections && time.Now().Before(over) {
		select {
		case answer := <-refused:
			answers[answer]++
			if sent < q.parameters.AtMost {
				q.ask(refused)
				sent++
			}
			continue
		case <-q.ctx.Done():
			return injection, errStopped
		case <-ctx.Done():
			return injection, ctx.Err()
		case <-time.After(pollInterval):
		}
		if running, err = q.running(ctx, state); err != nil {
			return injection, err
		}
	}
	now, err := q.admin.clock(ctx)
	if err != nil {
		return injection, err
	}
	state.To = &now
	injection.State, err = json.Marshal(state)
	injection.Affected = replicasOf(running)
	injection.Detail = fmt.Sprintf("%d reports run on %d connections after %d requests (%s)", len(running), state.Connections, sent, describe(answers))
	if err == nil && len(running) < state.Connections {
		err = fmt.Errorf("only %s: are the reports quick, or does somebody cancel them?", injection.Detail)
	}
	return injection, err
}

// ask sends one request, and tells how it ended unless it was given up.
func (q *slowQuery) ask(ended chan<- string) {
	q.waiting.Go(func() {
		err := control.Call(q.ctx, q.client, nil, http.MethodGet, q.storefront+q.parameters.Path, nil, nil)
		answer := "200"
		if refusal, ok := errors.AsType[*control.Refusal](err); ok {
			answer = fmt.Sprint(refusal.Status)
		} else if err != nil {
			answer = answerNone
		}
		if q.ctx.Err() == nil {
			ended <- answer
		}
	})
}

// LetGo gives up every report, as a browser does whose window is closed.
func (q *slowQuery) LetGo() {
	q.end()
	q.waiting.Wait()
}

// runningQuery finds the backends that run the statement since a time.
const runningQuery = `
SELECT application_name, pid, extract(epoch FROM clock_timestamp() - query_start)::float8, query
FROM pg_stat_activity
WHERE starts_with(application_name, $1) AND state = 'active' AND position($2 IN query) > 0
  AND query_start BETWEEN $3 AND coalesce($4::timestamptz, 'infinity')
ORDER BY application_name, pid`

func (q *slowQuery) running(ctx context.Context, state queryState) ([]session, error) {
	var found []session
	err := q.admin.with(ctx, func(ctx context.Context, conn *pgx.Conn) error {
		prefix := q.workload + "/"
		rows, err := conn.Query(ctx, runningQuery, prefix, q.parameters.Statement, state.From, state.To)
		if err != nil {
			return err
		}
		found, err = collectSessions(rows, prefix)
		return err
	})
	return found, err
}

// StillPresent asks the database for the reports.
func (q *slowQuery) StillPresent(ctx context.Context, encoded State) (Presence, error) {
	state, err := decode[queryState](encoded)
	if err != nil {
		return Presence{}, err
	}
	running, err := q.running(ctx, state)
	if err != nil {
		return Presence{}, err
	}
	if len(running) == 0 {
		return Presence{Subjects: []string{}, Detail: "no report runs"}, nil
	}
	return Presence{Present: true, Subjects: replicasOf(running), Detail: describeActive(running)}, nil
}

// Restore gives the reports up and cancels those that run all the same.
func (q *slowQuery) Restore(ctx context.Context, encoded State) error {
	state, err := decode[queryState](encoded)
	if err != nil {
		return err
	}
	q.LetGo()
	return until(ctx, sessionsGoneBound, func(ctx context.Context) (string, error) {
		running, err := q.running(ctx, state)
		if err != nil || len(running) == 0 {
			return "", err
		}
		return describeActive(running), q.admin.cancel(ctx, running)
	})
}
