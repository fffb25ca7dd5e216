package policy

import (
	"fmt"
	"math"
	"time"
)

// Level is how bold one may be.
type Level string

// The levels, from bold to strict.
const (
	Free     Level = "free"     // take risks
	Cautious Level = "cautious" // what cannot be taken back waits for a person, unless it only hits what already fails
	Freeze   Level = "freeze"   // nothing that could make it worse; healing that can be taken back is allowed
)

// Levels lists the levels, from bold to strict.
func Levels() []Level { return []Level{Free, Cautious, Freeze} }

// Number is the level's place in Levels, as it stands in a series: 0 free, 1 cautious, 2 freeze. A level that does not
// exist is taken for the strictest.
func (l Level) Number() int {
	for i, known := range Levels() {
		if l == known {
			return i
		}
	}
	return len(Levels()) - 1
}

// Strictest is the strictest of some levels. Of none it is Cautious: no SLO was asked, so nothing is known.
func Strictest(levels ...Level) Level {
	if len(levels) == 0 {
		return Cautious
	}
	strictest := levels[0]
	for _, level := range levels[1:] {
		if level.Number() > strictest.Number() {
			strictest = level
		}
	}
	return strictest
}

// Policy holds the thresholds. Read one with Parse or Load, or take Default.
type Policy struct {
	cautiousBelow, freezeAt float64
	unknown                 Level
	lasts                   time.Duration // 0: the burn rate does not count
}

// Budget is the state of one SLO's budget.
type Budget struct {
	// Remaining is what is left, as a share: 1 is all, 0 none, less is overdrawn. Not a number: nobody knows.
	Remaining float64
	// Lasts is how long that lasts at the present burn rate (burnrate.SLO's Lasts); not read unless the file asks for it.
	// Below zero: nobody knows.
	Lasts time.Duration
}

// Verdict is a level with the reason for it, in a sentence.
type Verdict struct {
	Level  Level  `json:"level"`
	Reason string `json:"reason"`
}

// Decide says how bold one may be with this budget. An unknown budget is the file's unknown, never an empty or a full one.
func (p Policy) Decide(b Budget) Verdict {
	switch {
	case math.IsNaN(b.Remaining) || math.IsInf(b.Remaining, 0):
		return Verdict{p.unknown, "nobody knows what is left of the budget"}
	case b.Remaining <= p.freezeAt:
		return Verdict{Freeze, fmt.Sprintf("%.1f %% of the budget is left, and %.4g %% or less freezes", 100*b.Remaining, 100*p.freezeAt)}
	case b.Remaining < p.cautiousBelow:
		return Verdict{Cautious, fmt.Sprintf("%.1f %% of the budget is left, which is less than %.4g %%", 100*b.Remaining, 100*p.cautiousBelow)}
	case p.lasts > 0 && b.Lasts < 0:
		return Verdict{Strictest(p.unknown, Free), "nobody knows how fast the budget burns"}
	case p.lasts > 0 && b.Lasts <= p.lasts:
		return Verdict{Cautious, fmt.Sprintf("at this rate the budget lasts %s, which is not more than %s", b.Lasts.Round(time.Second), p.lasts)}
	default:
		return Verdict{Free, fmt.Sprintf("%.1f %% of the budget is left", 100*b.Remaining)}
	}
}

// PromQL is the level as a number (Level.Number), from an expression for the remaining share; where that is absent, so is
// the level. The burn rate is not in it.
func (p Policy) PromQL(remaining string) string {
	return fmt.Sprintf("(%s < bool %g) + (%s <= bool %g)", remaining, p.cautiousBelow, remaining, p.freezeAt)
}
