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
	"github.com/faultline-lab/faultline/apps/orders/imports"
	"github.com/faultline-lab/faultline/apps/orders/reports"
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
	RelayTick        time.Duration `default:"250ms" help:"Pause between two looks at the outbox, and at the deferred payments."`

	ImportTimeout        time.Duration `default:"5s" help:"The longest that one part of a marketplace's batch may take."`
	ImportAcquireTimeout time.Duration `default:"60ms" help:"The longest that a part waits for a connection. It gives up long before a checkout would: its sender tries again, all night."`
	ImportPause          time.Duration `default:"15ms" help:"Pause between two chunks of a part, so that a batch does not crowd out the shop's own writes."`
	ReportTimeout        time.Duration `default:"60s" help:"The longest that one report for the back office may take."`
	ReportPause          time.Duration `default:"500ms" help:"Pause of a report after each of its days, so that it is no load to the database."`
}

// Validate says what is wrong with the flags' values.
func (c Config) Validate() error {
	var own error
	if min(c.RequestTimeout, c.InventoryTimeout, c.PaymentsTimeout, c.DialTimeout, c.RelayTick,
		c.ImportTimeout, c.ImportAcquireTimeout, c.ReportTimeout) <= 0 {
		own = errors.New("the timeouts and --relay-tick must be positive")
	}
	if min(c.ImportPause, c.ReportPause) < 0 {
		own = errors.Join(own, errors.New("--import-pause and --report-pause cannot be negative"))
	}
	return errors.Join(c.Service.Validate(), c.Database.Validate(), own)
}

// Serve runs the orders service, with a release's extensions, until ctx ends.
func Serve(ctx context.Context, cfg Config, stdout io.Writer, extend ...Extend) error {
	if err := cfg.Validate(); err != nil {
		return err
	}
	return service.Run(ctx, name, cfg.Service, stdout, func(ctx context.Context, s *service.Service) (http.Handler, error) {
		return cfg.build(ctx, s, extend)
	})
}

func (c Config) build(ctx context.Context, s *service.Service, extend []Extend) (http.Handler, error) {
	pool, err := c.openPool(ctx, s)
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

	placement, err := c.placement(s, pool, extend)
	if err != nil {
		return nil, err
	}
	return c.handler(s, pool, placement)
}

// placement is the use case, and what follows an order that was placed.
func (c Config) placement(s *service.Service, pool *database.Pool, extend []Extend) (*Placement, error) {
	client := &http.Client{Transport: s.Telemetry.Transport(jsonhttp.NewTransport(c.DialTimeout))}
	store, inventory := NewPostgres(pool), NewInventory(client, c.InventoryURL, c.InventoryTimeout)
	added, err := extensions(s, pool, extend)
	if err != nil {
		return nil, err
	}
	payments := NewProvider(client, c.PaymentsURL, c.PaymentsTimeout)
	placement, err := NewPlacement(PlacementConfig{
		Store: store, Stock: inventory, Payments: payments, Log: s.Log,
		MeterProvider: s.Telemetry.MeterProvider(), Extensions: added,
	})
	if err != nil {
		return nil, err
	}
	s.OnClose("compensations", placement.Wait)

	return placement, c.followUp(s, store, inventory, payments)
}

// followUp starts what is done about orders after they were placed.
func (c Config) followUp(s *service.Service, store *Postgres, inventory *Inventory, payments *Provider) error {
	relay, err := NewRelay(RelayConfig{
		Outbox: store, Inventory: inventory, Log: s.Log, MeterProvider: s.Telemetry.MeterProvider(), Tick: c.RelayTick,
	})
	if err != nil {
		return err
	}
	s.Background("outbox relay", relay.Run)
	payer, err := NewPayer(PayerConfig{
		Till: store, Payments: payments, Log: s.Log, MeterProvider: s.Telemetry.MeterProvider(), Tick: c.RelayTick,
	})
	if err != nil {
		return err
	}
	s.Background("deferred payments", payer.Run)
	return nil
}

func extensions(s *service.Service, pool *database.Pool, extend []Extend) ([]Extension, error) {
	made := make([]Extension, 0, len(extend))
	for _, begin := range extend {
		extension, err := begin(ExtensionConfig{Pool: pool, Log: s.Log, MeterProvider: s.Telemetry.MeterProvider()})
		if err != nil {
			return nil, err
		}
		made = append(made, extension)
	}
	return made, nil
}

// handler is the API, the back office's part of it included.
func (c Config) handler(s *service.Service, pool *database.Pool, placement *Placement) (http.Handler, error) {
	batches, err := imports.NewAPI(imports.Config{
		Store: imports.NewPostgres(pool.WithAcquireTimeout(c.ImportAcquireTimeout), c.ImportPause),
		Log:   s.Log, MeterProvider: s.Telemetry.MeterProvider(),
	})
	if err != nil {
		return nil, err
	}
	revenue := reports.NewPostgres(pool, c.ReportPause)
	s.OnDrain(revenue.Drain)
	return Handler(APIConfig{
		Placement: placement, Imports: batches, Reports: reports.Handler(revenue, s.Log), Log: s.Log,
		Deadline: c.RequestTimeout, ImportDeadline: c.ImportTimeout, ReportDeadline: c.ReportTimeout,
	}), nil
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
