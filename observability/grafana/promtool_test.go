package grafana_test

import (
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/goccy/go-yaml"

	"github.com/faultline-lab/faultline/observability/grafana"
	"github.com/faultline-lab/faultline/observability/internal/stacktest"
)

// series are samples, one a second; see promtool's notation of values.
type series map[string]string

// sample is what a query is to answer.
type sample struct {
	Labels string  `yaml:"labels"`
	Value  float64 `yaml:"value"`
}

// answers has the real Prometheus engine evaluate a panel's query over made-up samples, after a minute of them.
func answers(t *testing.T, dashboard, panel, ref string, given series, want ...sample) {
	t.Helper()
	expr := ""
	for _, d := range grafana.Dashboards() {
		for _, p := range d.Panels() {
			for _, q := range p.Queries {
				if d.File == dashboard && p.Title == panel && q.RefID == ref {
					expr = q.Expr
				}
			}
		}
	}
	if expr == "" {
		t.Fatalf("%s has no panel %q with a query %s", dashboard, panel, ref)
	}
	type input struct {
		Series string `yaml:"series"`
		Values string `yaml:"values"`
	}
	var inputs []input
	for name, values := range given {
		inputs = append(inputs, input{name, values})
	}
	// The sixth digit is far enough: 1 - 0.99 is not 0.01 to the last bit.
	expr = "round((" + expr + "), 0.000001)"
	for i := range want {
		want[i].Value = math.Round(want[i].Value*1e6) / 1e6
	}
	type object = map[string]any
	file, err := yaml.Marshal(object{
		"evaluation_interval": "1s",
		"tests": []object{{
			"interval": "1s", "input_series": inputs,
			"promql_expr_test": []object{{"expr": expr, "eval_time": "1m", "exp_samples": want}},
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "test.yml")
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), stacktest.Binary(t, "promtool"), "test", "rules", path).CombinedOutput()
	if err != nil {
		t.Errorf("%s, %q: %v\n%s", dashboard, panel, err, out)
	}
}

func TestTheBurnRateIsThatOfWhicheverProfileIsLoaded(t *testing.T) {
	const checkout, orders = `{slo="checkout",workload="storefront"}`, `{slo="orders-latency",workload="orders"}`
	answers(t, "slo.json", "Burn rate", "A", series{"slo:burn_rate:rate5s" + checkout: "14.4x60", "slo:burn_rate:rate5s" + orders: "3x60"}, sample{checkout, 14.4})
	answers(t, "slo.json", "Burn rate", "A", series{"slo:burn_rate:rate5m" + checkout: "14.4x60"}, sample{checkout, 14.4})
	answers(t, "slo.json", "Objective", "A", series{"slo:objective:ratio" + checkout: "0.999x60"}, sample{checkout, 0.999})
	answers(t, "slo.json", "Budget taken by each window", "A", series{
		"slo:burn_rate:rate5s" + checkout:  "0x60",
		"slo:burn_rate:rate30s" + checkout: "14.4x60",
		"slo:period:seconds" + checkout:    "21600x60",
	}, sample{`{slo="checkout",window="5s",workload="storefront"}`, 0}, sample{`{slo="checkout",window="30s",workload="storefront"}`, 0.02})
	answers(t, "slo.json", "Burn rate, of each promise", "A", series{"slo:burn_rate:rate30s" + checkout: "2x60", "slo:burn_rate:rate30s" + orders: "3x60"},
		sample{checkout, 2}, sample{orders, 3})
}

func TestWhatALeakHoldsIsCountedAndNotInTheLaw(t *testing.T) {
	const pool = `{job="orders",instance="orders-1",db_client_connection_pool_name="orders"}`
	given := series{
		`db_client_connection_count{job="orders",instance="orders-1",db_client_connection_pool_name="orders",db_client_connection_state="used"}`: "4x60",
		`db_client_connection_use_time_seconds_sum` + pool: "100x60",
	}
	want := `{job="orders",db_client_connection_pool_name="orders"}`
	answers(t, "capacity.json", "Connections in use: law and count", "A", given, sample{want, 0})
	answers(t, "capacity.json", "Connections in use: law and count", "B", given, sample{want, 4})
}

func TestAReplicaIsFullAtItsSizeDividedByWhatACheckoutCosts(t *testing.T) {
	both := `{job="orders",db_client_connection_pool_name="orders"}`
	given := series{
		"pool:demand:connection_seconds_per_checkout" + both: "0.1x60", "pool:saturation:checkouts_per_second" + both: "80x60",
		"pool:free:ratio" + both: "0.5x60",
	}
	for _, instance := range []string{"orders-1", "orders-2"} {
		given[`db_client_connection_max{job="orders",instance="`+instance+`",db_client_connection_pool_name="orders"}`] = "4x60"
	}
	answers(t, "capacity.json", "One replica is full at", "A", given,
		sample{`{job="orders",instance="orders-1",db_client_connection_pool_name="orders"}`, 40},
		sample{`{job="orders",instance="orders-2",db_client_connection_pool_name="orders"}`, 40})
	answers(t, "capacity.json", "Pools now", "E", given, sample{both, 0.1})
	answers(t, "capacity.json", "Pools now", "F", given, sample{both, 80})
	answers(t, "capacity.json", "Free share", "A", given, sample{both, 0.5})
}

func TestARestartedReplicasCounterDoesNotHideTheOthers(t *testing.T) {
	answers(t, "overview.json", "Requests", "A", series{
		`http_server_request_duration_seconds_count{job="orders",instance="orders-1"}`: "0+20x60",
		`http_server_request_duration_seconds_count{job="orders",instance="orders-2"}`: "0+20x50 0+20x9",
	}, sample{`{job="orders"}`, 40 - 20.0/14})
}

func TestWithoutAFailureThereIsAZeroAndWithoutRequestsThereIsNone(t *testing.T) {
	count := `http_server_request_duration_seconds_count{job="orders",http_response_status_code="201"}`
	answers(t, "overview.json", "Errors", "A", series{count: "0+20x60"}, sample{`{job="orders"}`, 0})
	answers(t, "overview.json", "Errors", "A", series{count: "500x60"})
}

func TestNoAlertIsSaidInSoManyWords(t *testing.T) {
	answers(t, "overview.json", "Alerts", "A", series{}, sample{`{alertname="no alert"}`, 0})
	answers(t, "overview.json", "Alerts", "A", series{
		`ALERTS{alertname="ConnectionPoolExhausted",instance="orders-1",alertstate="firing",pool="orders"}`: "1x60",
	}, sample{`{alertname="ConnectionPoolExhausted",instance="orders-1"}`, 1})
}
