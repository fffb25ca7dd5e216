package fault_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/faultline-lab/faultline/chaos/experiment"
	"github.com/faultline-lab/faultline/chaos/experiments"
	"github.com/faultline-lab/faultline/chaos/fault"
)

const leakFile = `name: x
title: X
hypothesis:
  text: it holds
  steady_state: [{query: up, op: "==", threshold: 1}]
  client: {good_seconds: 1, within: 1s}
fault:
  kind: connection-leak
  parameters:
    coupon: SPRING24
    orders: 16
    at_most: 32
    burst: 500ms
    max_hold: 1s
    products: [SKU-0007]
    customers: [c-901]
scope: {workload: orders}
duration: 45s
expect: {alert: ConnectionPoolExhausted, cause: connection-leak, right: [restart-replicas]}
`

func TestParametersAreReadStrictly(t *testing.T) {
	for name, tt := range map[string]struct{ from, to, want string }{
		"an unknown fault names those there are":     {"kind: connection-leak", "kind: conexion-leak", `x.yaml:8:9: unknown fault "conexion-leak"; there are: bad-release, batch, connection-leak`},
		"an unknown parameter names those there are": {"    burst:", "    bursts:", `x.yaml:13:5: unknown key "bursts" in the document; the keys there are: coupon, orders`},
		"a missing parameter is found by its parent": {"    coupon: SPRING24\n", "", "x.yaml:10:5: coupon: the coupon that the orders carry"},
		"a bound below the orders is refused":        {"at_most: 32", "at_most: 3", "x.yaml:12:14: at_most: the bound on all orders"},
		"a duration without a unit is refused":       {"burst: 500ms", "burst: 500", "x.yaml:13:12: not a duration"},
		"a word where a number belongs is refused":   {"orders: 16", "orders: many", "x.yaml:11:13: "},
	} {
		t.Run(name, func(t *testing.T) {
			text := strings.Replace(leakFile, tt.from, tt.to, 1)
			if text == leakFile {
				t.Fatal("the test changes nothing")
			}
			e, err := experiment.Parse("x.yaml", []byte(text))
			if err != nil {
				t.Fatal(err)
			}
			if err := fault.Check(e); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got  %v\nwant %s", err, tt.want)
			}
		})
	}
}

func TestEveryExperimentOfTheProgramIsGoodAndHasItsPage(t *testing.T) {
	all, err := experiments.All()
	if err != nil {
		t.Fatal(err)
	}
	unknown, err := experiments.Unknown()
	if err != nil {
		t.Fatal(err)
	}
	if len(all) == 0 || len(unknown) == 0 {
		t.Fatalf("%d experiments are embedded, and %d of faults that the healer does not know", len(all), len(unknown))
	}
	all = append(all, unknown...)
	used := map[string]bool{}
	for _, e := range all {
		if err := fault.Check(e); err != nil {
			t.Error(err)
		}
		if filepath.Base(e.File()) != e.Name+".yaml" {
			t.Errorf("%s holds the experiment %q: call both the same", e.File(), e.Name)
		}
		used[e.Fault.Kind] = true
		page := filepath.Join("..", "..", "docs", "faults", e.Name+".md")
		if _, err := os.Stat(page); err != nil {
			t.Errorf("the experiment %s has no page: %v", e.Name, err)
		}
	}
	for _, kind := range fault.Kinds() {
		if !used[kind] || fault.Summary(kind) == "" {
			t.Errorf("the fault %s has no experiment or no summary", kind)
		}
	}
}
