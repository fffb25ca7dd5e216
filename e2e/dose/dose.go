package dose

import (
	"math"

	"github.com/faultline-lab/faultline/chaos/experiment"
)

// Shop is the patient's size.
type Shop struct {
	Connections int // of all pools of orders together
	Rate        int // checkouts a second
}

// sheet is the size that the experiment files are written for.
var sheet = Shop{Connections: 8, Rate: 40}

// counts are the parameters, by fault, that follow the number of connections.
var counts = map[string][]string{
	"connection-leak": {"orders", "at_most"},
	"slow-query":      {"reports", "at_most"},
	"batch":           {"together"},
}

// Fit gives the experiment the dose for a shop of that size. What depends on neither pools nor load stays as it is, and so
// does everything in a shop of the sheet's size.
func Fit(e experiment.Experiment, shop Shop) (experiment.Experiment, error) {
	changed := map[string]any{}
	var written map[string]any
	if err := e.Fault.Parameters.Decode(&written); err != nil {
		return e, err
	}
	size := float64(shop.Connections) / float64(sheet.Connections)
	for _, key := range counts[e.Fault.Kind] {
		if value, ok := number(written[key]); ok && size != 1 {
			changed[key] = int(math.Ceil(value * size))
		}
	}
	if value, ok := number(written["factor"]); ok && e.Fault.Kind == "traffic-surge" {
		// The pools are saturated by a rate, not by a multiple of the usual one.
		load := float64(shop.Rate) / float64(sheet.Rate)
		if size != load {
			changed["factor"] = math.Round(100*value*size/load) / 100
		}
	}
	return e.WithParameters(changed)
}

func number(value any) (float64, bool) {
	switch n := value.(type) {
	case int:
		return float64(n), true
	case uint64:
		return float64(n), true
	case int64:
		return float64(n), true
	case float64:
		return n, true
	default:
		return 0, false
	}
}
