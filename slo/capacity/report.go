package capacity

import (
	"time"

	"github.com/faultline-lab/faultline/slo/internal/figure"
)

// Report is everything that `slo capacity` says.
type Report struct {
	At            time.Time     `json:"at"`
	WindowSeconds float64       `json:"window_s"`
	Requests      figure.Figure `json:"requests_per_second"`
	Latency       figure.Figure `json:"mean_latency_s"`
	// Patience is what the good rates are made with.
	Patience Patience `json:"patience"`
	Pools    []Row    `json:"pools"`
	// First is the pool that is full first, as workload/pool, and Saturation the rate of requests at which it is.
	First      string        `json:"first_to_saturate"`
	Saturation figure.Figure `json:"saturation_requests_per_second"`

	// Server is nil where nobody could say what slots there are.
	Server *Server  `json:"server"`
	Others []string `json:"other_sessions,omitempty"`
	Shapes []Shape  `json:"shapes,omitempty"`

	Wish  *Wish  `json:"wish,omitempty"`
	Plans []Plan `json:"plans,omitempty"`

	Doubts []string `json:"doubts,omitempty"`
}

// Row is one pool's figures: what was measured, and what follows.
type Row struct {
	Load
	Connections     int           `json:"connections"`
	Uses            figure.Figure `json:"uses_per_second"`
	HoldSeconds     figure.Figure `json:"mean_hold_s"`
	Demand          figure.Figure `json:"connection_seconds_per_request"`
	Busy            figure.Figure `json:"busy"`
	InUse           figure.Figure `json:"in_use_share"`
	SaturationOfOne figure.Figure `json:"saturation_of_one_replica"`
	Saturation      figure.Figure `json:"saturation"`
	GoodRate        figure.Figure `json:"good_rate"`
	Headroom        figure.Figure `json:"headroom_share"`
}

// Shape is one way to spend the server's slots on the pool that is full first: so many replicas with so many connections.
type Shape struct {
	Size       int           `json:"max_connections_of_one"`
	Replicas   int           `json:"replicas_that_fit"`
	Saturation figure.Figure `json:"saturation"`
}

// Promise is what a request must keep: good within so many seconds, at so large a share; and how long a caller waits for a
// connection before it gives up.
type Promise struct {
	GoodWithin     time.Duration
	AcquireTimeout time.Duration
	Share          float64
}

// patience is what a request may wait for a connection: the promise less the time that it takes without waiting. The mean
// latency stands for that; it holds the present wait too, which is little while the pool is far from full.
func (p Promise) patience(latency figure.Figure) Patience {
	wait := p.GoodWithin.Seconds()
	if latency.Known() {
		wait -= float64(latency)
	}
	return Patience{Wait: max(0, min(wait, p.AcquireTimeout.Seconds())), Share: p.Share}
}

// NewReport draws the conclusions. The server may be nil, where nobody could say; so may the wish, where nothing is asked for.
func NewReport(m Measured, promise Promise, server *Server, others []string, wish *Wish) Report {
	r := Report{
		At: m.At.UTC(), WindowSeconds: m.Window.Seconds(), Requests: m.Requests, Latency: m.Latency, Patience: promise.patience(m.Latency),
		Server: server, Others: others, Wish: wish, Saturation: figure.Unknown(),
	}
	for _, load := range m.Loads {
		r.Pools = append(r.Pools, r.row(load))
		r.Doubts = append(r.Doubts, load.Doubts(m.Window)...)
		if wish != nil {
			r.Plans = append(r.Plans, PlanFor(load, m.Loads, *wish, server))
		}
	}
	if first, ok := First(m.Loads); ok {
		r.First, r.Saturation = first.Workload+"/"+first.Pool, first.Saturation()
		if server != nil {
			r.Shapes = shapes(first, m.Loads, *server)
		}
	}
	return r
}

func (r Report) row(load Load) Row {
	return Row{
		Load: load, Connections: load.Connections(), Uses: load.Uses(), HoldSeconds: load.Hold(), Demand: load.Demand(), Busy: load.Busy(),
		InUse: load.InUse(), SaturationOfOne: load.SaturationOfOne(), Saturation: load.Saturation(), GoodRate: load.GoodRate(r.Patience),
		Headroom: load.Headroom(),
	}
}

// shapes are the present size and some around it, with as many replicas as fit.
func shapes(load Load, all []Load, server Server) []Shape {
	var result []Shape
	others, size := OtherPools(all, load), load.Size()
	for _, one := range []int{max(1, size/2), size, size * 3 / 2, size * 2, size * 4} {
		if n := len(result); n > 0 && result[n-1].Size == one {
			continue
		}
		fit := server.Fits(one, others)
		result = append(result, Shape{one, fit, figure.Figure(one * fit).Over(load.Demand())})
	}
	return result
}
