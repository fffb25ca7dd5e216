package burnrate_test

import (
	"math"
	"testing"
	"time"

	"github.com/faultline-lab/faultline/slo/burnrate"
)

const month = 30 * 24 * time.Hour

func slo(t *testing.T, objective float64, period time.Duration) burnrate.SLO {
	t.Helper()
	s, err := burnrate.New(objective, period)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func near(t *testing.T, what string, got, want float64) {
	t.Helper()
	if math.Abs(got-want) > 1e-9*math.Max(1, math.Abs(want)) {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

func TestAPromiseThatCannotBeKeptOrBrokenIsRefused(t *testing.T) {
	for name, promise := range map[string]struct {
		objective float64
		period    time.Duration
	}{
		"an objective of all leaves no budget":     {1, month},
		"an objective in percent is a slip":        {99.9, month},
		"an objective of nothing promises nothing": {0, month},
		"an objective that is no number":           {math.NaN(), month},
		"a period of no length":                    {0.99, 0},
		"a period that runs backwards":             {0.99, -time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := burnrate.New(promise.objective, promise.period); err == nil {
				t.Errorf("New(%v, %s) was accepted", promise.objective, promise.period)
			}
		})
	}
}

// The table of the SRE Workbook, chapter 5: 99.9 % over 30 days.
func TestTheWorkbooksTableOfBurnRates(t *testing.T) {
	s := slo(t, 0.999, month)
	for name, row := range map[string]struct {
		burnRate, errorRatio, spent float64
		window                      time.Duration
	}{
		"2 % of the budget in an hour pages":           {14.4, 0.0144, 0.02, time.Hour},
		"5 % of the budget in six hours pages":         {6, 0.006, 0.05, 6 * time.Hour},
		"10 % of the budget in three days is a ticket": {1, 0.001, 0.10, 3 * 24 * time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			near(t, "Ratio", s.Ratio(row.burnRate), row.errorRatio)
			near(t, "Rate", s.Rate(row.errorRatio), row.burnRate)
			near(t, "Spent", s.Spent(row.burnRate, row.window), row.spent)
		})
	}
}

func TestBudgetSpentByEvents(t *testing.T) {
	s := slo(t, 0.99, 6*time.Hour)
	for name, row := range map[string]struct{ bad, expected, want float64 }{
		"no failure spends nothing":                           {0, 864_000, 0},
		"one in a hundred of all events spends everything":    {8_640, 864_000, 1},
		"an outage of 8.64 s at 40 a second spends 4 %":       {345.6, 864_000, 0.04},
		"more failures than the budget has are more than all": {17_280, 864_000, 2},
	} {
		t.Run(name, func(t *testing.T) {
			near(t, "SpentByEvents", s.SpentByEvents(row.bad, row.expected), row.want)
		})
	}
	if got := s.SpentByEvents(3, 0); !math.IsNaN(got) {
		t.Errorf("without expected events there is no budget, but SpentByEvents is %v", got)
	}
}

func TestBothWaysToCountTheSpentBudgetAgreeWhenTrafficIsEven(t *testing.T) {
	s := slo(t, 0.99, 6*time.Hour)
	const perSecond, errorRatio = 40.0, 0.25
	over := 90 * time.Second
	byEvents := s.SpentByEvents(perSecond*errorRatio*over.Seconds(), perSecond*(6*time.Hour).Seconds())
	near(t, "Spent", s.Spent(s.Rate(errorRatio), over), byEvents)
}

func TestHowLongABudgetLasts(t *testing.T) {
	s := slo(t, 0.999, month)
	for name, row := range map[string]struct {
		burnRate, remaining float64
		want                time.Duration
	}{
		"at a rate of one, the period":              {1, 1, month},
		"at a total outage, 43.2 minutes":           {1000, 1, 43*time.Minute + 12*time.Second},
		"half of it at twice the rate, a quarter":   {2, 0.5, month / 4},
		"an empty budget lasts no time":             {5, 0, 0},
		"an overdrawn budget lasts no time either":  {5, -0.3, 0},
		"with nothing burning it lasts for ever":    {0, 0.5, math.MaxInt64},
		"next to nothing burning does not overflow": {1e-300, 1, math.MaxInt64},
	} {
		t.Run(name, func(t *testing.T) {
			got := s.Lasts(row.burnRate, row.remaining)
			if difference := got - row.want; difference.Abs() > time.Millisecond {
				t.Errorf("got %s, want %s", got, row.want)
			}
		})
	}
}

func TestTimeToDetect(t *testing.T) {
	demo := slo(t, 0.99, 6*time.Hour)
	for name, row := range map[string]struct {
		errorRatio float64
		want       time.Duration
		found      bool
	}{
		"an outage is found when the window is 14.4 % full": {1, 4320 * time.Millisecond, true},
		"half an outage takes twice as long":                {0.5, 8640 * time.Millisecond, true},
		"just above the threshold takes the whole window":   {0.1440001, 30 * time.Second, true},
		"at the threshold it is never found":                {0.144, 0, false},
		"no errors are never found":                         {0, 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			got, found := demo.TimeToDetect(row.errorRatio, 14.4, 30*time.Second)
			if found != row.found || (got-row.want).Abs() > time.Millisecond {
				t.Errorf("got %s, %v; want %s, %v", got, found, row.want, row.found)
			}
		})
	}
}

func TestARateThatNeedsMoreThanEveryEventToFailShowsInItsRatio(t *testing.T) {
	loose := slo(t, 0.9, month)
	if ratio := loose.Ratio(14.4); ratio <= 1 {
		t.Errorf("14.4 times a budget of 10 %% is more than all events, but the ratio is %v", ratio)
	}
	if _, found := loose.TimeToDetect(1, 14.4, time.Hour); found {
		t.Error("an alert that can never fire was said to fire")
	}
}
