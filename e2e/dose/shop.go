package dose

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/faultline-lab/faultline/chaos/control"
	"github.com/faultline-lab/faultline/chaos/target"
	"github.com/faultline-lab/faultline/observability/endpoints"
	"github.com/faultline-lab/faultline/observability/query"
)

const callBound = 5 * time.Second

// Measure reads the size of a running shop: what its pools say of themselves, and what the load generator is set to.
func Measure(ctx context.Context, stack endpoints.Stack) (Shop, error) {
	var shop Shop
	var load struct {
		Rate int `json:"checkouts_per_second"`
	}
	client := &http.Client{Timeout: callBound}
	if err := control.Call(ctx, client, nil, http.MethodGet, stack.Endpoints.Loadgen+"/v1/rate", nil, &load); err != nil {
		return shop, fmt.Errorf("the load generator: %w", err)
	}
	prometheus, err := query.NewPrometheus(query.Config{URL: stack.Endpoints.Prometheus, Client: client})
	if err != nil {
		return shop, err
	}
	replicas, err := replicasOf(ctx, stack)
	if err != nil {
		return shop, err
	}
	series, err := pools(ctx, prometheus, replicas)
	if err != nil {
		return shop, fmt.Errorf("the size of the pools: %w", err)
	}
	if len(series) == 0 || load.Rate == 0 {
		return shop, fmt.Errorf("the size of the shop cannot be told: %d pools, %d checkouts/s", len(series), load.Rate)
	}
	return Shop{Connections: int(series[0].Value), Rate: load.Rate}, nil
}

// firstScrapes is how long a stack that has only just come up may take until Prometheus knows its pools.
const firstScrapes = 20 * time.Second

// replicasOf counts the replicas of orders that serve: a pool that was not read yet must not be missed.
func replicasOf(ctx context.Context, stack endpoints.Stack) (int, error) {
	supervisor, err := target.Open(stack)
	if err != nil {
		return 0, err
	}
	orders, err := supervisor.Workload(ctx, "orders")
	if err != nil {
		return 0, err
	}
	ready := 0
	for _, replica := range orders.Replicas {
		if replica.State == control.Ready {
			ready++
		}
	}
	return ready, nil
}

// pools asks for the size of orders' pools until those of all its replicas were read.
func pools(ctx context.Context, prometheus *query.Prometheus, replicas int) ([]query.Sample, error) {
	all := fmt.Sprintf(`sum(db_client_connection_max{job="orders"}) and on() count(db_client_connection_max{job="orders"}) >= %d`, replicas)
	for deadline := time.Now().Add(firstScrapes); ; {
		series, err := prometheus.Instant(ctx, all, time.Now())
		if err != nil || len(series) > 0 || time.Now().After(deadline) {
			return series, err
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(500 * time.Millisecond):
		}
	}
}
