package orders

import (
	"context"
	"log/slog"

	"go.opentelemetry.io/otel/metric"

	"github.com/faultline-lab/faultline/apps/internal/database"
)

// Extension is what a release does with orders beyond placing them. It is given to Serve by the release's own command: a
// release without it does not even contain its code (docs/decisions, 0018).
type Extension interface {
	// Placed is called once for each order that was placed, after its commit and before the customer is answered. The order
	// stands whatever comes of it; an error is logged.
	Placed(ctx context.Context, order Order) error
}

// ExtensionConfig is what an Extension may use.
type ExtensionConfig struct {
	// Pool is of the orders database.
	Pool          *database.Pool
	Log           *slog.Logger
	MeterProvider metric.MeterProvider
}

// Extend makes a release's Extension once the database is there.
type Extend func(ExtensionConfig) (Extension, error)
