package capacity

import (
	"fmt"
	"math"
	"time"

	"github.com/faultline-lab/faultline/slo/internal/figure"
)

// Replica is what one replica's pool was measured to do over a window.
type Replica struct {
	ID   string `json:"id"`
	Size int    `json:"max_connections"` // the most connections that the pool may have
	// Busy is the mean number of connections in use by Little's law: seconds of holding that were ended in the window, for
	// each second of it.
	Busy figure.Figure `json:"busy"`
	// Counted is the mean number of connections in use as they were counted at the scrapes, and Least the smallest. Load and
	// scrapes both keep an even beat, so the mean of short holds may be far off; a connection that is never given back is in
	// every count.
	Counted figure.Figure `json:"counted"`
	Least   figure.Figure `json:"counted_at_least"`
	// Uses is how often a second a connection was given back.
	Uses figure.Figure `json:"uses_per_second"`
	// Timeouts is how many callers gave up waiting in the window.
	Timeouts figure.Figure `json:"timeouts"`
}

// Load is what one workload's pool was measured to do, over all of its replicas.
type Load struct {
	Workload string    `json:"workload"`
	Pool     string    `json:"pool"`
	Replicas []Replica `json:"replicas"`
	// Requests is the rate of what the plan is for (the checkouts at the edge), a second; not of the pool's own uses.
	Requests figure.Figure `json:"requests_per_second"`
}

// Connections is the most that all replicas may have open.
func (l Load) Connections() int {
	total := 0
	for _, replica := range l.Replicas {
		total += replica.Size
	}
	return total
}

// Size is the pool of the smallest replica, which is that of the next one too.
func (l Load) Size() int {
	if len(l.Replicas) == 0 {
		return 0
	}
	smallest := math.MaxInt
	for _, replica := range l.Replicas {
		smallest = min(smallest, replica.Size)
	}
	return smallest
}

// Busy is the mean number of connections in use, by Little's law.
func (l Load) Busy() figure.Figure {
	return l.sum(func(r Replica) figure.Figure { return r.Busy })
}

// Uses is how often a second a connection was given back.
func (l Load) Uses() figure.Figure {
	return l.sum(func(r Replica) figure.Figure { return r.Uses })
}

// Hold is how long a use lasts, in seconds: the mean of all of them, the short ones of background work included.
func (l Load) Hold() figure.Figure { return l.Busy().Over(l.Uses()) }

// Demand is what a request costs, in connection-seconds: all of its uses of the pool together. Background work is in it,
// as if requests caused it.
func (l Load) Demand() figure.Figure { return l.Busy().Over(l.Requests) }

// InUse is the share of the connections that is in use.
func (l Load) InUse() figure.Figure { return l.Busy().Over(figure.Figure(l.Connections())) }

// Saturation is the rate of requests at which the first replica's pool is full, while every replica keeps its share of
// them: the present rate, times how many times the busiest replica's present use fits into its pool.
func (l Load) Saturation() figure.Figure {
	times := figure.Figure(math.Inf(1))
	for _, replica := range l.Replicas {
		fits := figure.Figure(replica.Size).Over(replica.Busy)
		if !fits.Known() {
			return figure.Unknown()
		}
		times = min(times, fits)
	}
	return l.Requests * times
}

// SaturationOfOne is the rate of requests that fills the pool of one replica: its size / the demand.
func (l Load) SaturationOfOne() figure.Figure { return figure.Figure(l.Size()).Over(l.Demand()) }

// Headroom is the share of the saturation rate that is not yet asked for.
func (l Load) Headroom() figure.Figure { return 1 - l.Requests.Over(l.Saturation()) }

func (l Load) sum(of func(Replica) figure.Figure) figure.Figure {
	total := figure.Figure(0)
	for _, replica := range l.Replicas {
		total += of(replica)
	}
	if len(l.Replicas) == 0 {
		return figure.Unknown()
	}
	return total
}

// few is how many requests a window must hold: the mean of fewer is a guess.
const few = 100

// Doubts says in sentences why the figures are not fit for planning; nothing when they are.
func (l Load) Doubts(window time.Duration) []string {
	var doubts []string
	say := func(format string, args ...any) { doubts = append(doubts, fmt.Sprintf(format, args...)) }
	name := fmt.Sprintf("pool %s of %s", l.Pool, l.Workload)
	switch seen := float64(l.Requests) * window.Seconds(); {
	case !l.Busy().Known() || !l.Requests.Known():
		say("%s: nothing is known of its use in the last %s; is anybody using it, and does Prometheus scrape it?", name, window)
		return doubts
	case seen < few:
		say("%s: only %.0f requests in %s, which is too few for a mean; measure under load, or over a longer --window", name, seen, window)
	}
	for _, replica := range l.Replicas {
		if replica.Timeouts > 0 {
			say("%s: callers of %s gave up waiting %.0f times in %s, so this pool is full now. Requests that never got a connection "+
				"make the demand look smaller than it is: measure below saturation", name, replica.ID, replica.Timeouts, window)
		}
		if replica.Least >= 1 && replica.Counted-replica.Busy >= 0.8 {
			say("%s: %s counts %.1f connections in use where the law gives %.1f: somebody holds connections and does not give "+
				"them back (a leak, or a very long query)", name, replica.ID, replica.Counted, replica.Busy)
		}
	}
	if mean := l.Saturation().Over(l.Requests.Over(l.InUse())); mean < 0.8 {
		say("%s: its replicas do not share the work evenly, so the busiest is full when all of them together are %.0f %% full", name, 100*mean)
	}
	return doubts
}
