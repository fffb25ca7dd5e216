package capacity

import (
	"math"

	"github.com/faultline-lab/faultline/slo/internal/figure"
)

// Patience is how long a request may wait for a connection and still be served well.
type Patience struct {
	// Wait is in seconds: what is left of the promise after everything else, or the acquire timeout where that is shorter.
	Wait float64 `json:"wait_s"`
	// Share of the requests that must not wait longer, such as 0.95.
	Share float64 `json:"share"`
}

// ErlangC is the probability that a caller of c connections has to wait at all, when `offered` of them are in use on
// average, arrivals are random (Poisson) and holds are exponential: the M/M/c queue. 1 when offered >= c. Computed from
// Erlang's B by its recursion, which neither overflows nor divides by factorials (M. Harchol-Balter, "Performance Modeling
// and Design of Computer Systems", 2013, chapter 14).
func ErlangC(c int, offered float64) float64 {
	if offered >= float64(c) {
		return 1
	}
	blocked := 1.0
	for k := 1; k <= c; k++ {
		blocked = offered * blocked / (float64(k) + offered*blocked)
	}
	utilisation := offered / float64(c)
	return blocked / (1 - utilisation + utilisation*blocked)
}

// WaitsLonger is the probability that a caller waits longer than t seconds: C(c, a) x exp(-(c - a) x t / hold), exact for
// the M/M/c queue served in order of arrival (J. F. Shortle, J. M. Thompson, D. Gross, C. M. Harris, "Fundamentals of
// Queueing Theory", the M/M/c chapter). Holds that vary less, as ours do, wait less: it errs to the safe side.
func WaitsLonger(c int, offered, hold, t float64) float64 {
	if offered >= float64(c) {
		return 1
	}
	return ErlangC(c, offered) * math.Exp(-(float64(c)-offered)*t/hold)
}

// GoodRateOfOne is the highest rate of requests at which so large a share of them finds a connection within its patience,
// at one replica, when requests arrive at random. It is below the saturation rate: at saturation, random arrivals wait
// without bound. All uses of one request are taken for a single one, which errs to the safe side.
func (l Load) GoodRateOfOne(p Patience) figure.Figure {
	demand, size := float64(l.Demand()), l.Size()
	if !l.Demand().Known() || demand <= 0 || p.Wait <= 0 {
		return figure.Unknown()
	}
	// The probability rises with the load, so half the interval goes away each time.
	low, high := 0.0, float64(size)
	for range 60 {
		middle := (low + high) / 2
		if WaitsLonger(size, middle, demand, p.Wait) <= 1-p.Share {
			low = middle
		} else {
			high = middle
		}
	}
	return figure.Figure(low / demand)
}

// GoodRate is that of all replicas, limited by the busiest like Saturation.
func (l Load) GoodRate(p Patience) figure.Figure {
	return l.Saturation() * l.GoodRateOfOne(p).Over(l.SaturationOfOne())
}
