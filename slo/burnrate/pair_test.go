package burnrate_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/faultline-lab/faultline/slo/burnrate"
)

// page is the SRE Workbook's page: 2 % of the budget in an hour, or 5 % in six.
var page = []burnrate.Pair{{BurnRate: 14.4, Long: time.Hour, Short: 5 * time.Minute}, {BurnRate: 6, Long: 6 * time.Hour, Short: 30 * time.Minute}}

func TestTheFirstPairDetectsAndTheLastClears(t *testing.T) {
	s := slo(t, 0.999, month)
	for name, row := range map[string]struct {
		errorRatio    float64
		lasts         time.Duration
		detect, reset time.Duration
		found         bool
	}{
		"an outage is found by the fast pair, and cleared by its short window when it was short": {
			1, time.Minute, 51840 * time.Millisecond, 295680 * time.Millisecond, true,
		},
		"one that lasts for the slow pair as well clears with that one's": {
			1, 10 * time.Minute, 51840 * time.Millisecond, 1789200 * time.Millisecond, true,
		},
		"one in a hundred is found by the slow pair only": {
			0.01, 4 * time.Hour, 3*time.Hour + 36*time.Minute, 12 * time.Minute, true,
		},
		"a ratio at the lowest threshold is borne": {0.006, 100 * time.Hour, 0, 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			detect, found := s.Detect(row.errorRatio, page)
			if found != row.found || (detect-row.detect).Abs() > time.Millisecond {
				t.Errorf("detected after %s, %v; want %s, %v", detect, found, row.detect, row.found)
			}
			reset, found := s.Reset(row.errorRatio, row.lasts, page)
			if found != row.found || (reset-row.reset).Abs() > time.Millisecond {
				t.Errorf("reset after %s, %v; want %s, %v", reset, found, row.reset, row.found)
			}
		})
	}
}

func TestAFaultThatEndsBeforeItIsDetectedNeedsNoReset(t *testing.T) {
	s := slo(t, 0.999, month)
	if reset, found := s.Reset(1, 50*time.Second, page); found || reset != 0 {
		t.Errorf("reset after %s, %v", reset, found)
	}
	if reset := s.TimeToReset(1, 14.4, time.Hour, 50*time.Second); reset != 0 {
		t.Errorf("the window falls after %s, which it never exceeded", reset)
	}
}

// The formulas against the mean that they are about, computed step by step.
func TestTheFormulasAgreeWithTheMeanOfAWindow(t *testing.T) {
	s := slo(t, 0.99, month)
	random := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		ratio := 0.15 + 0.85*random.Float64()
		window := time.Duration(60+random.IntN(600)) * time.Second
		lasts := time.Duration(1+random.IntN(1200)) * time.Second
		detect, reset := time.Duration(-1), time.Duration(0)
		for now := time.Duration(0); now < lasts+window; now += time.Second {
			bad := min(now, lasts) - max(now-window, 0)
			mean := ratio * max(bad, 0).Seconds() / window.Seconds()
			if mean > s.Ratio(14.4) {
				if detect < 0 {
					detect = now
				}
				reset = now - lasts
			}
		}
		gotDetect, fires := s.TimeToDetect(ratio, 14.4, window)
		fires = fires && gotDetect <= lasts
		if fires != (detect >= 0) && (gotDetect-lasts).Abs() > time.Second {
			t.Fatalf("ratio %v, window %s, lasts %s: fires %v, counted %v", ratio, window, lasts, fires, detect)
		}
		if !fires || detect < 0 {
			continue
		}
		gotReset := s.TimeToReset(ratio, 14.4, window, lasts)
		if (gotDetect-detect).Abs() > time.Second || (gotReset-reset).Abs() > time.Second {
			t.Fatalf("ratio %v, window %s, lasts %s: detect %s, counted %s; reset %s, counted %s", ratio, window, lasts, gotDetect, detect, gotReset, reset)
		}
	}
}
