package payments

import (
	"math"
	"math/rand/v2"
	"time"
)

// Spread of the latency: with a sigma of 0.12, one payment in a hundred takes a third longer than usual; nothing goes
// beyond half or double.
const (
	sigma   = 0.12
	fastest = 0.5
	slowest = 2.0
)

// Latency gives a source of times around typical: lognormal, as round trips to a provider are, and clipped. The source
// may be used by several goroutines when normal may.
func Latency(typical time.Duration, normal func() float64) func() time.Duration {
	return func() time.Duration {
		factor := math.Exp(sigma * normal())
		return time.Duration(float64(typical) * min(max(factor, fastest), slowest))
	}
}

// Normal is the process's own source of normally distributed numbers.
func Normal() float64 { return rand.NormFloat64() }
