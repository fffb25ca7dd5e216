package onstack

import (
	"errors"
	"strconv"
	"strings"
	"testing"
)

func TestTheSearchFindsTheHighestSteadyRate(t *testing.T) {
	for name, row := range map[string]struct {
		full              float64 // the rate from which on it is not steady
		observed, failing int
		steps             string
	}{
		"between two coarse steps":            {87, 86, 88, "50 60 70 80 82 84 86 88 90"},
		"just above a coarse step":            {80.5, 80, 82, "50 60 70 80 82 90"},
		"just below a coarse step":            {89.5, 88, 90, "50 60 70 80 82 84 86 88 90"},
		"at the very first step":              {45, 44, 46, "42 44 46 50"},
		"lower than the rate at which one is": {30, 40, 42, "42 50"},
		"a small pool, far below":             {42.5, 42, 44, "42 44 50"},
	} {
		t.Run(name, func(t *testing.T) {
			result := Capacity{Rate: 40}
			if err := result.observe(shopThatIsFullAt(row.full)); err != nil {
				t.Fatal(err)
			}
			if result.Observed != row.observed || result.Failing != row.failing {
				t.Errorf("observed %d, failing %d; want %d, %d", result.Observed, result.Failing, row.observed, row.failing)
			}
			var steps []string
			for _, step := range result.Steps {
				steps = append(steps, strconv.Itoa(step.Rate))
			}
			if got := strings.Join(steps, " "); got != row.steps {
				t.Errorf("steps %s, want %s", got, row.steps)
			}
			if result.Plateau != row.full {
				t.Errorf("beyond, %v a second are completed; want %v", result.Plateau, row.full)
			}
		})
	}
}

// shopThatIsFullAt completes up to so many checkouts a second.
func shopThatIsFullAt(full float64) func(int) (Step, error) {
	return func(rate int) (Step, error) {
		const seconds = 10
		sent := rate * seconds
		step := Step{Rate: rate, Window: Window{Seconds: seconds, Sent: sent, Orders: sent, Completed: sent}}
		if float64(rate) >= full {
			step.Orders, step.Completed = 0, int(full*seconds)
		}
		return step, nil
	}
}

func TestAStackThatNothingFillsIsNoResult(t *testing.T) {
	result := Capacity{Rate: 40}
	if err := result.observe(shopThatIsFullAt(1e6)); err == nil || !strings.Contains(err.Error(), "still steady at 250") {
		t.Errorf("error %v", err)
	}
	broken := errors.New("the stack ended")
	if err := result.observe(func(int) (Step, error) { return Step{}, broken }); !errors.Is(err, broken) {
		t.Errorf("error %v, want %v", err, broken)
	}
}

func TestThePredictionMayBeOffByFifteenPercentEitherWay(t *testing.T) {
	for predicted, met := range map[float64]bool{80: true, 91.9: true, 92.1: false, 68.1: true, 67.9: false} {
		if got := (Capacity{Predicted: predicted, Observed: 80}).Met(); got != met {
			t.Errorf("%v predicted, 80 observed: met is %v", predicted, got)
		}
	}
}
