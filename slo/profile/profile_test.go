package profile_test

import (
	"strings"
	"testing"
	"time"

	"github.com/faultline-lab/faultline/slo/burnrate"
	"github.com/faultline-lab/faultline/slo/profile"
)

func get(t *testing.T, name string) profile.Profile {
	t.Helper()
	p, err := profile.Get(name)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// SRE Workbook, chapter 5, table 5-8: the share of a month's budget that is gone when each pair fires.
func TestProductionIsTheWorkbooksTable(t *testing.T) {
	month := 30 * 24 * time.Hour
	promise, err := burnrate.New(0.999, month)
	if err != nil {
		t.Fatal(err)
	}
	want := map[time.Duration]float64{time.Hour: 0.02, 6 * time.Hour: 0.05, 24 * time.Hour: 0.10, 72 * time.Hour: 0.10}
	for _, alert := range get(t, profile.Production).Alerts {
		for _, pair := range alert.Pairs {
			if spent := promise.Spent(pair.BurnRate, pair.Long); spent < want[pair.Long]-1e-9 || spent > want[pair.Long]+1e-9 {
				t.Errorf("%v over %s spends %v; want %v", pair.BurnRate, pair.Long, spent, want[pair.Long])
			}
			if pair.Long != 12*pair.Short {
				t.Errorf("%v: the short window is no twelfth of the long one", pair)
			}
		}
	}
}

func TestTheDemoSpendsTheSameShareOfItsPeriod(t *testing.T) {
	p := get(t, profile.Demo)
	promise, err := burnrate.New(0.999, p.Period(30*24*time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	if spent := promise.Spent(p.Fastest().BurnRate, p.Fastest().Long); spent < 0.02-1e-9 || spent > 0.02+1e-9 {
		t.Errorf("it spends %v of its period's budget; want 2 %%", spent)
	}
}

func TestEveryWindowIsEvaluatedSoonerThanItIsLong(t *testing.T) {
	for _, name := range profile.Names() {
		p := get(t, name)
		for _, window := range p.Windows() {
			every := p.Fast
			if window > p.FastUpTo {
				every = p.Slow
			}
			if every*profile.Scrapes > window {
				t.Errorf("%s evaluates its window of %s every %s", name, window, every)
			}
		}
	}
}

func TestWhoWantsTicketsGetsNoPage(t *testing.T) {
	for _, name := range profile.Names() {
		alerts := get(t, name).For(profile.Ticket)
		if len(alerts) == 0 {
			t.Errorf("%s has nothing for an SLO of tickets", name)
		}
		for _, alert := range alerts {
			if alert.Severity != profile.Ticket {
				t.Errorf("%s: %v", name, alert)
			}
		}
	}
}

func TestAProfileThatThereIsNotIsNamedWithThoseThatThereAre(t *testing.T) {
	if _, err := profile.Get("staging"); err == nil || !strings.Contains(err.Error(), "use one of: demo, production") {
		t.Errorf("error %v", err)
	}
}
