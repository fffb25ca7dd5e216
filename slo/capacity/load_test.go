package capacity_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/faultline-lab/faultline/slo/capacity"
	"github.com/faultline-lab/faultline/slo/internal/figure"
)

func near(t *testing.T, what string, got figure.Figure, want float64) {
	t.Helper()
	if math.IsNaN(want) != !got.Known() || math.Abs(float64(got)-want) > 1e-6*math.Max(1, math.Abs(want)) {
		t.Errorf("%s: got %v, want %v", what, float64(got), want)
	}
}

// sheet is the design's: two replicas of four connections, 40 checkouts a second that hold 0.1 s each.
func sheet(change ...func(*capacity.Load)) capacity.Load {
	half := func(id string) capacity.Replica {
		return capacity.Replica{ID: id, Size: 4, Busy: 2, Counted: 2, Least: 1, Uses: 20}
	}
	load := capacity.Load{Workload: "orders", Pool: "orders", Replicas: []capacity.Replica{half("orders-1"), half("orders-2")}, Requests: 40}
	for _, one := range change {
		one(&load)
	}
	return load
}

func TestWhenAPoolIsFull(t *testing.T) {
	unknown := math.NaN()
	for name, row := range map[string]struct {
		load                                            capacity.Load
		demand, inUse, saturation, ofOne, hold, headway float64
	}{
		"the sheet's pools are half in use at 40 a second, and full at 80": {
			sheet(), 0.1, 0.5, 80, 40, 0.1, 0.5,
		},
		"background work that uses the pool shortly spoils the mean hold and not the demand": {
			sheet(func(l *capacity.Load) {
				for i := range l.Replicas {
					l.Replicas[i].Uses += 20 // of no length
				}
			}), 0.1, 0.5, 80, 40, 0.05, 0.5,
		},
		"the busiest replica decides": {
			sheet(func(l *capacity.Load) { l.Replicas[0].Busy, l.Replicas[1].Busy = 3, 1 }), 0.1, 0.5, 160.0 / 3, 40, 0.1, 0.25,
		},
		"of two sizes the smaller replica is full first, and the next one is taken to be like it": {
			sheet(func(l *capacity.Load) { l.Replicas[1].Size = 8 }), 0.1, 1.0 / 3, 80, 40, 0.1, 0.5,
		},
		"a pool that nobody used has no hold, and so no saturation rate": {
			sheet(func(l *capacity.Load) {
				for i := range l.Replicas {
					l.Replicas[i].Busy, l.Replicas[i].Uses = figure.Unknown(), figure.Unknown()
				}
			}), unknown, unknown, unknown, unknown, unknown, unknown,
		},
		"one replica of which nothing is known leaves the whole unknown": {
			sheet(func(l *capacity.Load) { l.Replicas[0].Busy = figure.Unknown() }), unknown, unknown, unknown, unknown, unknown, unknown,
		},
		"without requests there is no demand": {
			sheet(func(l *capacity.Load) { l.Requests = 0 }), unknown, 0.5, 0, unknown, 0.1, unknown,
		},
	} {
		t.Run(name, func(t *testing.T) {
			near(t, "demand", row.load.Demand(), row.demand)
			near(t, "in use", row.load.InUse(), row.inUse)
			if row.load.Requests > 0 {
				near(t, "saturation", row.load.Saturation(), row.saturation)
			}
			near(t, "saturation of one", row.load.SaturationOfOne(), row.ofOne)
			near(t, "hold", row.load.Hold(), row.hold)
			near(t, "headroom", row.load.Headroom(), row.headway)
		})
	}
}

func TestFiguresThatAreNotFitForPlanningSayWhy(t *testing.T) {
	for name, row := range map[string]struct {
		change func(*capacity.Load)
		want   string // part of the only doubt; empty for none
	}{
		"a steady load needs no doubt": {func(*capacity.Load) {}, ""},
		"a full pool hides demand": {
			func(l *capacity.Load) { l.Replicas[1].Timeouts = 12 }, "orders-2 gave up waiting 12 times",
		},
		"connections that are not given back are no use of anybody": {
			func(l *capacity.Load) { l.Replicas[0].Counted, l.Replicas[0].Least = 4, 3 }, "orders-1 counts 4.0 connections in use where the law gives 2.0",
		},
		"counts that an even beat has pushed up are no leak while there is a moment without any": {
			func(l *capacity.Load) { l.Replicas[0].Counted, l.Replicas[0].Least = 3.5, 0 }, "",
		},
		"a mean of a handful is a guess": {
			func(l *capacity.Load) { l.Requests = 1 }, "only 60 requests in 1m0s",
		},
		"what nobody measured is said once": {
			func(l *capacity.Load) { l.Replicas[0].Busy = figure.Unknown() }, "nothing is known of its use",
		},
		"uneven work fills one pool early": {
			func(l *capacity.Load) {
				for i, busy := range []figure.Figure{3, 1} {
					l.Replicas[i].Busy, l.Replicas[i].Counted = busy, busy
				}
			}, "do not share the work evenly, so the busiest is full when all of them together are 67 % full",
		},
	} {
		t.Run(name, func(t *testing.T) {
			doubts := sheet(row.change).Doubts(time.Minute)
			if row.want == "" {
				if len(doubts) > 0 {
					t.Errorf("doubts: %q", doubts)
				}
				return
			}
			if len(doubts) != 1 || !strings.Contains(doubts[0], row.want) {
				t.Errorf("doubts are %q, want one with %q", doubts, row.want)
			}
		})
	}
}
