// Package stats puts rounds of a benchmark into few numbers, with their spread.
package stats

import (
	"math/rand/v2"
	"slices"
)

// Spread is what a handful of rounds gave. With few rounds there are no percentiles worth the name: these are the
// smallest, the middle and the largest.
type Spread struct {
	N      int     `json:"n"`
	Min    float64 `json:"min"`
	Median float64 `json:"median"`
	Max    float64 `json:"max"`
}

// Of gives the spread of values; the zero Spread of none.
func Of(values []float64) Spread {
	if len(values) == 0 {
		return Spread{}
	}
	return Spread{N: len(values), Min: slices.Min(values), Median: Median(values), Max: slices.Max(values)}
}

// Median is the middle value, the mean of the two middle ones for an even number of them, and 0 of none.
func Median(values []float64) float64 {
	n := len(values)
	if n == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	if n%2 == 1 {
		return sorted[n/2]
	}
	return (sorted[n/2-1] + sorted[n/2]) / 2
}

// resamples is how often Bootstrap draws; the interval's ends move by less than their third digit from there on.
const resamples = 10_000

// Interval is a range that holds the true median with the confidence that was asked for, as far as the rounds can tell.
type Interval struct {
	Low  float64 `json:"low"`
	High float64 `json:"high"`
}

// Bootstrap is the percentile interval (Efron 1979) of the median, at 95 %. It is never wider than the rounds' own minimum
// and maximum, so that few rounds make it too narrow: under five it says nothing and is not given.
func Bootstrap(values []float64, seed uint64) *Interval {
	const fewest = 5
	if len(values) < fewest {
		return nil
	}
	random := rand.New(rand.NewPCG(seed, 0))
	medians, drawn := make([]float64, resamples), make([]float64, len(values))
	for i := range medians {
		for j := range drawn {
			drawn[j] = values[random.IntN(len(values))]
		}
		medians[i] = Median(drawn)
	}
	slices.Sort(medians)
	return &Interval{Low: medians[resamples*25/1000], High: medians[resamples*975/1000-1]}
}

// Ratios divides round by round: what disturbs the machine for longer than a round disturbs both halves of a pair. A pair
// without a divisor is left out.
func Ratios(over, under []float64) []float64 {
	var ratios []float64
	for i := range min(len(over), len(under)) {
		if under[i] > 0 {
			ratios = append(ratios, over[i]/under[i])
		}
	}
	return ratios
}

// Comparison is one arm against another.
type Comparison struct {
	// Ratio is over the paired rounds.
	Ratio Spread `json:"ratio"`
	// Interval is nil with fewer than five rounds.
	Interval *Interval `json:"interval_95,omitempty"`
}

// Compare divides round by round and says how sure that is.
func Compare(over, under []float64, seed uint64) Comparison {
	ratios := Ratios(over, under)
	return Comparison{Ratio: Of(ratios), Interval: Bootstrap(ratios, seed)}
}

// Order returns the arms in an order of its own for each round, every order as likely as any other, the same for the same
// seed.
func Order(arms []string, rounds int, seed uint64) [][]string {
	random := rand.New(rand.NewPCG(seed, 1))
	orders := make([][]string, rounds)
	for i := range orders {
		orders[i] = slices.Clone(arms)
		random.Shuffle(len(arms), func(a, b int) { orders[i][a], orders[i][b] = orders[i][b], orders[i][a] })
	}
	return orders
}
