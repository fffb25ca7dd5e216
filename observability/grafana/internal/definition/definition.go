package definition

import (
	"fmt"

	"github.com/faultline-lab/faultline/observability/grafana/internal/model"
)

// File is a dashboard and the name of its file.
type File struct {
	Name      string
	Dashboard model.Dashboard
}

// All lists the dashboards, the one to begin with first.
func All() []File {
	return []File{
		{"overview.json", Overview()},
		{"pool.json", Pool()},
		{"slo.json", SLO()},
		{"capacity.json", Capacity()},
		{"healer.json", Healer()},
	}
}

// The edge's checkouts, as slo/rules selects them.
const checkout = `job="storefront",http_request_method="POST",http_route="/checkout"`

// rate is a counter's rate, summed by labels.
func rate(by, counter string) string {
	return fmt.Sprintf("sum by (%s) (rate(%s[$__rate_interval]))", by, counter)
}

// quantile is a quantile of a histogram, by labels; selector is what stands in its braces.
func quantile(q, by, histogram, selector string) string {
	return fmt.Sprintf("histogram_quantile(%s, sum by (%s) (rate(%s_bucket{%s}[$__rate_interval])))", q, join(by, "le"), histogram, selector)
}

// spread is a histogram's buckets over time.
func spread(histogram, selector string) string {
	return fmt.Sprintf("sum by (le) (increase(%s_bucket{%s}[$__rate_interval]))", histogram, selector)
}

// mean is the mean of a histogram, by labels; without an observation there is none.
func mean(by, histogram, selector, window string) string {
	return fmt.Sprintf("(sum by (%[1]s) (rate(%[2]s_sum{%[3]s}[%[4]s])) / (sum by (%[1]s) (rate(%[2]s_count{%[3]s}[%[4]s])) > 0))",
		by, histogram, selector, window)
}

// orZero is honest where nothing was counted because nothing happened: the other expression, times nothing.
func orZero(expr, there string) string { return fmt.Sprintf("%s or 0 * %s", expr, there) }

func join(labels, last string) string {
	if labels == "" {
		return last
	}
	return labels + ", " + last
}

// firing is 1 for each alert that fires, and one quiet band when none does.
func firing(selector string) string {
	return fmt.Sprintf(`max by (alertname, instance) (ALERTS{%s}) or on () label_replace(vector(0), "alertname", "no alert", "", "")`,
		join(selector, `alertstate="firing"`))
}
