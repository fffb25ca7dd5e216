package engine_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/faultline-lab/faultline/autoheal/guard"
	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/autoheal/store"
)

// asked lets time pass until a person is asked, and returns the incident.
func asked(t *testing.T, c *clinic) incident.Incident {
	t.Helper()
	for range 60 {
		time.Sleep(time.Second)
		synctest.Wait()
		for _, in := range c.all() {
			if in.State == incident.Awaiting {
				return in
			}
		}
	}
	t.Fatalf("nobody was asked within a minute: %+v", c.all())
	return incident.Incident{}
}

func answer(t *testing.T, c *clinic, in incident.Incident, what string) error {
	t.Helper()
	return c.store.SaveAnswer(t.Context(), store.Answer{
		IncidentID: in.ID, AskedAt: in.Approval.AskedAt, Answer: what, By: "ada", Comment: "so be it", At: time.Now(),
	})
}

func approving(c *clinic) { c.limits.Autonomy = guard.Approve }

func TestWhatAPersonApprovedIsDiagnosedAgainAndDone(t *testing.T) {
	scenario(t, approving, func(t *testing.T, c *clinic) {
		leakThenAlert(c, 2*time.Second, "orders-1", "orders-2")
		question := asked(t, c)
		if len(c.world.restarted()) > 0 {
			t.Fatalf("restarted before anybody had answered: %v", c.world.restarted())
		}
		if err := answer(t, c, question, incident.Approved); err != nil {
			t.Fatal(err)
		}
		in := only(t, c.settle())
		check(t, c, story{outcome: incident.Recovered, cause: incident.ConnectionLeak, restarted: map[string]int{"orders-1": 1, "orders-2": 1}}, in)
		if in.Approval.By != "ada" || in.Diagnosis.Round <= question.Diagnosis.Round {
			t.Errorf("approval %+v, diagnosis of round %d after %d", in.Approval, in.Diagnosis.Round, question.Diagnosis.Round)
		}
	})
}

func TestWhatHasPassedWhenAPersonApprovesIsNotDone(t *testing.T) {
	scenario(t, approving, func(t *testing.T, c *clinic) {
		leakThenAlert(c, 2*time.Second, "orders-1")
		question := asked(t, c)
		c.world.cure("orders-1")
		time.Sleep(10 * time.Second)
		if err := answer(t, c, question, incident.Approved); err != nil {
			t.Fatal(err)
		}
		check(t, c, story{outcome: incident.SelfRecovered, cause: incident.Inconclusive}, only(t, c.settle()))
	})
}

func TestADenialIsANoAndSoIsSilence(t *testing.T) {
	for name, reply := range map[string]string{"ada denied restart-replicas": incident.Denied, "nobody answered within 5m0s": ""} {
		t.Run(name, func(t *testing.T) {
			scenario(t, approving, func(t *testing.T, c *clinic) {
				leakThenAlert(c, 2*time.Second, "orders-1")
				question := asked(t, c)
				if reply != "" {
					if err := answer(t, c, question, reply); err != nil {
						t.Fatal(err)
					}
				}
				check(t, c, story{outcome: incident.HandedOver, cause: incident.ConnectionLeak, reason: name}, only(t, c.settle()))
				if err := answer(t, c, question, incident.Approved); !errors.Is(err, store.ErrAnswered) {
					t.Errorf("an answer that comes too late: %v", err)
				}
			})
		})
	}
}

func TestAQuestionSurvivesTheHealer(t *testing.T) {
	scenario(t, approving, func(t *testing.T, c *clinic) {
		leakThenAlert(c, 2*time.Second, "orders-1")
		question := asked(t, c)
		c.stop()
		if err := answer(t, c, question, incident.Approved); err != nil {
			t.Fatal(err)
		}
		c.start(t.Context())
		check(t, c, story{outcome: incident.Recovered, cause: incident.ConnectionLeak, restarted: map[string]int{"orders-1": 1}}, only(t, c.settle()))
	})
}

func TestAPauseStopsTheHealerUntilSomebodyTakesItBack(t *testing.T) {
	scenario(t, nil, func(t *testing.T, c *clinic) {
		if err := c.store.SetPause(t.Context(), &store.Pause{By: "ada", Reason: "a migration", At: time.Now()}, "ada", time.Now()); err != nil {
			t.Fatal(err)
		}
		leakThenAlert(c, 2*time.Second, "orders-1")
		in := only(t, c.settle())
		check(t, c, story{outcome: incident.HandedOver, cause: incident.ConnectionLeak, reason: "kill-switch"}, in)
		if err := c.store.SetPause(t.Context(), nil, "ada", time.Now()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(6 * time.Minute) // alerts that go on firing are looked at again after five
		all := c.settle()
		if len(all) != 2 || all[1].Outcome != incident.Recovered {
			t.Errorf("after the pause: %+v", all)
		}
	})
}
