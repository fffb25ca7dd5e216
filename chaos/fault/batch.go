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

// batchParameters are the fault's keys in the experiment file.
type batchParameters struct {
	Path     string              `yaml:"path"`     // where parts are delivered, at the edge
	Together int                 `yaml:"together"` // parts that are delivered at once
	Every    experiment.Duration `yaml:"every"`    // how often
	Lines    int                 `yaml:"lines"`    // of each part
	Products []string            `yaml:"products"` // wanted in turn; the seed decides where it begins
}

func checkBatch(e experiment.Experiment) error {
	_, err := readBatchParameters(e)
	return err
}

func readBatchParameters(e experiment.Experiment) (batchParameters, error) {
	var p batchParameters
	if err := e.Fault.Parameters.Decode(&p); err != nil {
		return p, err
	}
	need := needs{e: e}
	need.that(len(p.Path) > 1 && p.Path[0] == '/', "path", "where parts are delivered, for example /imports")
	need.that(p.Together > 0, "together", "how many parts are delivered at once: at least one")
	need.that(p.Every.Duration > 0, "every", "how often, for example 1s")
	need.that(p.Lines > 0, "lines", "how many lines a part has: at least one")
	need.that(len(p.Products) > 0, "products", "the products that are ordered, for example [SKU-0002]")
	return p, need.err()
}

// batch is a marketplace that delivers its orders of the night, some parts at a time. A part that is refused is delivered
// again with the next ones. It ends with this process.
type batch struct {
	workload   string
	parameters batchParameters
	storefront string
	database   sessions
	name       string
	first      int // of the products
	client     *http.Client

	ctx     context.Context
	end     context.CancelFunc // ends everything
	working sync.WaitGroup
}

func openBatch(e experiment.Experiment, env Environment) (Driver, error) {
	parameters, err := readBatchParameters(e)
	if err != nil {
		return nil, err
	}
	if env.Stack.Endpoints.Storefront == "" {
		return nil, errors.New("the stack names no storefront: there is nowhere to deliver")
	}
	database, err := env.database(e.Scope.Workload)
	if err != nil {
		return nil, err
	}
	b := &batch{
		workload: e.Scope.Workload, parameters: parameters, storefront: env.Stack.Endpoints.Storefront, database: sessions{database},
		name: "nightly-" + env.shortID(), first: env.chance().IntN(len(parameters.Products)),
		client: &http.Client{Timeout: callBound, Transport: env.Transport.Around(&http.Transport{MaxIdleConnsPerHost: parameters.Together})},
	}
	b.ctx, b.end = context.WithTimeout(context.Background(), env.TTL) //nolint:gosec // LetGo calls it
	return b, nil
}

// batchState names the batch.
type batchState struct {
	Batch string `json:"batch"`
}

// Prepare looks whether the table of imports is there.
func (b *batch) Prepare(ctx context.Context) (State, error) {
	if _, err := b.lately(ctx, b.name); err != nil {
		return nil, err
	}
	return json.Marshal(batchState{b.name})
}

// Inject begins to deliver, and returns when the first parts are answered.
func (b *batch) Inject(ctx context.Context, prepared State) (Injection, error) {
	injection := Injection{State: prepared, Affected: []string{b.name}}
	answered := make(chan map[string]int, 1)
	b.working.Go(func() { b.deliver(answered) })
	select {
	case answers := <-answered:
		injection.Detail = fmt.Sprintf("%d parts of %s every %s (%s)", b.parameters.Together, b.name, b.parameters.Every.Duration, describe(answers))
		if answers["202"] == 0 {
			return injection, fmt.Errorf("no part was accepted: %s", injection.Detail)
		}
		return injection, nil
	case <-b.ctx.Done():
		return injection, errStopped
	case <-ctx.Done():
		return injection, ctx.Err()
	}
}

// deliver sends parts until it is let go of. It tells how the first ones were answered.
func (b *batch) deliver(answered chan<- map[string]int) {
	tick := time.NewTicker(b.parameters.Every.Duration)
	defer tick.Stop()
	next := 1
	var again []int
	for b.ctx.Err() == nil {
		parts := again
		for len(parts) < b.parameters.Together {
			parts = append(parts, next)
			next++
		}
		var answers map[string]int
		again, answers = b.together(parts)
		select {
		case answered <- answers:
		default:
		}
		select {
		case <-tick.C:
		case <-b.ctx.Done():
		}
	}
}

// together delivers some parts at once, and gives those that were refused.
func (b *batch) together(parts []int) (refused []int, answers map[string]int) {
	var mu sync.Mutex
	answers = map[string]int{}
	var sending sync.WaitGroup
	for _, part := range parts {
		sending.Go(func() {
			answer := b.send(part)
			mu.Lock()
			defer mu.Unlock()
			answers[answer]++
			if answer != "202" {
				refused = append(refused, part)
			}
		})
	}
	sending.Wait()
	return refused, answers
}

type importLine struct {
	Customer string `json:"customer"`
	SKU      string `json:"sku"`
	Quantity int    `json:"quantity"`
}

func (b *batch) send(part int) string {
	body := struct {
		Batch string       `json:"batch"`
		Part  int          `json:"part"`
		Lines []importLine `json:"lines"`
	}{b.name, part, make([]importLine, b.parameters.Lines)}
	for i := range body.Lines {
		n := part*b.parameters.Lines + i
		body.Lines[i] = importLine{fmt.Sprintf("m-%d", n), b.parameters.Products[(b.first+n)%len(b.parameters.Products)], 1}
	}
	err := control.Call(b.ctx, b.client, nil, http.MethodPost, b.storefront+b.parameters.Path, body, nil)
	if refusal, ok := errors.AsType[*control.Refusal](err); ok {
		return fmt.Sprint(refusal.Status)
	}
	if err != nil {
		return answerNone
	}
	return "202"
}

// LetGo delivers no more.
func (b *batch) LetGo() {
	b.end()
	b.working.Wait()
}

const (
	// deliveryGone is how long nothing must have come before a batch counts as over.
	deliveryGone = 3 * time.Second
	// deliveryDone is longer than a part that is on its way can take.
	deliveryDone = time.Second
)

// lately counts the parts of a batch that the database has received in the last moments.
func (b *batch) lately(ctx context.Context, name string) (int, error) {
	parts := 0
	err := b.database.with(ctx, func(ctx context.Context, conn *pgx.Conn) error {
		const ask = `SELECT count(*) FROM imports WHERE batch = $1 AND created_at > clock_timestamp() - make_interval(secs => $2)`
		return conn.QueryRow(ctx, ask, name, deliveryGone.Seconds()).Scan(&parts)
	})
	return parts, err
}

// StillPresent asks the database whether parts come in.
func (b *batch) StillPresent(ctx context.Context, encoded State) (Presence, error) {
	state, err := decode[batchState](encoded)
	if err != nil {
		return Presence{}, err
	}
	parts, err := b.lately(ctx, state.Batch)
	if err != nil {
		return Presence{}, err
	}
	if parts == 0 {
		return Presence{Subjects: []string{}, Detail: "no part of " + state.Batch + " comes in"}, nil
	}
	return Presence{
		Present: true, Subjects: []string{state.Batch},
		Detail: fmt.Sprintf("%d parts of %s came in the last %s", parts, state.Batch, deliveryGone),
	}, nil
}

// Restore delivers no more, waits until nothing is on its way, and deletes what the batch has brought.
func (b *batch) Restore(ctx context.Context, encoded State) error {
	state, err := decode[batchState](encoded)
	if err != nil {
		return err
	}
	b.LetGo()
	last := time.Now()
	return until(ctx, sessionsGoneBound, func(ctx context.Context) (string, error) {
		var deleted int64
		err := b.database.with(ctx, func(ctx context.Context, conn *pgx.Conn) error {
			var err error
			deleted, err = deleteBatch(ctx, conn, state.Batch)
			return err
		})
		if deleted > 0 {
			last = time.Now()
		}
		if err != nil || time.Since(last) > deliveryDone {
			return "", err
		}
		return fmt.Sprintf("parts of %s still come in: does the process that delivers them go on?", state.Batch), nil
	})
}

// deleteBatch says how many parts there were.
func deleteBatch(ctx context.Context, conn *pgx.Conn, name string) (int64, error) {
	var parts int64
	err := pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `DELETE FROM imported_lines WHERE batch = $1`, name); err != nil {
			return err
		}
		tag, err := tx.Exec(ctx, `DELETE FROM imports WHERE batch = $1`, name)
		parts = tag.RowsAffected()
		return err
	})
	return parts, err
}
