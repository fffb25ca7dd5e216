package payments

import (
	"context"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/faultline-lab/faultline/apps/internal/service"
)

// name is the workload's name.
const name = "payments"

// Config is the command line of the payments program.
type Config struct {
	Service service.Flags `embed:""`

	Latency           time.Duration `default:"80ms" help:"How long a payment typically takes; single ones vary by a tenth or two."`
	DeclineAboveCents int64         `default:"1000000" help:"Amounts above this are declined; everything else is authorised."`
	MaxKeys           int           `default:"20000" help:"Idempotency keys that are remembered: at 40 payments a second, the last 8 minutes."`
	RequestTimeout    time.Duration `default:"550ms" help:"The longest that one request may take; orders waits 0.6 s."`
}

// Validate says what is wrong with the flags' values.
func (c Config) Validate() error {
	var own error
	if c.Latency < 0 || c.RequestTimeout <= 0 || c.DeclineAboveCents <= 0 || c.MaxKeys <= 0 {
		own = errors.New("--latency cannot be negative; --request-timeout, --decline-above-cents and --max-keys must be positive")
	}
	return errors.Join(c.Service.Validate(), own)
}

// Serve runs the payments service until ctx ends.
func Serve(ctx context.Context, cfg Config, stdout io.Writer) error {
	if err := cfg.Validate(); err != nil {
		return err
	}
	return service.Run(ctx, name, cfg.Service, stdout, cfg.build)
}

func (c Config) build(_ context.Context, s *service.Service) (http.Handler, error) {
	extra, err := NewExtraLatency(s.Telemetry.MeterProvider())
	if err != nil {
		return nil, err
	}
	provider, err := NewProvider(ProviderConfig{
		Latency: extra.OnTopOf(Latency(c.Latency, Normal)), LimitCents: c.DeclineAboveCents, MaxKeys: c.MaxKeys,
		MeterProvider: s.Telemetry.MeterProvider(),
	})
	if err != nil {
		return nil, err
	}
	return Handler(provider, extra, NewFailing(), s.Log, c.RequestTimeout), nil
}
