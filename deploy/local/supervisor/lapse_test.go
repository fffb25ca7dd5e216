package supervisor

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"
)

// scaled is a workload of two replicas that are wanted and never started: what is wanted is what counts here.
func scaled(t *testing.T) *workload {
	t.Helper()
	sup := &Supervisor{cfg: Config{Log: slog.New(slog.DiscardHandler)}}
	sup.keepers, sup.endKeepers = context.WithCancel(t.Context())
	t.Cleanup(sup.endKeepers)
	w := newWorkload("orders", Workload{Max: 8}, sup)
	w.wanted = want{replicas: 2, version: "v1"}
	return w
}

func (w *workload) mustScale(t *testing.T, replicas int, ends *Lapse) {
	t.Helper()
	if err := w.scale(replicas, ends, ""); err != nil {
		t.Fatal(err)
	}
}

func (w *workload) expect(t *testing.T, replicas int) {
	t.Helper()
	synctest.Wait()
	if got := w.view().Desired; got != replicas {
		t.Errorf("%d replicas are wanted, want %d", got, replicas)
	}
}

func TestAScaleEndsByItselfWhenNobodyRenewsIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := scaled(t)
		w.mustScale(t, 4, &Lapse{For: 30 * time.Second})
		time.Sleep(20 * time.Second)
		w.mustScale(t, 4, &Lapse{For: 30 * time.Second})
		time.Sleep(29 * time.Second)
		w.expect(t, 4)
		if view := w.view(); view.BackTo == nil || *view.BackTo != 2 || time.Until(*view.Until) != time.Second {
			t.Errorf("renewed 29 s ago for 30: until %v, back to %v", view.Until, view.BackTo)
		}
		time.Sleep(time.Second)
		w.expect(t, 2)
		if view := w.view(); view.BackTo != nil || view.Until != nil {
			t.Errorf("afterwards it would end again: %+v", view)
		}
	})
}

func TestAScaleGoesBackToWhereItWasToldTo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := scaled(t)
		w.mustScale(t, 4, &Lapse{For: time.Minute, BackTo: new(3)})
		time.Sleep(time.Minute)
		w.expect(t, 3)
	})
}

func TestAScaleWithoutATimeStaysWhateverWasForeseen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := scaled(t)
		w.mustScale(t, 4, &Lapse{For: time.Minute})
		w.mustScale(t, 5, nil)
		time.Sleep(time.Hour)
		w.expect(t, 5)
	})
}

func TestAStackThatIsBeingStoppedScalesNothingBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := scaled(t)
		w.mustScale(t, 4, &Lapse{For: time.Minute})
		w.sup.endKeepers()
		time.Sleep(time.Hour)
		w.expect(t, 4)
	})
}

func TestAnEndThatCannotBeIsRefusedAndChangesNothing(t *testing.T) {
	w := scaled(t)
	for name, ends := range map[string]Lapse{
		"at once": {}, "too soon": {For: time.Millisecond}, "too late": {For: time.Hour},
		"back to more than there can be": {For: time.Minute, BackTo: new(9)}, "back to less than none": {For: time.Minute, BackTo: new(-1)},
	} {
		if err := w.scale(4, &ends, ""); !errors.Is(err, ErrInvalid) || w.view().Desired != 2 {
			t.Errorf("%s: %v, and %d are wanted", name, err, w.view().Desired)
		}
	}
}

func TestAScaleThatWasTakenBackDoesNotComeBackWithARequestThatWasLongOnItsWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := scaled(t)
		ends := &Lapse{For: 30 * time.Second}
		for range 2 { // asked for, and renewed
			if err := w.scale(4, ends, "i/1/0/orders"); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.scale(2, nil, "i/1/0/orders"); err != nil {
			t.Fatal(err)
		}
		if err := w.scale(4, ends, "i/1/0/orders"); !errors.Is(err, ErrConflict) {
			t.Errorf("%v; want ErrConflict", err)
		}
		w.expect(t, 2)
		if err := w.scale(4, ends, "i/2/0/orders"); err != nil {
			t.Errorf("made anew, with a key of its own: %v", err)
		}
		w.expect(t, 4)
		time.Sleep(LongestLapse + time.Minute)
		if err := w.scale(4, ends, "i/1/0/orders"); err != nil || len(w.takenBack) > 0 {
			t.Errorf("%v, and %d keys are remembered; want the old one forgotten", err, len(w.takenBack))
		}
	})
}
