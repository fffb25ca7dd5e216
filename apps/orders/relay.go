package orders

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"go.opentelemetry.io/otel/metric"

	"github.com/faultline-lab/faultline/apps/internal/apierror"
	"github.com/faultline-lab/faultline/apps/internal/service"
)

// Outbox is where the relay finds what inventory must still be told. Several relays may work on one outbox.
type Outbox interface {
	// Exchange records what became of earlier messages and claims new ones, in one short use of a connection. A claim
	// that is not reported on lapses, and the message is given out again. The backlog is what is there after the report;
	// what was refused for good does not wait.
	Exchange(ctx context.Context, report Report, limit int, lease time.Duration) ([]Message, Backlog, error)
}

// action is what inventory is to do with a reservation.
type action string

const (
	commitStock  action = "commit"
	releaseStock action = "release" // of an order that was cancelled
)

// Message is one reservation to commit, or to give back.
type Message struct {
	ID            int64
	ReservationID string
	// Traceparent is the order's trace, to which the delivery belongs; empty when it had none.
	Traceparent string
	Attempts    int
	Action      action
}

// Report is what became of messages that were claimed. What is in neither list is tried again.
type Report struct {
	Delivered []int64
	Refused   []Refusal
}

// Refusal is a message that inventory refused for good: it is kept for a person to look at.
type Refusal struct {
	ID     int64
	Reason string
}

// Committer ends a reservation: makes it final, or gives its stock back. Both are idempotent.
type Committer interface {
	Commit(ctx context.Context, reservationID string) error
	Release(ctx context.Context, reservationID string) error
}

// RelayConfig is what a Relay needs; all but Tick and Lease is required.
type RelayConfig struct {
	Outbox    Outbox
	Inventory Committer
	Log       *slog.Logger
	// MeterProvider takes the counters of deliveries and the gauges of the backlog.
	MeterProvider metric.MeterProvider
	// Tick is the pause between two looks at the outbox; 250 ms by default.
	Tick time.Duration
	// Lease is how long a message is this relay's; 10 s by default, far more than its delivery takes.
	Lease time.Duration
}

// Batch and parallelism of a relay: 400 messages a second, ten times what the sheet asks for.
const (
	relayBatch   = 100
	relayWorkers = 4
)

// exchangeBound is how long one look into the outbox may take; it is a few milliseconds of work.
const exchangeBound = time.Second

func (c *RelayConfig) defaults() error {
	if c.Outbox == nil || c.Inventory == nil || c.Log == nil || c.MeterProvider == nil {
		return errors.New("orders: a relay needs Outbox, Inventory, Log and MeterProvider")
	}
	if c.Tick == 0 {
		c.Tick = 250 * time.Millisecond
	}
	if c.Lease == 0 {
		c.Lease = 10 * time.Second
	}
	return nil
}

// Relay tells inventory which reservations belong to committed orders. It delivers at least once; inventory's commit
// is idempotent, so the effect is there exactly once.
type Relay struct {
	RelayConfig
	metrics relayMetrics
	report  Report
	silent  bool // the last exchange failed, and the log has it
}

// NewRelay makes a Relay; Run works it.
func NewRelay(cfg RelayConfig) (*Relay, error) {
	if err := cfg.defaults(); err != nil {
		return nil, err
	}
	metrics, err := newRelayMetrics(cfg.MeterProvider)
	if err != nil {
		return nil, err
	}
	return &Relay{RelayConfig: cfg, metrics: metrics}, nil
}

// Run delivers until ctx ends. It always returns nil then.
func (r *Relay) Run(ctx context.Context) error {
	ticker := time.NewTicker(r.Tick)
	defer ticker.Stop()
	for {
		r.turn(ctx)
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

func (r *Relay) turn(ctx context.Context) {
	// A database that does not answer must not keep the connection: others wait for it. Untraced: four looks a second
	// would push the orders out of the trace store. The deliveries are on the traces of their orders.
	asking, cancel := context.WithTimeout(service.Untraced(ctx), exchangeBound)
	messages, backlog, err := r.Outbox.Exchange(asking, r.report, relayBatch, r.Lease)
	cancel()
	if err != nil {
		// The report is kept for the next turn. One line an outage is enough: the pool's metrics tell the rest.
		if !r.silent && ctx.Err() == nil {
			r.Log.WarnContext(ctx, "outbox not reached; trying again each tick", "error", err)
			r.silent = true
		}
		return
	}
	r.metrics.saw(backlog)
	r.silent, r.report = false, r.deliver(ctx, messages)
}

func (r *Relay) deliver(ctx context.Context, messages []Message) Report {
	var mu sync.Mutex
	var report Report
	inParallel(relayWorkers, messages, func(message Message) {
		ctx := withTraceparent(ctx, message.Traceparent)
		err := r.send(ctx, message)
		r.metrics.deliveries.Add(ctx, deliveryOf(err), 1)
		mu.Lock()
		report.add(message, err)
		mu.Unlock()
		r.logFailure(ctx, message, err)
	})
	return report
}

func (r *Relay) send(ctx context.Context, message Message) error {
	if message.Action == releaseStock {
		return r.Inventory.Release(ctx, message.ReservationID)
	}
	return r.Inventory.Commit(ctx, message.ReservationID)
}

// inParallel does the work on every item, on that many at a time, and returns when all is done.
func inParallel[T any](workers int, items []T, work func(T)) {
	var working sync.WaitGroup
	next := make(chan T)
	for range min(workers, len(items)) {
		working.Go(func() {
			for item := range next {
				work(item)
			}
		})
	}
	for _, item := range items {
		next <- item
	}
	close(next)
	working.Wait()
}

func (r *Report) add(message Message, err error) {
	switch deliveryOf(err) {
	case delivered:
		r.Delivered = append(r.Delivered, message.ID)
	case refusedDelivery:
		r.Refused = append(r.Refused, Refusal{message.ID, err.Error()})
	}
}

func (r *Relay) logFailure(ctx context.Context, message Message, err error) {
	switch result := deliveryOf(err); {
	case result == delivered || ctx.Err() != nil:
	case result == refusedDelivery:
		r.Log.ErrorContext(ctx, "inventory refused to commit the stock of an order; the outbox row stays for a person",
			"outbox_id", message.ID, "reservation_id", message.ReservationID, "error", err)
	default:
		r.Log.WarnContext(ctx, "reservation not committed; its claim lapses and it is tried again",
			"outbox_id", message.ID, "reservation_id", message.ReservationID, "attempt", message.Attempts, "error", err)
	}
}

// final says that trying again gives the same answer.
func final(err error) bool {
	return apierror.Is(err, apierror.NotFound) || apierror.Is(err, apierror.Conflict)
}
