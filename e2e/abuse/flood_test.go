package abuse

import (
	"fmt"
	"maps"
	"testing"
	"time"

	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/e2e/internal/ward"
)

// flood is n alerts about as many replicas of a hundred workloads that nobody knows.
func flood(n int, startsAt time.Time) []ward.Alert {
	var all []ward.Alert
	for i := range n {
		workload := fmt.Sprintf("stranger-%02d", i%100)
		all = append(all, ward.Alert{
			Status: "firing", Fingerprint: fmt.Sprintf("flood-%05d", i), StartsAt: startsAt,
			Labels: map[string]string{
				"alertname": "ConnectionPoolExhausted", "severity": "page", "workload": workload, "job": workload,
				"instance": fmt.Sprintf("%s-%d", workload, i),
			},
			Annotations: map[string]string{"summary": "one of very many"},
		})
	}
	return all
}

// Ten thousand alerts at once, about workloads that are not there. Whatever becomes of them, it is a person's.
func TestTenThousandAlertsAreAllKeptAndNothingIsDone(t *testing.T) {
	const n = 10_000
	l := open(t)
	l.fresh(t)
	alerts := flood(n, time.Now().UTC())
	sent := time.Now()
	l.MustPost(t, alerts...)
	t.Logf("%d alerts were acknowledged after %s", n, time.Since(sent).Round(time.Millisecond))
	l.AwaitEnd(t)
	l.Await(t, "every alert to be in an incident", time.Minute, func() error {
		waiting, err := l.Waiting(t.Context())
		if err == nil && len(waiting) > 0 {
			err = fmt.Errorf("%d alerts wait for one", len(waiting))
		}
		return err
	})
	ended := l.AwaitEnd(t)
	told := map[string]bool{}
	for _, alert := range alerts {
		told[alert.Fingerprint] = true
	}
	l.CheckKept(t, told, ended)
	for _, one := range ended {
		if len(one.Actions) > 0 {
			t.Errorf("something was done to %s: %+v", one.Workload, one.Actions)
		}
		if one.Outcome == incident.Recovered {
			t.Errorf("incident %s about %s is said to have recovered", one.ID, one.Workload)
		}
	}
}

// Alertmanager's pairs send everything twice, late, and out of order.
func TestDuplicatesAndAlertsOutOfOrderAreOneIncidentAndOneRepair(t *testing.T) {
	l := open(t)
	l.fresh(t)
	l.Inject(t, "connection-leak", 2, window)
	var pages []ward.Alert
	l.Await(t, "a page", time.Minute, func() error {
		var err error
		if pages, err = l.Pages(t.Context()); err == nil && len(pages) == 0 {
			err = fmt.Errorf("no alert fires")
		}
		return err
	})
	for range 20 {
		for i := len(pages) - 1; i >= 0; i-- { // the other way round
			ended := pages[i]
			ended.Labels = maps.Clone(ended.Labels)
			ended.Status, ended.EndsAt = "resolved", ended.StartsAt.Add(time.Second)
			l.MustPost(t, pages[i])
			l.MustPost(t, ended) // resolved is never recovered
			l.MustPost(t, pages[i], pages[i])
		}
	}
	told := map[string]bool{}
	for _, alert := range pages {
		told[alert.Fingerprint] = true
	}
	ended := l.AwaitEnd(t)
	l.CheckOnce(t, ended)
	l.CheckKept(t, told, ended)
	acted := 0
	for _, one := range ended {
		if len(one.Actions) > 0 {
			acted++
		}
	}
	if acted != 1 || ended[0].Outcome != incident.Recovered {
		t.Errorf("%d of %d incidents acted, the first ended as %s: want one, recovered", acted, len(ended), ended[0].Outcome)
	}
}
