package contract_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/faultline-lab/faultline/observability/contract"
	"github.com/faultline-lab/faultline/observability/query"
)

const bossPage = "# TYPE process_open_fds gauge\nprocess_open_fds 9.0\n# EOF\n"

// checkPages holds the shop's page, and an innocent one of the boss, against the small contract.
func checkPages(t *testing.T, shop string) []string {
	t.Helper()
	return short(parse(t, small).CheckMetrics(contract.Observed{Target: "local", Instances: []contract.Instance{
		{Program: "shop", Instance: "shop-1", Page: page(t, shop)},
		{Program: "shop", Instance: "shop-2", Page: page(t, shop)},
		{Program: "boss", Instance: "boss", Page: page(t, bossPage)},
	}}))
}

func short(violations []contract.Violation) []string {
	var lines []string
	for _, v := range violations {
		lines = append(lines, fmt.Sprintf("%s %s %s", v.Where, v.Kind, v.What))
	}
	return lines
}

func TestAPageThatKeepsTheContractHasNoViolation(t *testing.T) {
	if got := checkPages(t, shopPage); len(got) > 0 {
		t.Errorf("%q", got)
	}
}

func TestEachFaultOnAPageIsFoundOnce(t *testing.T) {
	const sold = `shop_sales_total{result="sold"} 3.0`
	cases := []struct {
		name, from, to string
		want           []string
	}{
		{
			"a renamed metric is missing under one name and extra under the other", "shop_sales", "shop_sale",
			[]string{"shop extra shop_sale_total", "shop missing shop_sales_total"},
		},
		{"a metric that nobody listed", "# EOF", "# TYPE shop_debug gauge\nshop_debug 1.0\n# EOF", []string{"shop extra shop_debug"}},
		{
			"a metric that is gone", "# HELP shop_queue_seconds Age.\n# TYPE shop_queue_seconds gauge\nshop_queue_seconds 0.0\n", "",
			[]string{"shop missing shop_queue_seconds"},
		},
		{"another unit", "shop_wait_time_seconds", "shop_wait_time_milliseconds", []string{"shop unit shop_wait_time_seconds"}},
		{"another type under the same name", "# TYPE shop_queue_seconds gauge", "# TYPE shop_queue_seconds unknown", []string{"shop type shop_queue_seconds"}},
		{
			"a gauge that became a counter", "# TYPE shop_queue_seconds gauge\nshop_queue_seconds", "# TYPE shop_queue_seconds counter\nshop_queue_seconds_total",
			[]string{"shop type shop_queue_seconds"},
		},
		{"a label that is not listed", "shop_queue_seconds 0.0", `shop_queue_seconds{colour="red"} 0.0`, []string{"shop label shop_queue_seconds{colour}"}},
		{
			"a label that is not listed and holds ids", "shop_queue_seconds 0.0", `shop_queue_seconds{order_id="6ad8a222-85cf-526b-ab88-01ec42034e67"} 0.0`,
			[]string{"shop cardinality shop_queue_seconds{order_id}", "shop label shop_queue_seconds{order_id}"},
		},
		{"a label that is not there", `{http_route="/buy",le="0.1"}`, `{le="0.1"}`, []string{"shop label shop_wait_time_seconds{http_route}"}},
		{"a value outside a closed list", sold, sold + "\nshop_sales_total{result=\"stolen\"} 1.0", []string{"shop cardinality shop_sales_total{result}"}},
		{"a value that does not start at zero", `shop_sales_total{result="refused"} 0.0` + "\n", "", []string{"shop label shop_sales_total{result}"}},
		{"a value that is not like the pattern", `http_route="/buy"`, `http_route="buy"`, []string{"shop cardinality shop_wait_time_seconds{http_route}"}},
		{
			"no exemplar", ` # {trace_id="1729043be61f659468558b48977960f2",span_id="987841f9528b6159"} 0.05 1.7954348729173646e+09`, "",
			[]string{"shop exemplar shop_wait_time_seconds"},
		},
		{"an exemplar that leads nowhere", `trace_id="1729043be61f659468558b48977960f2",`, "", []string{"shop exemplar shop_wait_time_seconds"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			text := strings.ReplaceAll(shopPage, c.from, c.to)
			if text == shopPage {
				t.Fatal("the case changes nothing")
			}
			if got := checkPages(t, text); strings.Join(got, "\n") != strings.Join(c.want, "\n") {
				t.Errorf("got  %q\nwant %q", got, c.want)
			}
		})
	}
}

func TestALabelWhoseValuesGrowIsFound(t *testing.T) {
	for name, peers := range map[string][]string{
		"more values than the bound": {"a", "b", "c"},
		"a UUID":                     {"6ad8a222-85cf-526b-ab88-01ec42034e67"},
		"a trace id":                 {"1729043be61f659468558b48977960f2"},
		"a number of many digits":    {"order 20261123"},
	} {
		t.Run(name, func(t *testing.T) {
			var series strings.Builder
			for _, peer := range peers {
				fmt.Fprintf(&series, "shop_wait_time_seconds_count{http_route=\"/buy\",peer=%q} 1\n", peer)
			}
			got := checkPages(t, strings.Replace(shopPage, "# EOF", series.String()+"# EOF", 1))
			if len(got) != 1 || got[0] != "shop cardinality shop_wait_time_seconds{peer}" {
				t.Errorf("%q", got)
			}
		})
	}
	t.Run("but words of hexadecimal letters, and ports, are no ids", func(t *testing.T) {
		got := checkPages(t, strings.Replace(shopPage, "# EOF", "shop_wait_time_seconds_count{http_route=\"/buy\",peer=\"deadbeeffacadedecade:10711\"} 1\n# EOF", 1))
		if len(got) != 0 {
			t.Errorf("%q", got)
		}
	})
}

func TestHintsGuessARename(t *testing.T) {
	c := parse(t, small)
	found := c.CheckMetrics(contract.Observed{Target: "kind", Instances: []contract.Instance{
		{Program: "shop", Page: page(t, strings.ReplaceAll(shopPage, "shop_sales", "shop_sold"))},
	}})
	var all strings.Builder
	for _, v := range found {
		fmt.Fprintln(&all, v)
	}
	for _, want := range []string{
		"extra: shop emits shop_sold_total, which the contract does not list: is it shop_sales_total, which is missing, under another name?",
		"missing: shop does not emit shop_sales_total, which the contract lists as seen: always; shop_sold_total is there instead: if it was renamed, change telemetry.yaml and every query",
	} {
		if !strings.Contains(all.String(), want) {
			t.Errorf("%s\nlacks: %s", all.String(), want)
		}
	}
}

func TestWhatIsSeenLaterIsMissedOnlyOnceItHappened(t *testing.T) {
	o := contract.Observed{
		Target: "kind", Happened: []contract.Seen{contract.OnHeal},
		Instances: []contract.Instance{{Program: "shop", Page: page(t, shopPage)}},
	}
	if got := short(parse(t, small).CheckMetrics(o)); len(got) != 1 || got[0] != "shop missing shop_healed_total" {
		t.Errorf("%q", got)
	}
}

func TestProgramsThatWereNotReadAndThoseThatNobodyListedAreFound(t *testing.T) {
	c := parse(t, small)
	got := short(c.CheckMetrics(contract.Observed{Target: "local", Instances: []contract.Instance{
		{Program: "shop", Page: page(t, shopPage)}, {Program: "thief", Page: page(t, bossPage)},
	}}))
	if strings.Join(got, "; ") != "boss missing boss; thief extra thief" {
		t.Errorf("%q", got)
	}
	if got := c.Check(contract.Observed{Target: "local"}); len(got) < 4 {
		t.Errorf("nothing at all was observed, and only %q is missed", short(got))
	}
}

func TestReplicasAreHeldToTheContractOneByOne(t *testing.T) {
	bad := strings.Replace(shopPage, `shop_sales_total{result="refused"} 0.0`+"\n", "", 1)
	got := short(parse(t, small).CheckMetrics(contract.Observed{Target: "kind", Instances: []contract.Instance{
		{Program: "shop", Instance: "shop-1", Page: page(t, shopPage)}, {Program: "shop", Instance: "shop-2", Page: page(t, bad)},
	}}))
	if len(got) != 1 || got[0] != "shop label shop_sales_total{result}" {
		t.Errorf("%q", got)
	}
}

// goodSpans and goodLogs keep the small contract.
func goodSpans() []contract.ObservedSpan {
	return contract.FromTraces([]query.Trace{{ID: "t1", Spans: []query.Span{
		{ID: "a", Service: "shop", Name: "sell", Kind: query.Server, Attributes: query.Labels{"order_id": "7", "@jaeger@warnings": "skew"}},
		{ID: "b", ParentID: "a", Service: "shop", Name: "INSERT orders", Kind: query.Client, Attributes: query.Labels{"table": "orders"}},
	}}})
}

func goodLogs() []contract.ObservedLog {
	return contract.FromLogs([]query.Log{{Line: "sold", Labels: query.Labels{
		"service_name": "shop", "severity_text": "INFO", "trace_id": "t1", "order_id": "7",
	}}})
}
