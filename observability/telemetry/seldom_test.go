package telemetry

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
)

// asked says how often it was asked.
type asked struct{ times int }

func (a *asked) Describe(descs chan<- *prometheus.Desc) { prometheus.DescribeByCollect(a, descs) }

func (a *asked) Collect(metrics chan<- prometheus.Metric) {
	a.times++
	metrics <- prometheus.MustNewConstMetric(
		prometheus.NewDesc("asked", "How often.", nil, nil), prometheus.GaugeValue, float64(a.times))
}

func TestACollectorThatIsDearIsAskedSeldomAndAnswersAlways(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		collector := &seldom{Collector: &asked{}, every: readProcess}
		for second, want := range []float64{1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 3} {
			if got := testutil.ToFloat64(collector); got != want {
				t.Errorf("after %d s it has been asked %v times, want %v", second, got, want)
			}
			time.Sleep(time.Second)
		}
	})
}
