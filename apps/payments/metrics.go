package payments

import (
	"go.opentelemetry.io/otel/metric"

	"github.com/faultline-lab/faultline/apps/internal/counts"
)

const scope = "github.com/faultline-lab/faultline/apps/payments"

// result is what became of an authorisation that was asked for.
type result string

const (
	authorized result = "authorized"
	repeated   result = "repeated" // asked for again under its key
	declined   result = "declined"
)

func newAuthorizationCounter(meters metric.MeterProvider) (*counts.Counter[result], error) {
	return counts.New(meters.Meter(scope), counts.Config[result]{
		Name: "payments.authorizations", Unit: "{authorization}", Help: "Authorisations that were asked for, by what became of them.",
		Label: "result", Values: []result{authorized, repeated, declined},
	})
}
