package contract_test

import (
	"strings"
	"testing"

	"github.com/faultline-lab/faultline/observability/contract"
)

// shopPage is what the program shop of the small contract serves.
const shopPage = `# HELP process_open_fds Files.
# TYPE process_open_fds gauge
process_open_fds 9.0
# HELP shop_queue_seconds Age.
# TYPE shop_queue_seconds gauge
shop_queue_seconds 0.0
# HELP shop_sales Sales.
# TYPE shop_sales counter
shop_sales_total{result="refused"} 0.0
shop_sales_total{result="sold"} 3.0
# HELP shop_wait_time_seconds Waiting.
# TYPE shop_wait_time_seconds histogram
shop_wait_time_seconds_bucket{http_route="/buy",le="0.1"} 2 # {trace_id="1729043be61f659468558b48977960f2",span_id="987841f9528b6159"} 0.05 1.7954348729173646e+09
shop_wait_time_seconds_bucket{http_route="/buy",le="+Inf"} 3
shop_wait_time_seconds_sum{http_route="/buy"} 0.4
shop_wait_time_seconds_count{http_route="/buy"} 3
# EOF
`

func page(t *testing.T, text string) contract.Page {
	t.Helper()
	p, err := contract.ReadPage([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestAPageIsReadByFamilies(t *testing.T) {
	p := page(t, shopPage)
	if len(p) != 4 {
		t.Errorf("%d families, want 4", len(p))
	}
	wait := p["shop_wait_time_seconds"]
	if wait.Type != contract.Histogram || len(wait.Series) != 1 || wait.Observations != 3 || wait.Exemplars != 1 || wait.Broken != 0 {
		t.Errorf("the histogram was read as %+v", wait)
	}
	if _, there := wait.Series[0]["le"]; there {
		t.Error("le is no label of the histogram as a whole")
	}
	if sales := p["shop_sales"]; sales.Type != contract.Counter || len(sales.Series) != 2 {
		t.Errorf("the counter was read as %+v", sales)
	}
}

func TestWhatIsNoPageIsRefused(t *testing.T) {
	for name, text := range map[string]string{
		"no end":             strings.Replace(shopPage, "# EOF\n", "", 1),
		"an answer of HTML":  "<html>404</html>",
		"a series of nobody": "stray 1.0\n# EOF\n",
		"nothing":            "",
	} {
		t.Run(name, func(t *testing.T) {
			if p, err := contract.ReadPage([]byte(text)); err == nil {
				t.Errorf("read as %v", p)
			}
		})
	}
}

func FuzzReadPageNeverPanics(f *testing.F) {
	f.Add([]byte(shopPage))
	f.Add([]byte("# TYPE a info\na_info{b=\"\"} 1\n# UNIT a_seconds seconds\n# EOF\n"))
	f.Fuzz(func(_ *testing.T, data []byte) {
		p, err := contract.ReadPage(data)
		if err != nil {
			return
		}
		c, err := contract.Load()
		if err != nil {
			panic(err)
		}
		c.CheckMetrics(contract.Observed{Target: "local", Instances: []contract.Instance{{Program: "orders", Instance: "orders-1", Page: p}}})
	})
}
