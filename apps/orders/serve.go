package orders

import (
	"context"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/faultline-lab/faultline/apps/internal/database"
	"github.com/faultline-lab/faultline/apps/internal/jsonhttp"
	"github.com/faultline-lab/faultline/apps/internal/service"
)

// name is the workload's name.
const name = "orders"

// Config is the command line of the orders program.
type Config struct {
	Service  service.Flags  `embed:""`
	Database database.Flags `embed:"" set:"pool_max=4"`

	InventoryURL string `required:"" placeholder:"URL" help:"Base URL of inventory."`
	PaymentsURL  string `required:"" placeholder:"URL" help:"Base URL of payments."`

	RequestTimeout   time.Duration `default:"800ms" help:"The longest that one request may take; storefront waits 0.9 s."`
	InventoryTimeout time.Duration `default:"500ms" help:"The longest that one call to inventory may take."`
	PaymentsTimeout  time.Duration `default:"600ms" help:"The longest that one payment may take. The order's transaction is open meanwhile."`
	DialTimeout      time.Duration `default:"250ms" help:"The longest that connecting to inventory or payments may take."`
	RelayTick        time.Duration `default:"250ms" help:"Pause between two looks at the outbox."`
}

// Validate says what is wrong with the flags' values.
func (c Config) Validate() error {
	var own error
	if c.RequestTimeout <= 0 || c.InventoryTimeout <= 0 || c.PaymentsTimeout <= 0 || c.DialTimeout <= 0 || c.RelayTick <= 0 {
		own = errors.New("the timeouts and --relay-tick must be positive")
	}
	return errors.Join(c.Service.Validate(), c.Database.Validate(), own)
}

// Serve runs the orders service until ctx ends.
func Serve(ctx context.Context, cfg Config, stdout io.Writer) error {
	if err := cfg.Validate(); err != nil {
		return err
	}
	return service.Run(ctx, name, cfg.Service, stdout, cfg.build)
}

func (c Config) build(ctx context.Context, s *service.Service) (http.Handler, error) {
	pool, err := c.openPool(ctx, s)
	if err != nil {
		return nil, err
	}
	s.OnClose("database pool", pool.Close)
	s.OnDrain(pool.Drain)

	client := &http.Client{Transport: s.Telemetry.Transport(jsonhttp.NewTransport(c.DialTimeout))}
	store, inventory := NewPostgres(pool), NewInventory(client, c.InventoryURL, c.InventoryTimeout)
	placement, err := NewPlacement(PlacementConfig{
		Store: store, Stock: inventory, Payments: NewProvider(client, c.PaymentsURL, c.PaymentsTimeout), Log: s.Log,
		MeterProvider: s.Telemetry.MeterProvider(),
	})
	if err != nil {
		return nil, err
	}
	s.OnClose("compensations", placement.Wait)

	relay, err := NewRelay(RelayConfig{
		Outbox: store, Inventory: inventory, Log: s.Log, MeterProvider: s.Telemetry.MeterProvider(), Tick: c.RelayTick,
	})
	if err != nil {
		return nil, err
	}
	s.Background("outbox relay", relay.Run)
	return Handler(placement, s.Log, c.RequestTimeout), nil
}

func (c Config) openPool(ctx context.Context, s *service.Service) (*database.Pool, error) {
	migrations, err := Migrations()
	if err != nil {
		return nil, err
	}
	return database.Open(ctx, database.Config{
		Flags: c.Database, Workload: name, Instance: c.Service.Instance, Migrations: migrations, Bare: !s.Telemetry.Enabled(),
		TracerProvider: s.Telemetry.TracerProvider(), MeterProvider: s.Telemetry.MeterProvider(),
	})
}
