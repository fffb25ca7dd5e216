package stats_test

import (
	"slices"
	"testing"

	"github.com/faultline-lab/faultline/e2e/bench/stats"
)

func TestTheMedianIsTheMiddle(t *testing.T) {
	for name, tc := range map[string]struct {
		values []float64
		want   float64
	}{
		"of none it is 0":                   {nil, 0},
		"of one it is that one":             {[]float64{3}, 3},
		"of an odd number the middle one":   {[]float64{9, 1, 5}, 5},
		"of an even number between the two": {[]float64{4, 1, 2, 100}, 3},
	} {
		t.Run(name, func(t *testing.T) {
			before := slices.Clone(tc.values)
			if got := stats.Median(tc.values); got != tc.want {
				t.Errorf("%v, want %v", got, tc.want)
			}
			if !slices.Equal(before, tc.values) {
				t.Errorf("the caller's values were reordered: %v", tc.values)
			}
		})
	}
}

func TestRatiosPairRoundWithRound(t *testing.T) {
	// A machine that slows down by half between the rounds changes each arm, not their ratio.
	got := stats.Compare([]float64{11, 22, 33, 44, 55}, []float64{10, 20, 30, 40, 50}, 1)
	if got.Ratio.Min < 1.0999 || got.Ratio.Max > 1.1001 || got.Ratio.N != 5 {
		t.Errorf("ratio %+v, want 1.1 in every round", got.Ratio)
	}
	if got.Interval == nil || got.Interval.High-got.Interval.Low > 0.001 {
		t.Errorf("interval %+v, want a point", got.Interval)
	}
	if left := stats.Ratios([]float64{1, 2, 3}, []float64{0, 4}); !slices.Equal(left, []float64{0.5}) {
		t.Errorf("ratios %v, want only the pair that has a divisor", left)
	}
}

func TestTheBootstrapIsWideForWildRoundsAndSilentForFew(t *testing.T) {
	if got := stats.Bootstrap([]float64{1, 2, 3, 4}, 1); got != nil {
		t.Errorf("four rounds give %+v", got)
	}
	values := []float64{0.8, 1.3, 1.0, 1.1, 0.9, 1.2, 1.05}
	got := stats.Bootstrap(values, 1)
	if got.Low >= 1.05 || got.High <= 1.05 || got.Low < 0.8 || got.High > 1.3 {
		t.Errorf("interval %+v does not lie around the median 1.05 and within the rounds", got)
	}
	if again := stats.Bootstrap(values, 1); *again != *got {
		t.Errorf("the same seed gives %+v and %+v", got, again)
	}
}

func TestEveryRoundHasEveryArmOnceInAnOrderOfItsOwn(t *testing.T) {
	arms := []string{"off", "on", "pgbench"}
	orders := stats.Order(arms, 40, 7)
	seen := map[string]int{}
	for _, order := range orders {
		seen[order[0]]++
		if sorted := slices.Sorted(slices.Values(order)); !slices.Equal(sorted, arms) {
			t.Fatalf("a round of %v", order)
		}
	}
	for _, arm := range arms {
		if seen[arm] == 0 {
			t.Errorf("%s never comes first in 40 rounds", arm)
		}
	}
	if again := stats.Order(arms, 40, 7); !slices.EqualFunc(orders, again, slices.Equal) {
		t.Error("the same seed gives another order")
	}
}
