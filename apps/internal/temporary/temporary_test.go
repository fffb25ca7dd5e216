package temporary_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/faultline-lab/faultline/apps/internal/apierror"
	"github.com/faultline-lab/faultline/apps/internal/temporary"
)

func TestASettingReturnsByItselfToWhatItWas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := temporary.New(40)
		s.SetFor(100, time.Minute)
		if v := s.View(); v.Now != 100 || v.Usual != 40 || !v.Until.Equal(time.Now().Add(time.Minute)) {
			t.Errorf("at once: %+v", v)
		}
		time.Sleep(time.Minute - time.Nanosecond)
		if v := s.View(); v.Now != 100 {
			t.Errorf("just before the end: %+v", v)
		}
		time.Sleep(time.Nanosecond)
		if v := s.View(); v.Now != 40 || !v.Until.IsZero() {
			t.Errorf("at the end: %+v", v)
		}
	})
}

func TestAChangeOnTopOfAChangeStillReturnsToTheUsualValue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := temporary.New(40)
		s.SetFor(100, time.Minute)
		s.SetFor(200, 10*time.Second)
		time.Sleep(10 * time.Second)
		if v := s.View(); v.Now != 40 {
			t.Errorf("after the second change: %+v", v)
		}
	})
}

func TestAUsualValueThatIsSetEndsWhatHeldForATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := temporary.New(40)
		s.SetFor(100, time.Minute)
		s.Set(50)
		if v := s.View(); v.Now != 50 || v.Usual != 50 || !v.Until.IsZero() {
			t.Errorf("got %+v", v)
		}
	})
}

func TestPeriodsThatCanBeAskedFor(t *testing.T) {
	for text, want := range map[string]time.Duration{"60s": time.Minute, "250ms": 250 * time.Millisecond, "15m": 15 * time.Minute} {
		if got, err := temporary.Period(text); err != nil || got != want {
			t.Errorf("%s: %s, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "0s", "-1s", "15m1ns", "60", "soon"} {
		if _, err := temporary.Period(text); !apierror.Is(err, apierror.BadRequest) {
			t.Errorf("%q: %v, want a bad request", text, err)
		}
	}
}
