package dose

import (
	"testing"

	"github.com/faultline-lab/faultline/chaos/experiments"
	"github.com/faultline-lab/faultline/chaos/fault"
)

func parameters(t *testing.T, name string, shop Shop) map[string]any {
	t.Helper()
	e, err := experiments.Get(name)
	if err != nil {
		t.Fatal(err)
	}
	fitted, err := Fit(e, shop)
	if err != nil {
		t.Fatal(err)
	}
	if err := fault.Check(fitted); err != nil {
		t.Error(err)
	}
	var read map[string]any
	if err := fitted.Fault.Parameters.Decode(&read); err != nil {
		t.Fatal(err)
	}
	return read
}

func TestTheDoseFollowsTheSizeOfTheShop(t *testing.T) {
	for name, tc := range map[string]struct {
		experiment string
		shop       Shop
		key        string
		want       float64
	}{
		"twice the connections of the leak":              {"connection-leak", Shop{12, 60}, "orders", 24},
		"and its bound":                                  {"connection-leak", Shop{12, 60}, "at_most", 48},
		"a report for each connection, twice":            {"slow-query", Shop{6, 30}, "reports", 12},
		"a part of the batch for each connection":        {"look-alike", Shop{6, 30}, "together", 6},
		"a surge that saturates, whatever the usual":     {"traffic-surge", Shop{12, 40}, "factor", 4.5},
		"a surge of a shop that grew as a whole":         {"traffic-surge", Shop{12, 60}, "factor", 3},
		"the sheet's own shop has what is in the file":   {"connection-leak", Shop{8, 40}, "orders", 16},
		"half a connection more is still one to be held": {"connection-leak", Shop{9, 40}, "orders", 18},
	} {
		t.Run(name, func(t *testing.T) {
			got, _ := number(parameters(t, tc.experiment, tc.shop)[tc.key])
			if got != tc.want {
				t.Errorf("%s is %v, want %v", tc.key, got, tc.want)
			}
		})
	}
}

func TestEveryExperimentCanBeFitted(t *testing.T) {
	names, err := experiments.Names()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		parameters(t, name, Shop{Connections: 6, Rate: 30})
	}
}
