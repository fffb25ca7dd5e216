package repository

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/faultline-lab/faultline/deploy/local/postgres"
	"github.com/faultline-lab/faultline/e2e/bench/stats"
)

// The arms.
const (
	Off     = "off"     // the repository with telemetry off
	On      = "on"      // the repository with telemetry as the service has it, for the record
	Pgx     = "pgx"     // the same statements through the driver alone, for the record: what is the driver's, and what is ours
	Pgbench = "pgbench" // the same statements without a repository and without Go
)

// Goal is the share of pgbench's throughput that the repository must reach.
const Goal = 0.8

// Config says how long and how often.
type Config struct {
	Rounds  int
	Length  time.Duration // of one measurement, in whole seconds
	Clients []int         // as many connections, each busy all the time
	Seed    uint64
	// Folder takes the script that pgbench runs.
	Folder   string
	Progress io.Writer
}

// Round is one measurement.
type Round struct {
	Round         int     `json:"round"`
	Arm           string  `json:"arm"`
	Clients       int     `json:"clients"`
	Seconds       float64 `json:"seconds"`
	Transactions  int     `json:"transactions"`
	PerSecond     float64 `json:"transactions_per_second"`
	LatencyMillis float64 `json:"latency_mean_ms"`
}

// Row is one number of clients.
type Row struct {
	Clients   int                     `json:"clients"`
	PerSecond map[string]stats.Spread `json:"transactions_per_second"` // by arm
	// ToPgbench and ToPgx are the repository's throughput (telemetry off) as a share of the others', OnToOff what telemetry
	// leaves of it.
	ToPgbench stats.Comparison `json:"off_to_pgbench"`
	ToPgx     stats.Comparison `json:"off_to_pgx"`
	OnToOff   stats.Comparison `json:"on_to_off"`
}

// Result is the whole part.
type Result struct {
	Server  map[string]string `json:"server"` // what of its settings decides
	Pgbench string            `json:"pgbench"`
	Script  string            `json:"script"`
	Rows    []Row             `json:"rows"`
	Rounds  []Round           `json:"rounds"`
}

// Met says whether the goal is met for every number of clients.
func (r Result) Met() bool {
	for _, row := range r.Rows {
		if row.ToPgbench.Ratio.Median < Goal {
			return false
		}
	}
	return len(r.Rows) > 0
}

// Measure starts a server with the demo's settings and runs the arms in turn, each measurement in a new database, in an order
// that the seed shuffles anew for each round.
func Measure(ctx context.Context, cfg Config) (result Result, err error) {
	program, err := findPgbench()
	if err != nil {
		return result, err
	}
	server, err := postgres.Standalone(ctx, postgres.Options{
		Find: postgres.FindOptions{Progress: cfg.Progress}, MaxConnections: postgres.DefaultMaxConnections,
	})
	if err != nil {
		return result, err
	}
	defer func() { err = errors.Join(err, server.Close()) }()
	b, err := prepare(ctx, cfg, server.URL, program)
	if err != nil {
		return result, err
	}
	defer func() { err = errors.Join(err, b.close()) }()
	if result.Server, err = settingsOf(ctx, server.URL); err != nil {
		return result, err
	}
	result.Script = b.pgbench.script.Text
	if result.Pgbench, err = versionOf(ctx, program); err != nil {
		return result, err
	}
	for _, clients := range cfg.Clients {
		rounds, err := b.rounds(ctx, clients)
		if err != nil {
			return result, err
		}
		result.Rounds = append(result.Rounds, rounds...)
		result.Rows = append(result.Rows, summarise(clients, rounds, cfg.Seed))
	}
	return result, nil
}

func (b *bench) rounds(ctx context.Context, clients int) ([]Round, error) {
	var rounds []Round
	for i, order := range stats.Order([]string{Off, On, Pgx, Pgbench}, b.cfg.Rounds, b.cfg.Seed+uint64(clients)) {
		for _, arm := range order {
			round, err := b.round(ctx, arm, clients)
			if err != nil {
				return nil, fmt.Errorf("round %d, %d clients, %s: %w", i+1, clients, arm, err)
			}
			round.Round = i + 1
			rounds = append(rounds, round)
			fmt.Fprintf(b.cfg.Progress, "repository  round %d of %d  %d clients  %-7s  %6.0f transactions/s\n",
				i+1, b.cfg.Rounds, clients, arm, round.PerSecond)
		}
	}
	return rounds, nil
}

func summarise(clients int, rounds []Round, seed uint64) Row {
	// Within one round the arms come in any order; by arm the rounds are in the order of their numbers.
	byArm := map[string][]float64{}
	for _, round := range rounds {
		byArm[round.Arm] = append(byArm[round.Arm], round.PerSecond)
	}
	row := Row{Clients: clients, PerSecond: map[string]stats.Spread{}}
	for arm, values := range byArm {
		row.PerSecond[arm] = stats.Of(values)
	}
	row.ToPgbench = stats.Compare(byArm[Off], byArm[Pgbench], seed)
	row.ToPgx = stats.Compare(byArm[Off], byArm[Pgx], seed)
	row.OnToOff = stats.Compare(byArm[On], byArm[Off], seed)
	return row
}
