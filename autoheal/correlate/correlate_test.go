package correlate_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/faultline-lab/faultline/autoheal/correlate"
	"github.com/faultline-lab/faultline/autoheal/incident"
)

func TestTheBuiltInMap(t *testing.T) {
	m, err := correlate.Load("")
	if err != nil {
		t.Fatal(err)
	}
	all := []string{"inventory", "orders", "orders-standby", "payments", "storefront"}
	for _, w := range all {
		if got := m.Group(w); !slices.Equal(got, all) {
			t.Errorf("the group of %s is %v; want all of them", w, got)
		}
	}
	if got := m.Group("else"); !slices.Equal(got, []string{"else"}) {
		t.Errorf("the group of a stranger is %v; want itself", got)
	}
	if got := m.Deepest([]string{"storefront", "orders"}); got != "orders" {
		t.Errorf("the deepest of storefront and orders is %s", got)
	}
	if got := m.Deepest([]string{"payments", "orders", "inventory"}); got != "inventory" {
		t.Errorf("the deepest is %s; want inventory, the first of two leaves", got)
	}
}

func TestAWrongMapNamesFileAndLine(t *testing.T) {
	for _, test := range []struct{ name, yaml, want string }{
		{"an unknown key", "version: 1\nworkloads:\n  a: {needs: [b]}\n", "m.yaml:3:"},
		{"an undeclared dependency", "version: 1\nworkloads:\n  a:\n    depends_on: [b]\n", `m.yaml:4: a depends on "b"`},
		{"a circle", "version: 1\nworkloads:\n  a: {depends_on: [b]}\n  b: {depends_on: [a]}\n", "depends on itself"},
		{"another version", "version: 2\nworkloads: {}\n", "m.yaml:1: version is 2"},
		{"an empty file", "", "m.yaml: the file is empty"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := correlate.Parse("m.yaml", []byte(test.yaml))
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v; want ...%s...", err, test.want)
			}
		})
	}
}

func TestTheWorkloadOfAnAlertIsInItsLabels(t *testing.T) {
	for _, test := range []struct {
		name   string
		labels map[string]string
		want   string
	}{
		{"workload comes first", map[string]string{"workload": "orders", "job": "x"}, "orders"},
		{"then job", map[string]string{"job": "orders"}, "orders"},
		{"nothing says so", map[string]string{"alertname": "A"}, "unknown"},
	} {
		if got := correlate.WorkloadOf(incident.Alert{Labels: test.labels}); got != test.want {
			t.Errorf("%s: %s; want %s", test.name, got, test.want)
		}
	}
}
