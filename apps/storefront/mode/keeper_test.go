package mode_test

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/faultline-lab/faultline/apps/internal/apierror"
	"github.com/faultline-lab/faultline/apps/internal/metrictest"
	"github.com/faultline-lab/faultline/apps/storefront/mode"
)

// kept is a keeper, its page and its log.
type kept struct {
	*mode.Keeper
	metrictest.Page
	log bytes.Buffer
}

func newKept(t *testing.T) *kept {
	t.Helper()
	k := &kept{Page: metrictest.New(t)}
	var err error
	k.Keeper, err = mode.NewKeeper(mode.Config{Log: slog.New(slog.NewTextHandler(&k.log, nil)), MeterProvider: k.MeterProvider()})
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func (k *kept) mode(t *testing.T, to, from mode.Mode, length time.Duration) error {
	t.Helper()
	return k.SetMode(t.Context(), mode.Change[mode.Setting]{Value: mode.Setting{Mode: to}, If: mode.Setting{Mode: from}, For: length, By: "autoheal/7"})
}

func TestAModeEndsByItselfWhenNobodyRenewsIt(t *testing.T) {
	k := newKept(t)
	synctest.Test(t, func(t *testing.T) {
		if err := k.mode(t, mode.Accept, mode.Normal, 15*time.Second); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Second)
		if err := k.mode(t, mode.Accept, mode.Normal, 15*time.Second); err != nil {
			t.Errorf("renewed by who expects what was there before: %v", err)
		}
		k.Expect(t, map[string]float64{`storefront_mode{mode="accept"}`: 1, `storefront_mode{mode="normal"}`: 0})
		time.Sleep(14 * time.Second)
		if now := k.Mode(); now.Value.Mode != mode.Accept || now.By != "autoheal/7" || time.Until(now.Until) != time.Second {
			t.Errorf("14 s after it was renewed for 15: %+v", now)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if now := k.Mode(); now.Value.Mode != mode.Normal || !now.Until.IsZero() || now.By != "" {
			t.Errorf("after its time: %+v", now)
		}
		k.Expect(t, map[string]float64{`storefront_mode{mode="accept"}`: 0, `storefront_mode{mode="normal"}`: 1})
		if n := strings.Count(k.log.String(), "mode ran out"); n != 1 {
			t.Errorf("its end is told %d times:\n%s", n, &k.log)
		}
	})
}

func TestAModeThatWasChangedMeanwhileIsNotTaken(t *testing.T) {
	k := newKept(t)
	synctest.Test(t, func(t *testing.T) {
		if err := k.mode(t, mode.Shed, mode.Normal, time.Minute); err != nil {
			t.Fatal(err)
		}
		if err := k.mode(t, mode.Accept, mode.Normal, time.Minute); !apierror.Is(err, apierror.Conflict) {
			t.Errorf("took shed for normal: %v, want a conflict", err)
		}
		if err := k.mode(t, mode.Accept, mode.Shed, time.Minute); err != nil {
			t.Errorf("knew that it was shed: %v", err)
		}
		if err := k.mode(t, mode.Normal, mode.Shed, 0); !apierror.Is(err, apierror.Conflict) || k.Mode().Value.Mode != mode.Accept {
			t.Errorf("undid a mode that somebody else has replaced: %v", err)
		}
		if err := k.mode(t, mode.Normal, mode.Accept, 0); err != nil {
			t.Errorf("undone: %v", err)
		}
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		if strings.Contains(k.log.String(), "ran out") {
			t.Errorf("a mode that was ended ran out:\n%s", &k.log)
		}
	})
}

func TestWeightsEndByThemselvesToo(t *testing.T) {
	k := newKept(t)
	synctest.Test(t, func(t *testing.T) {
		shift := mode.Change[mode.Weights]{Value: mode.Weights{Standby: 100}, If: mode.Usual(), For: 30 * time.Second, By: "x"}
		if err := k.SetWeights(t.Context(), shift); err != nil {
			t.Fatal(err)
		}
		k.Expect(t, map[string]float64{`storefront_group_weight{group="standby"}`: 100, `storefront_group_weight{group="stable"}`: 0})
		other := mode.Change[mode.Weights]{Value: mode.Weights{Stable: 50, Standby: 50}, If: mode.Usual(), For: 30 * time.Second}
		if err := k.SetWeights(t.Context(), other); !apierror.Is(err, apierror.Conflict) {
			t.Errorf("took 0 to 100 for 100 to 0: %v, want a conflict", err)
		}
		time.Sleep(30 * time.Second)
		synctest.Wait()
		if now := k.Weights().Value; now != mode.Usual() || !strings.Contains(k.log.String(), "weights ran out") {
			t.Errorf("after their time: %+v\n%s", now, &k.log)
		}
	})
}

func TestAChangeThatWasTakenBackDoesNotComeBackWithARequestThatWasLongOnItsWay(t *testing.T) {
	k := newKept(t)
	synctest.Test(t, func(t *testing.T) {
		accept := mode.Change[mode.Setting]{Value: mode.Setting{Mode: mode.Accept}, If: mode.Setting{Mode: mode.Normal}, For: time.Minute, Key: "7/1/0/storefront"}
		back := mode.Change[mode.Setting]{Value: mode.Setting{Mode: mode.Normal}, If: mode.Setting{Mode: mode.Accept}, Key: accept.Key}
		for _, change := range []mode.Change[mode.Setting]{accept, accept, back, back} {
			if err := k.SetMode(t.Context(), change); err != nil {
				t.Fatal(err)
			}
		}
		if err := k.SetMode(t.Context(), accept); !apierror.Is(err, apierror.Conflict) || k.Mode().Value.Mode != mode.Normal {
			t.Errorf("%v, mode %s; want a conflict, and normal", err, k.Mode().Value.Mode)
		}
		anew := accept
		anew.Key = "7/2/0/storefront"
		nameless := accept
		nameless.Key = ""
		for _, change := range []mode.Change[mode.Setting]{anew, nameless} {
			if err := k.SetMode(t.Context(), change); err != nil {
				t.Errorf("key %q: %v", change.Key, err)
			}
		}
		shift := mode.Change[mode.Weights]{Value: mode.Weights{Standby: 100}, If: mode.Usual(), For: time.Minute, Key: accept.Key}
		if err := k.SetWeights(t.Context(), shift); err != nil {
			t.Errorf("the weights have their own memory: %v", err)
		}
		time.Sleep(time.Hour)
		synctest.Wait()
		if err := k.SetMode(t.Context(), accept); err != nil {
			t.Errorf("an hour later the key is remembered: %v", err)
		}
		time.Sleep(2 * time.Minute)
		synctest.Wait()
	})
}
