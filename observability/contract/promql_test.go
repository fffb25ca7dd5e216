package contract_test

import (
	"strings"
	"testing"
)

func TestQueriesThatCanMatchPass(t *testing.T) {
	c := parse(t, small)
	for _, expr := range []string{
		`shop_sales_total`,
		`sum by (job, result) (rate(shop_sales_total{result!="sold", version=~".+"}[1m]))`,
		`histogram_quantile(0.99, sum by (le, http_route) (rate(shop_wait_time_seconds_bucket{job="shop"}[1m])))`,
		`sum(rate(shop_wait_time_seconds_sum[1m])) / sum(rate(shop_wait_time_seconds_count[1m]))`,
		`shop_wait_time_seconds_bucket{le="0.5"}`,
		`sum without (instance) (shop_queue_seconds) or vector(0)`,
		`shop_queue_seconds * on (job) group_left (version) process_open_fds`,
		`sum by (kind) (label_replace(shop_sales_total, "kind", "$1", "result", "(.*)"))`,
		`up{job="shop"} == 0`,
		`rate(loki_lines_total{job="loki", tenant=~".*"}[5m])`,
		`shop:sales:rate5m{anything="goes"} > 1 and on (job) shop_queue_seconds > 2`,
		`topk(3, shop_sales_total)`,
		`sum by (age) (count_values("age", shop_queue_seconds))`,
		`max_over_time((sum by (result) (rate(shop_sales_total[1m])))[5m:10s])`,
		`absent(shop_queue_seconds{job="shop"})`,
	} {
		if err := c.CheckPromQL(expr, "shop:sales:rate5m"); err != nil {
			t.Error(err)
		}
	}
}

func TestQueriesThatCannotMatchAreRefused(t *testing.T) {
	c := parse(t, small)
	for _, q := range []struct{ name, expr, want string }{
		{"a syntax error", `sum(`, "parse error"},
		{"an unknown metric", `shop_sale_total`, "did you mean shop_sales_total?"},
		{"a recording rule that nobody makes", `shop:sale:rate5m`, "no such metric in the contract"},
		{"a histogram without a suffix", `shop_wait_time_seconds`, "asked for by its _bucket, _count or _sum"},
		{"an unknown label", `shop_sales_total{outcome="sold"}`, "matching by outcome: no such label"},
		{"a value that cannot be", `shop_sales_total{result="stolen"}`, "result is one of sold, refused"},
		{"a pattern that no value matches", `shop_sales_total{result=~"st.*"}`, "result is one of sold, refused"},
		{"a job that does not emit it", `shop_sales_total{job="boss"}`, "job is one of shop"},
		{"le without buckets", `shop_wait_time_seconds_sum{le="1"}`, "matching by le: no such label"},
		{"grouping by what is not there", `sum by (colour) (shop_sales_total)`, "by colour: no such label"},
		{"grouping by what was summed away", `max by (result) (sum by (job) (shop_sales_total))`, "by result: no such label"},
		{"joining on what one side lacks", `shop_sales_total * on (result) shop_queue_seconds`, "on result: no such label"},
		{"bringing over what is not there", `shop_sales_total * on (job) group_left (result) shop_queue_seconds`, "group_left result: no such label"},
		{"a quantile whose buckets were summed away", `histogram_quantile(0.9, sum(rate(shop_wait_time_seconds_bucket[1m])))`, "le: no such label"},
		{"a selector without a name", `{job="shop"}`, "name the metric"},
		{"a job of the stack that does not have it", `loki_lines_total{job="jaeger"}`, "job is one of loki"},
	} {
		t.Run(q.name, func(t *testing.T) {
			err := c.CheckPromQL(q.expr, "shop:sales:rate5m")
			if err == nil || !strings.Contains(err.Error(), q.want) {
				t.Errorf("got %v\nwant %s", err, q.want)
			}
		})
	}
}
