package senses

import (
	"fmt"
	"testing"
	"time"

	"github.com/faultline-lab/faultline/chaos/sli"
	"github.com/faultline-lab/faultline/e2e/internal/looptest"
)

// client is what some whole seconds were like for those who ordered.
type client struct {
	seconds, orders, slow, failed int
	trace                         string // of one that failed
}

// ratio is the share of the orders that were served within the objective.
func (c client) ratio() float64 { return float64(c.orders-c.slow-c.failed) / float64(c.orders) }

func (c client) String() string {
	text := fmt.Sprintf("of %d orders in %d s %d were slow and %d failed", c.orders, c.seconds, c.slow, c.failed)
	if c.trace != "" {
		text += " (trace " + c.trace + ")"
	}
	return text
}

func (c *client) add(second sli.Second) {
	c.seconds++
	c.orders += second.Sent - second.Excluded
	c.slow += second.Slow
	c.failed += second.Failed
	if len(second.FailedTraceIDs) > 0 {
		c.trace = second.FailedTraceIDs[0]
	}
}

// calm is how long the client is looked at before and after an outage, and how long that lasts at least.
const calm = 4 * time.Second

// read adds up the client's seconds that touch a span of time; it is an error when one of them is not there.
func (s *live) read(t *testing.T, from, to time.Time) (client, error) {
	next, last := from.Truncate(time.Second), to.Truncate(time.Second)
	var found client
	all, err := sli.Read(t.Context(), s.stack.Endpoints.Loadgen, next)
	for _, second := range all {
		if second.Second.Equal(next) && !next.After(last) {
			found.add(second)
			next = next.Add(time.Second)
		}
	}
	if err == nil && !next.After(last) {
		err = fmt.Errorf("the client has no second %s yet, or sent nothing in it", next.Format(time.TimeOnly))
	}
	return found, err
}

// seconds waits for the last of the client's seconds that touch a span of time, and adds them up.
func (s *live) seconds(t *testing.T, from, to time.Time) client {
	t.Helper()
	var found client
	looptest.Eventually(t, "the client's seconds", func() (err error) {
		found, err = s.read(t, from, to)
		return err
	})
	return found
}

// finished is how long after its end a second is finished at the latest: when all that was sent in it has ended.
const finished = 2 * time.Second

// steady waits until the last seconds were good for everybody and no alert is left of worse ones: with those an outage is
// compared.
func (s *live) steady(t *testing.T) client {
	t.Helper()
	var found client
	looptest.Eventually(t, "every order of some seconds to be served well, and no alert", func() error {
		to := time.Now().Add(-finished)
		var err error
		if found, err = s.read(t, to.Add(-calm), to.Add(-time.Second)); err != nil {
			return err
		}
		if found.ratio() < 1 {
			return fmt.Errorf("%s", found)
		}
		alerts, err := s.prometheus.Alerts(t.Context())
		if err == nil && len(alerts) > 0 {
			err = fmt.Errorf("%s is %s", alerts[0].Labels["alertname"], alerts[0].State)
		}
		return err
	})
	return found
}
