package orders

import (
	"context"
	"errors"
	"time"

	"github.com/faultline-lab/faultline/apps/internal/database"
	"github.com/faultline-lab/faultline/apps/internal/service"
	"github.com/faultline-lab/faultline/observability/telemetry"
)

// StoreConfig is what OpenStore needs; every field is required.
type StoreConfig struct {
	DatabaseURL string
	PoolMax     int32
	Telemetry   *telemetry.Telemetry
}

// OpenStore opens the store as the service opens it, without the service, for whoever measures the repository layer and its
// pool alone. The schema is brought up to date. Call the function that comes with it when the store is no longer used.
func OpenStore(ctx context.Context, cfg StoreConfig) (*Postgres, func(context.Context) error, error) {
	if cfg.Telemetry == nil {
		return nil, nil, errors.New("orders: a store needs Telemetry; one that is off will do")
	}
	alone := Config{
		Service: service.Flags{Instance: name + "-bench"},
		Database: database.Flags{
			DatabaseURL: cfg.DatabaseURL, PoolMax: cfg.PoolMax,
			// Nobody is refused: what is measured is work and not waiting.
			AcquireTimeout: time.Minute, ConnectionLifetime: time.Hour, DatabaseWait: 10 * time.Second,
		},
	}
	pool, err := alone.openPool(ctx, &service.Service{Telemetry: cfg.Telemetry, Log: cfg.Telemetry.Logger()})
	if err != nil {
		return nil, nil, err
	}
	return NewPostgres(pool), pool.Close, nil
}
