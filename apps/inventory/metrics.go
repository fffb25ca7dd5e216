package inventory

import (
	"go.opentelemetry.io/otel/metric"

	"github.com/faultline-lab/faultline/apps/internal/counts"
)

// result is what was done about a reservation. Only what changed something is counted, and counted once its transaction
// has been committed; but repeated and refused, which change nothing, tell what callers are up to.
type result string

const (
	reserved  result = "reserved"
	repeated  result = "repeated" // the id had its reservation already
	refused   result = "refused"  // out of stock, an unknown product, an id that cannot be used again, a bad request
	committed result = "committed"
	released  result = "released"
	expired   result = "expired"
)

func newReservationCounter(meters metric.MeterProvider) (*counts.Counter[result], error) {
	return counts.New(meters.Meter("github.com/faultline-lab/faultline/apps/inventory"), counts.Config[result]{
		Name: "inventory.reservations", Unit: "{reservation}", Help: "Reservations, by what was done about them.",
		Label: "result", Values: []result{reserved, repeated, refused, committed, released, expired},
	})
}
