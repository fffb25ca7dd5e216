package inventory

import (
	"context"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/faultline-lab/faultline/apps/internal/database"
	"github.com/faultline-lab/faultline/apps/internal/service"
)

// name is the workload's name.
const name = "inventory"

// Config is the command line of the inventory program.
type Config struct {
	Service  service.Flags  `embed:""`
	Database database.Flags `embed:"" set:"pool_max=6"`

	RequestTimeout time.Duration `default:"450ms" help:"The longest that one request may take; orders waits 0.5 s."`
	ReservationTTL time.Duration `default:"60s" help:"A reservation that is neither committed nor released expires after this. It must be far longer than the relay of orders takes."`
	SweepTick      time.Duration `default:"2s" help:"Pause between two looks for expired reservations."`
}

// Validate says what is wrong with the flags' values.
func (c Config) Validate() error {
	var own error
	if c.RequestTimeout <= 0 || c.ReservationTTL <= 0 || c.SweepTick <= 0 {
		own = errors.New("--request-timeout, --reservation-ttl and --sweep-tick must be positive")
	}
	return errors.Join(c.Service.Validate(), c.Database.Validate(), own)
}

// Serve runs the inventory service until ctx ends.
func Serve(ctx context.Context, cfg Config, stdout io.Writer) error {
	if err := cfg.Validate(); err != nil {
		return err
	}
	return service.Run(ctx, name, cfg.Service, stdout, cfg.build)
}

func (c Config) build(ctx context.Context, s *service.Service) (http.Handler, error) {
	migrations, err := Migrations()
	if err != nil {
		return nil, err
	}
	pool, err := database.Open(ctx, database.Config{
		Flags: c.Database, Workload: name, Instance: c.Service.Instance, Migrations: migrations, Bare: !s.Telemetry.Enabled(),
		TracerProvider: s.Telemetry.TracerProvider(), MeterProvider: s.Telemetry.MeterProvider(),
	})
	if err != nil {
		return nil, err
	}
	s.OnClose("database pool", pool.Close)
	s.OnDrain(pool.Drain)
	probe, err := database.NewProbe(database.ProbeConfig{
		Flags: c.Database, Workload: name, Instance: c.Service.Instance, Registerer: s.Telemetry.Registerer(), Log: s.Log,
	})
	if err != nil {
		return nil, err
	}
	s.Background("round trip probe", probe.Run)

	store, err := NewPostgres(PostgresConfig{Pool: pool, TTL: c.ReservationTTL, MeterProvider: s.Telemetry.MeterProvider()})
	if err != nil {
		return nil, err
	}
	s.Background("sweeper", Sweeper{Expirer: store, Log: s.Log, Tick: c.SweepTick}.Run)
	return Handler(store, s.Log, c.RequestTimeout), nil
}
