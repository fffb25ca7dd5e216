package loadgen

import (
	"testing"
	"time"
)

func TestArrivalsAreEvenlySpacedAndKeepOffTheBordersOfTheSecond(t *testing.T) {
	for _, rate := range []int{1, 3, 7, 40, 999, MaxRate} {
		times := arrivals(start, rate)
		gap := time.Second / time.Duration(rate)
		for k, at := range times {
			previous := start.Add(-gap / 2)
			if k > 0 {
				previous = times[k-1]
			}
			if d := at.Sub(previous) - gap; d.Abs() > 2*time.Nanosecond {
				t.Fatalf("rate %d: arrival %d is %s after the one before, want %s", rate, k, at.Sub(previous), gap)
			}
		}
		if len(times) != rate || times[0].Equal(start) || !times[rate-1].Before(start.Add(time.Second)) {
			t.Errorf("rate %d: %d arrivals from %s to %s", rate, len(times), times[0], times[rate-1])
		}
	}
	if len(arrivals(start, 0)) != 0 {
		t.Error("a rate of 0 has arrivals")
	}
}

func TestTheNextSecondIsAWholeOneAndInTheFuture(t *testing.T) {
	for _, offset := range []time.Duration{0, 1, time.Millisecond, time.Second - 1} {
		next := nextSecond(start.Add(offset))
		if !next.Equal(start.Add(time.Second)) {
			t.Errorf("after %s comes %s", start.Add(offset), next)
		}
	}
}

func TestAProcessThatIsLateIsNoStepOfTheClock(t *testing.T) {
	planned := time.Now()
	if step := clockStep(planned, planned.Add(3*time.Second)); step != 0 {
		t.Errorf("step %s", step)
	}
}

func TestTheSameSeedBuysTheSame(t *testing.T) {
	a, b, other := newPlan(7, 500, 50), newPlan(7, 500, 50), newPlan(8, 500, 50)
	same, keys, popularOnes := true, map[string]bool{}, 0
	const n = 10_000
	for k := range n {
		if k%3 == 0 {
			a.browse() // another rate of browsing changes nothing for the checkouts
		}
		x, y, z := a.checkout(), b.checkout(), other.checkout()
		if x.Customer != y.Customer || x.Items[0] != y.Items[0] {
			t.Fatalf("checkout %d: %+v and %+v", k, x, y)
		}
		same = same && x.Customer == z.Customer
		keys[x.Key], keys[y.Key] = true, true
		if x.Items[0].SKU == popular {
			popularOnes++
		}
	}
	if same {
		t.Error("another seed buys the same")
	}
	if len(keys) != 2*n {
		t.Errorf("%d different keys, want %d", len(keys), 2*n)
	}
	if share := float64(popularOnes) / n; share < .48 || share > .52 {
		t.Errorf("%.3f of the checkouts want the popular product, want half", share)
	}
}
