package storefront

import (
	"context"
	"encoding/json"

	"github.com/faultline-lab/faultline/apps/internal/service"
	"github.com/faultline-lab/faultline/apps/storefront/mode"
	"github.com/faultline-lab/faultline/apps/storefront/queue"
)

// openQueue opens the queue of accepted orders, or gives nil when there is to be none.
func (c Config) openQueue(ctx context.Context, s *service.Service) (*queue.Queue, error) {
	if c.Queue == "" {
		return nil, nil
	}
	opened, err := queue.Open(ctx, queue.Config{Path: c.Queue, MeterProvider: s.Telemetry.MeterProvider()})
	if err != nil {
		return nil, err
	}
	s.OnClose("queue of accepted orders", func(context.Context) error { return opened.Close() })
	return opened, nil
}

// complete has what was accepted placed: a trickle while the mode is accept, by which one sees whether orders works again,
// and otherwise at a rate that leaves orders room for the customers who are there now.
func (c Config) complete(s *service.Service, shop api) error {
	if shop.Queue == nil {
		return nil
	}
	worker, err := queue.NewWorker(queue.WorkerConfig{
		Queue: shop.Queue, Log: s.Log,
		Rate: func() float64 {
			if shop.Mode().Mode == mode.Accept {
				return c.Trickle
			}
			return c.Drain
		},
		Complete: func(ctx context.Context, entry queue.Entry) (json.RawMessage, error) {
			ctx, cancel := context.WithTimeout(ctx, shop.Deadline)
			defer cancel()
			return shop.place(ctx, shop.Mode().Mode, entry.Key, entry.Body)
		},
	})
	if err != nil {
		return err
	}
	s.Background("completion of accepted orders", worker.Run)
	return nil
}
