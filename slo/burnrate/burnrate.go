// Package burnrate is the arithmetic of error budgets: how fast a budget burns, how much of it is gone, how soon an
// alert sees it. It is pure. The formulas are those of the SRE Workbook, chapter 5 ("Alerting on SLOs").
package burnrate

import (
	"fmt"
	"math"
	"time"
)

// SLO is a promise about a share of good events over a period. Make one with New.
type SLO struct {
	objective float64
	period    time.Duration
}

// New checks the promise: an objective strictly between 0 and 1 (0.99 for 99 %), over a period longer than zero. An
// objective of 1 has no budget, and everything divided by it would be infinite.
func New(objective float64, period time.Duration) (SLO, error) {
	if !(objective > 0 && objective < 1) {
		return SLO{}, fmt.Errorf("objective is %v: use a share between 0 and 1, such as 0.99", objective)
	}
	if period <= 0 {
		return SLO{}, fmt.Errorf("period is %s: use one longer than zero", period)
	}
	return SLO{objective, period}, nil
}

// Budget is the share of events that may be bad.
func (s SLO) Budget() float64 { return 1 - s.objective }

// Rate is how many times too fast an error ratio uses up the budget: at 1 it lasts exactly for the period.
func (s SLO) Rate(errorRatio float64) float64 { return errorRatio / s.Budget() }

// Ratio is the error ratio at a burn rate; above 1 it cannot occur, and an alert on that rate can never fire.
func (s SLO) Ratio(burnRate float64) float64 { return burnRate * s.Budget() }

// Spent is the share of the period's budget that a burn rate, kept up for a while, uses up; 1 is all of it. It supposes
// that traffic in the while is as on average.
func (s SLO) Spent(burnRate float64, over time.Duration) float64 {
	return burnRate * over.Seconds() / s.period.Seconds()
}

// SpentByEvents is the share of the period's budget that bad events use up when the period has so many events in all:
// exact where Spent supposes even traffic. With no events expected there is no budget, and the result is not a number.
func (s SLO) SpentByEvents(bad, expectedInPeriod float64) float64 {
	if expectedInPeriod <= 0 {
		return math.NaN()
	}
	return bad / (expectedInPeriod * s.Budget())
}

// Lasts is how long what remains of the budget (1 is all of it) lasts at a burn rate. Nothing burning lasts for the
// longest time there is.
func (s SLO) Lasts(burnRate, remaining float64) time.Duration {
	if remaining <= 0 {
		return 0
	}
	if burnRate <= 0 {
		return math.MaxInt64
	}
	seconds := s.period.Seconds() * remaining / burnRate
	if seconds >= float64(math.MaxInt64)/float64(time.Second) {
		return math.MaxInt64
	}
	return time.Duration(seconds * float64(time.Second))
}

// TimeToDetect is how long after a constant error ratio begins, from no errors before, the mean over a window exceeds a
// burn rate; false when it never does. Evaluation and scrape intervals come on top.
func (s SLO) TimeToDetect(errorRatio, burnRate float64, window time.Duration) (time.Duration, bool) {
	threshold := s.Ratio(burnRate)
	if errorRatio <= threshold {
		return 0, false
	}
	return time.Duration(threshold / errorRatio * float64(window)), true
}
