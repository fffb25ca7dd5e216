package evidence_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"go.opentelemetry.io/otel/trace"

	"github.com/faultline-lab/faultline/autoheal/evidence"
	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/autoheal/workload"
)

// nothing is a source that has no facts.
type nothing struct{}

func (nothing) Source() string                                          { return evidence.Prometheus }
func (nothing) Collect(context.Context, evidence.Scope) []incident.Fact { return nil }

// offenders answers after a while.
type offenders struct {
	after time.Duration
	err   error
}

func (o offenders) Offenders(ctx context.Context, workloads []string) ([]evidence.Request, error) {
	select {
	case <-time.After(o.after):
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	return []evidence.Request{{Replica: workloads[0] + "-1", Span: trace.SpanContext{}}}, o.err
}

func TestRequestsThatWereHurtIllustrateAndAreNoEvidence(t *testing.T) {
	for name, test := range map[string]struct {
		from  offenders
		found int
	}{
		"those that are found come along": {offenders{after: 10 * time.Millisecond}, 1},
		"an error is no fact":             {offenders{err: errors.New("no")}, 0},
		"what comes too late is no fact":  {offenders{after: time.Minute}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g, err := evidence.New(evidence.Config{
					Collectors: []evidence.Collector{nothing{}}, Lister: lister([]workload.Workload{}), Offenders: test.from,
				})
				if err != nil {
					t.Fatal(err)
				}
				got := g.Gather(t.Context(), evidence.Scope{Workloads: []string{"orders"}})
				if len(got.Offenders) != test.found || len(got.Facts) != 0 {
					t.Errorf("offenders %v, facts %v; want %d and none", got.Offenders, got.Facts, test.found)
				}
				if test.found > 0 && got.Offenders[0].Replica != "orders-1" {
					t.Errorf("offenders %v", got.Offenders)
				}
			})
		})
	}
}
