package model

import (
	"fmt"
	"time"
)

// Indicator is what a promise is measured by. Exactly one of its forms is filled in.
type Indicator struct {
	// Ratio counts events: good (or bad) ones, and all.
	Ratio *Ratio
	// Raw is a ratio that somebody else has computed.
	Raw *Raw
	// Threshold compares a value with a bound, sample by sample.
	Threshold *Threshold
	// Slice, if its window is not 0, judges by slices of time and not by events.
	Slice Slice
}

// Ratio is good or bad events of all. One of Good and Bad is there.
type Ratio struct {
	Good, Bad, Total *Query
	// Counter says that the queries count for ever; else they are values of a moment.
	Counter bool
}

// Raw is a precomputed ratio, of failures or of successes.
type Raw struct {
	Query   Query
	Failure bool
}

// Threshold is a value that is good while the comparison holds.
type Threshold struct {
	Query Query
	// Op is PromQL's: < <= > >=.
	Op    string
	Value float64
}

// Slice is a piece of time that is good or bad as a whole, or, with a Target of 0, counts with its success ratio.
type Slice struct {
	Window time.Duration
	// Target is the share of good events that makes a slice good.
	Target float64
}

// Counted says that the indicator counts events, so that a rate of them can be told.
func (i Indicator) Counted() bool {
	return i.Ratio != nil && (i.Ratio.Counter || i.Ratio.Total.Windowed()) && i.Slice.Window == 0
}

// Windowed says that the ratio is rendered anew for each window and cannot be sampled.
func (i Indicator) Windowed() bool {
	return i.Raw != nil && i.Raw.Query.Windowed() && i.Slice.Window == 0
}

// Events is a PromQL expression for an indicator that is Counted: all events a second, as a mean over a window. It has no
// labels.
func (i Indicator) Events(window time.Duration) string { return i.Ratio.Total.Rate(window) }

// BadEvents are those of them that are bad; total is what Events says, or a series of the same without labels. Without a
// single good or bad series there are none of them, which is zero and not unknown.
func (i Indicator) BadEvents(window time.Duration, total string) string {
	if i.Ratio.Bad != nil {
		return fmt.Sprintf("%s or 0 * %s", i.Ratio.Bad.Rate(window), total)
	}
	// Series that begin at different times are extrapolated differently: a little more than all can be good.
	return fmt.Sprintf("clamp_min(%s - (%s or 0 * %s), 0)", total, i.Ratio.Good.Rate(window), total)
}

// Sample are two PromQL expressions for an indicator that is neither Counted nor Windowed: how much of this moment (or of
// the slice that ends now) is bad, and how much there is of it. Their sums over a window are its error ratio. What is not a
// number is left out: one would make a sum unknown for the whole window.
func (i Indicator) Sample() (bad, total string) {
	switch {
	case i.Slice.Window > 0:
		bad = i.slice()
	case i.Ratio != nil && i.Ratio.Bad != nil:
		total = i.Ratio.Total.Value()
		return known(i.Ratio.Bad.Value() + " or 0 * " + total), known(total)
	case i.Ratio != nil:
		total = i.Ratio.Total.Value()
		return known(fmt.Sprintf("clamp_min(%s - (%s or 0 * %s), 0)", total, i.Ratio.Good.Value(), total)), known(total)
	case i.Raw != nil:
		bad = i.Raw.bad(i.Raw.Query.Value())
	default:
		bad = fmt.Sprintf("1 - ((%s) %s bool %s)", known(i.Threshold.Query.Value()), i.Threshold.Op, Number(i.Threshold.Value))
		return bad, "0 * (" + bad + ") + 1"
	}
	bad = known(bad)
	return bad, "0 * (" + bad + ") + 1"
}

func known(expr string) string { return "(" + expr + ") > -Inf" }

func (r Raw) bad(ratio string) string {
	if r.Failure {
		return ratio
	}
	return "1 - " + ratio
}

// slice judges the slice that ends now.
func (i Indicator) slice() string {
	whole := i
	whole.Slice = Slice{}
	ratio := whole.ErrorRatio(i.Slice.Window)
	if i.Slice.Target == 0 {
		return ratio
	}
	// A hair of tolerance: 1 - 0.95 is more than 0.05 to the last bit, and a slice on the target is good.
	return fmt.Sprintf("(%s) > bool (1 - %s + 0.000000001)", ratio, Number(i.Slice.Target))
}

// ErrorRatio is a PromQL expression for the share of bad events in a window, without any recording rule: dear over long
// windows of samples. It has no value where there was nothing to judge.
func (i Indicator) ErrorRatio(window time.Duration) string {
	switch {
	case i.Counted():
		total := i.Events(window)
		return fmt.Sprintf("(%s) / (%s > 0)", i.BadEvents(window, total), total)
	case i.Windowed():
		return i.Raw.bad(i.Raw.Query.Over(window))
	}
	bad, total := i.Sample()
	step := ""
	if i.Slice.Window > 0 {
		step = Duration(i.Slice.Window)
	}
	return fmt.Sprintf("sum_over_time((%s)[%s:%s]) / (sum_over_time((%s)[%s:%s]) > 0)",
		bad, Duration(window), step, total, Duration(window), step)
}

// Queries are the indicator's own, by the part of the SLO where they stand.
func (i Indicator) Queries() map[string]Query {
	all := map[string]Query{}
	if r := i.Ratio; r != nil {
		for part, query := range map[string]*Query{AtGood: r.Good, AtBad: r.Bad, AtTotal: r.Total} {
			if query != nil {
				all[part] = *query
			}
		}
	}
	if i.Raw != nil {
		all[AtRaw] = i.Raw.Query
	}
	if i.Threshold != nil {
		all[AtThreshold] = i.Threshold.Query
	}
	return all
}
