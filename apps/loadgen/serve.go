package loadgen

import (
	"context"
	"io"
	"net/http"
	"time"

	"github.com/faultline-lab/faultline/apps/internal/service"
)

// Config is the program's command line.
type Config struct {
	service.Flags

	StorefrontURL string        `default:"http://127.0.0.1:8080" placeholder:"URL" help:"Where the shop answers."`
	Rate          int           `default:"40" help:"Checkouts per second; PUT /v1/rate changes it while it runs."`
	Browse        int           `default:"5" help:"Product pages per second beside them. They are not part of the SLI."`
	Seed          uint64        `default:"1" help:"Seed of the choice of customers and products."`
	Customers     int           `default:"500" help:"How many customers there are."`
	Products      int           `default:"50" help:"How many products there are, SKU-0001 on; half of the checkouts want the first."`
	MaxInFlight   int           `default:"2000" help:"Requests that may wait for an answer at once. A checkout beyond that is not sent and counts as failed."`
	OpeningWait   time.Duration `default:"30s" help:"How long to wait for the shop to serve before the load begins all the same; 0 begins at once."`
	Print         bool          `help:"Print each finished second to stdout (best with --log-level=warn)."`
}

// Serve runs the load generator until ctx ends. Lines of --print go to stdout.
func Serve(ctx context.Context, config Config, stdout io.Writer) error {
	return service.Run(ctx, "loadgen", config.Flags, stdout, build(config, stdout))
}

func build(config Config, stdout io.Writer) service.Build {
	return func(_ context.Context, s *service.Service) (http.Handler, error) {
		registerer := s.Telemetry.Registerer()
		metrics, err := NewMetrics(registerer, s.Log)
		if err != nil {
			return nil, err
		}
		transport := NewTransport(config.MaxInFlight)
		shop, err := NewHTTPShop(HTTPShopConfig{
			BaseURL:   config.StorefrontURL,
			Transport: s.Telemetry.Transport(transport),
			Tracer:    s.Telemetry.TracerProvider().Tracer("github.com/faultline-lab/faultline/apps/loadgen"),
		})
		if err != nil {
			return nil, err
		}
		history := NewHistory()
		generator, err := NewGenerator(GeneratorConfig{
			Shop: shop, Observer: metrics, Finished: finished(history, metrics, printer(config, stdout)),
			Rate: config.Rate, Browse: config.Browse, Seed: config.Seed,
			Customers: config.Customers, Products: config.Products, MaxInFlight: config.MaxInFlight,
		})
		if err != nil {
			return nil, err
		}
		if err := metrics.Watch(registerer, generator); err != nil {
			return nil, err
		}
		s.Background("generator", func(ctx context.Context) error {
			// Neither traced nor measured: the shop's first answers are not customers'.
			client := &http.Client{Transport: transport, CheckRedirect: noRedirect}
			if !awaitOpening(ctx, client, shop.base, config.OpeningWait) && ctx.Err() == nil && config.OpeningWait > 0 {
				s.Log.WarnContext(ctx, "the shop does not serve yet; the load begins all the same", "duration_ms", config.OpeningWait.Milliseconds())
			}
			generator.Run(ctx)
			return ctx.Err()
		})
		s.OnClose("connections to storefront", func(context.Context) error {
			transport.CloseIdleConnections()
			return nil
		})
		s.Streams(follows)
		ending := make(chan struct{})
		s.OnDrain(func() { close(ending) })
		return (&API{Generator: generator, History: history, Ending: ending}).Routes()
	}
}

func finished(history *History, metrics *Metrics, show func(Second)) func(Second) {
	return func(second Second) {
		history.Add(second)
		metrics.SecondFinished(second)
		show(second)
	}
}

// printer prints through a queue: a terminal that is stopped loses lines and does not stop the load.
func printer(config Config, stdout io.Writer) func(Second) {
	if !config.Print {
		return func(Second) {}
	}
	lines := make(chan Second, 64)
	go func() {
		for second := range lines {
			if Print(stdout, second) != nil {
				return // nobody reads any more
			}
		}
	}()
	return func(second Second) {
		select {
		case lines <- second:
		default:
		}
	}
}
