package model_test

import (
	"strings"
	"testing"
	"time"

	"github.com/faultline-lab/faultline/slo/model"
)

func TestACounterGetsItsRateAroundEachSelector(t *testing.T) {
	for text, want := range map[string]string{
		`requests_total`:                                   `sum(rate(requests_total[5m]))`,
		`sum(requests_total{code!~"5.."})`:                 `sum(rate(requests_total{code!~"5.."}[5m]))`,
		`sum by (job) (requests_total)`:                    `sum(sum by (job) (rate(requests_total[5m])))`,
		`sum(a_total) - sum(b_total)`:                      `(sum(rate(a_total[5m])) - sum(rate(b_total[5m])))`,
		`sum(increase(requests_total[{{ .window }}])) / 3`: `((sum(increase(requests_total[5m])) / 3) / 300)`,
		`rate(requests_total[{{.window}}])`:                `sum(rate(requests_total[5m]))`,
		`sum(requests_total offset 1h)`:                    `sum(rate(requests_total[5m] offset 1h))`,
	} {
		q, err := model.NewCounter(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got := q.Rate(5 * time.Minute); got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
}

func TestQueriesThatCannotBeMeantAreRefused(t *testing.T) {
	for name, test := range map[string]struct {
		make       func(string) (model.Query, error)
		text, want string
	}{
		"no query":                            {model.NewCounter, " ", "the query is empty"},
		"no PromQL":                           {model.NewCounter, "sum(", "not PromQL"},
		"a number":                            {model.NewCounter, "3", "an instant vector is needed"},
		"a range":                             {model.NewValue, "up[5m]", "an instant vector is needed"},
		"another placeholder":                 {model.NewCounter, "rate(x[{{.period}}])", "that is the only one there is"},
		"a counter under a function":          {model.NewCounter, "abs(x_total)", "counter: true"},
		"a counter that has its rate already": {model.NewCounter, "rate(x_total[5m])", "counter: true"},
		"a ratio of counters":                 {model.NewCounter, "a_total / b_total", "counter: true"},
		"many series with one bound":          {model.NewSingle, "queue_length", "aggregate it"},
		"many series by a label":              {model.NewSingle, "sum by (job) (queue_length)", "aggregate it"},
		"the longest series":                  {model.NewSingle, "topk(1, queue_length)", "aggregate it"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := test.make(test.text); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v; want ...%s...", err, test.want)
			}
		})
	}
}

func TestOneSeriesIsKnownWhenItIsSeen(t *testing.T) {
	for _, text := range []string{
		"max(queue_length)", "sum(a) / sum(b)", "1 - (sum(a) / sum(b))", "avg_over_time(sum(a)[{{.window}}:1m])",
		"histogram_quantile(0.99, sum by (le) (rate(x_bucket[5m])))", "vector(1)", "clamp_max(max(a), 3)",
	} {
		if _, err := model.NewSingle(text); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
}
