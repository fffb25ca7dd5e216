package gather

import (
	"math"
	"slices"
	"testing"
	"time"

	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/observability/query"
)

var nan = math.NaN()

func TestIncrements(t *testing.T) {
	tests := []struct {
		name    string
		members []member
		want    []float64
	}{
		{
			"a counter that grows counts its differences",
			[]member{{"a", []float64{10, 15, 15, 40}}},
			[]float64{5, 0, 25},
		},
		{
			"a restart counts from zero",
			[]member{{"a", []float64{100, 110, 4, 9}}},
			[]float64{10, 4, 5},
		},
		{
			"the first failure of a kind counts in full, for its process was there before",
			[]member{{"a", []float64{10, 20, 30, 40}}, {"a", []float64{nan, nan, 7, 9}}},
			[]float64{10, 17, 12},
		},
		{
			"a process that was not there before has no known start",
			[]member{{"a", []float64{nan, 500, 510, 520}}},
			[]float64{nan, 10, 10},
		},
		{
			"a gap is unknown on both sides, never zero",
			[]member{{"a", []float64{10, nan, 30, 40}}},
			[]float64{nan, nan, 10},
		},
		{
			"a kind that vanishes with a restart adds nothing",
			[]member{{"a", []float64{10, 20, 5, 8}}, {"a", []float64{3, 3, nan, nan}}},
			[]float64{10, 5, 3},
		},
		{
			"one process of two that is away leaves the other's count",
			[]member{{"a", []float64{1, 2, 3, 4}}, {"b", []float64{1, 2, nan, nan}}},
			[]float64{2, 1, 1},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			n := len(test.want)
			got := increments(test.members, presence(test.members, n), n)
			if !sameLine(got, test.want) {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}

func sameLine(a, b []float64) bool {
	return slices.EqualFunc(a, b, func(x, y float64) bool { return x == y || math.IsNaN(x) && math.IsNaN(y) })
}

func TestWhatIsNoFiniteNumberCountsAsNoSample(t *testing.T) {
	start := time.Unix(1000, 0)
	at := func(s int) time.Time { return start.Add(time.Duration(s) * time.Second) }
	got := lay([]query.Point{{At: at(0), Value: 1}, {At: at(1), Value: nan}, {At: at(2), Value: math.Inf(1)}, {At: at(3), Value: 4}, {At: at(9), Value: 9}},
		start, time.Second, 5)
	if want := []float64{1, nan, nan, 4, nan}; !sameLine(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestGrid(t *testing.T) {
	t0 := time.Date(2026, 1, 2, 12, 0, 0, 400_000_000, time.UTC)
	at := func(d time.Duration) *time.Time { u := t0.Add(d); return &u }
	closed := func(after time.Duration) incident.Incident {
		return incident.Incident{State: incident.Closed, Stages: incident.Stages{AlertStartsAt: at(0), Ended: at(after)}}
	}
	open := incident.Incident{State: incident.Verifying, Stages: incident.Stages{AlertStartsAt: at(0)}}
	escalated := incident.Incident{State: incident.Escalated, Stages: incident.Stages{AlertStartsAt: at(0), Ended: at(time.Second)}}
	tests := []struct {
		name       string
		in         incident.Incident
		now        time.Duration
		step, long time.Duration
	}{
		{"a closed incident is seen from half a minute before until a quarter after", closed(20 * time.Second), time.Hour, time.Second, 65 * time.Second},
		{"nothing is asked about what may not have been scraped", closed(20 * time.Second), 22 * time.Second, time.Second, 51 * time.Second},
		{"an open incident is seen until the last scrape", open, 90 * time.Second, time.Second, 119 * time.Second},
		{"an escalated one is followed for five minutes more", escalated, time.Hour, time.Second, 331 * time.Second},
		{"a long one is seen more coarsely", closed(2 * time.Hour), 9 * time.Hour, 13 * time.Second, 7241 * time.Second},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			g := grid(test.in, time.Second, t0.Add(test.now))
			if g.Step != test.step {
				t.Errorf("step %s, want %s", g.Step, test.step)
			}
			if g.Start.Nanosecond() != 0 {
				t.Errorf("the grid starts at %s: not a whole second", g.Start)
			}
			if long := g.End().Sub(g.Start); long > test.long || long < test.long-test.step {
				t.Errorf("it spans %s, want %s", long, test.long)
			}
			if g.Len > maxPoints+2 {
				t.Errorf("%d points", g.Len)
			}
		})
	}
}
