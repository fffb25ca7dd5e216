package capacity

import (
	"fmt"
	"math"

	"github.com/faultline-lab/faultline/slo/internal/figure"
)

// Server is the database server's slots.
type Server struct {
	MaxConnections int `json:"max_connections"`
	// Reserved slots are kept for superusers and for roles with pg_use_reserved_connections; pools get none of them.
	Reserved int `json:"reserved"`
	// Others are sessions that are of none of the pools: the healer's, people's, jobs'.
	Others int `json:"other_sessions"`
}

// Free is how many sessions all pools may have together; below zero when others have taken more than there is.
func (s Server) Free() int { return s.MaxConnections - s.Reserved - s.Others }

// Fits is how many replicas of one pool fit when each has so many connections and the other pools keep theirs.
func (s Server) Fits(size, otherPools int) int {
	if size <= 0 {
		return 0
	}
	return max(0, (s.Free()-otherPools)/size)
}

// OtherPools is what the pools beside one may open, each with all of its replicas.
func OtherPools(all []Load, one Load) int {
	total := 0
	for _, load := range all {
		if load.Workload != one.Workload || load.Pool != one.Pool {
			total += load.Connections()
		}
	}
	return total
}

// Wish is what a plan is made for.
type Wish struct {
	Rate     float64 `json:"requests_per_second"`
	Headroom float64 `json:"headroom"` // share of the saturation rate that is to be left
}

// Plan is what a wish takes of one pool.
type Plan struct {
	Workload string `json:"workload"`
	Pool     string `json:"pool"`
	// Replicas that the rate needs, 0 when that is not known; Connections is what they may open together.
	Replicas    int `json:"replicas"`
	Connections int `json:"connections"`
	// Fit is how many replicas the server has slots for; nil when its slots are not known.
	Fit *int `json:"replicas_that_fit"`
	// Carries is the rate that so many replicas carry with that headroom.
	Carries figure.Figure `json:"carries_requests_per_second"`
	Verdict string        `json:"verdict"`
}

// PlanFor says how many replicas of a pool a rate needs with headroom, and whether they fit: n = rate x demand / (size x
// (1 - headroom)), rounded up.
func PlanFor(load Load, all []Load, wish Wish, server *Server) Plan {
	plan := Plan{Workload: load.Workload, Pool: load.Pool, Carries: figure.Unknown()}
	if server != nil {
		fit := server.Fits(load.Size(), OtherPools(all, load))
		plan.Fit = &fit
	}
	one := load.SaturationOfOne() * figure.Figure(1-wish.Headroom)
	if !one.Known() || one <= 0 {
		plan.Verdict = "unknown: nothing was measured of this pool's use"
		return plan
	}
	plan.Replicas = max(1, int(math.Ceil(wish.Rate/float64(one)-1e-9)))
	plan.Connections = plan.Replicas * load.Size()
	plan.Carries = one * figure.Figure(plan.Replicas)
	plan.Verdict = plan.verdict(load, one)
	return plan
}

func (p Plan) verdict(load Load, one figure.Figure) string {
	switch more := p.Replicas - len(load.Replicas); {
	case p.Fit == nil:
		return "whether that fits is unknown: give --database-url or --max-connections"
	case p.Replicas > *p.Fit:
		return fmt.Sprintf("does not fit: %d replicas do, for %.0f/s; raise max_connections or shorten the hold", *p.Fit, float64(*p.Fit)*float64(one))
	case more > 0:
		return fmt.Sprintf("fits: add %d", more)
	case more < 0:
		return fmt.Sprintf("fits, with %d fewer than now", -more)
	default:
		return "fits, as it is"
	}
}

// First is the pool that is full first, and so decides; false when no pool's saturation rate is known.
func First(loads []Load) (Load, bool) {
	var first Load
	found := false
	for _, load := range loads {
		if rate := load.Saturation(); rate.Known() && (!found || rate < first.Saturation()) {
			first, found = load, true
		}
	}
	return first, found
}
