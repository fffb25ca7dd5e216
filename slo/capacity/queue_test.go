package capacity_test

import (
	"container/heap"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/faultline-lab/faultline/slo/capacity"
)

func TestErlangC(t *testing.T) {
	for name, row := range map[string]struct {
		c             int
		offered, want float64
	}{
		"one server: waiting is as likely as finding it busy": {1, 0.7, 0.7},
		"two servers, half in use: a third waits":             {2, 1, 1.0 / 3},
		"nobody comes, nobody waits":                          {4, 0, 0},
		"a full pool makes everybody wait":                    {4, 4, 1},
		"more than full is no more than everybody":            {4, 9, 1},
		"a table's value: ten servers, eight offered":         {10, 8, 0.409180150},
		"hundreds of connections overflow nothing":            {400, 380, 0.220314409},
	} {
		t.Run(name, func(t *testing.T) {
			if got := capacity.ErlangC(row.c, row.offered); math.Abs(got-row.want) > 1e-5 {
				t.Errorf("got %.9f, want %.9f", got, row.want)
			}
		})
	}
}

// The formula is held against the queue itself, simulated.
func TestTheWaitOfRandomArrivalsIsWhatASimulatedQueueShows(t *testing.T) {
	const c, offered, hold, patience, callers = 4, 3.2, 0.1, 0.1, 400_000
	random := rand.New(rand.NewPCG(1, 2))
	free := make(moments, c)
	now, late := 0.0, 0
	for range callers {
		now += random.ExpFloat64() * hold / offered
		start := math.Max(now, free[0])
		if start-now > patience {
			late++
		}
		free[0] = start + random.ExpFloat64()*hold
		heap.Fix(&free, 0)
	}
	got, want := capacity.WaitsLonger(c, offered, hold, patience), float64(late)/callers
	if math.Abs(got-want) > 0.01 {
		t.Errorf("the formula says that %.3f wait longer, the simulation %.3f", got, want)
	}
}

// moments are when each connection is free, the earliest first.
type moments []float64

func (m moments) Len() int           { return len(m) }
func (m moments) Less(i, j int) bool { return m[i] < m[j] }
func (m moments) Swap(i, j int)      { m[i], m[j] = m[j], m[i] }
func (m *moments) Push(x any)        { *m = append(*m, x.(float64)) }
func (m *moments) Pop() any          { panic("the number of connections does not change") }

func TestTheGoodRate(t *testing.T) {
	patience := capacity.Patience{Wait: 0.4, Share: 0.95}
	load := sheet()
	good := float64(load.GoodRateOfOne(patience))
	// Whatever it is, its own definition must hold there, and no longer just above.
	late := func(rate float64) float64 { return capacity.WaitsLonger(4, rate*0.1, 0.1, 0.4) }
	if late(good) > 0.05+1e-9 || late(good*1.01) <= 0.05 {
		t.Errorf("at %.2f/s %.4f wait too long, at 1 %% more %.4f: the limit of 0.05 lies elsewhere", good, late(good), late(good*1.01))
	}
	if all := float64(load.GoodRate(patience)); math.Abs(all-2*good) > 1e-6 {
		t.Errorf("two replicas are good up to %v, one up to %v", all, good)
	}
	for name, other := range map[string]capacity.Patience{
		"less patience":    {Wait: 0.1, Share: 0.95},
		"a higher promise": {Wait: 0.4, Share: 0.999},
	} {
		if got := float64(load.GoodRateOfOne(other)); got >= good {
			t.Errorf("with %s the good rate is %.2f, which is not below %.2f", name, got, good)
		}
	}
	if got := load.GoodRateOfOne(capacity.Patience{Share: 0.95}); got.Known() {
		t.Errorf("a promise that the latency alone breaks has a good rate of %v", got)
	}
}
