package figure_test

import (
	"encoding/json"
	"math"
	"testing"

	"github.com/faultline-lab/faultline/slo/internal/figure"
)

func TestAFigureIsAsItReads(t *testing.T) {
	for name, row := range map[string]struct {
		figure              figure.Figure
		text, percent, json string
	}{
		"a number is a number":                      {0.256, "0.3", "26 %", "0.256"},
		"nothing measured is not zero":              {figure.Unknown(), "unknown", "unknown", "null"},
		"zero is not unknown":                       {0, "0.0", "0 %", "0"},
		"infinity is no measurement":                {figure.Figure(math.Inf(1)), "unknown", "unknown", "null"},
		"divided by nothing it is unknown":          {figure.Figure(1).Over(0), "unknown", "unknown", "null"},
		"a part of an unknown is unknown":           {figure.Unknown().Over(2), "unknown", "unknown", "null"},
		"a part of something is that much":          {figure.Figure(1).Over(2), "0.5", "50 %", "0.5"},
		"an overdrawn budget keeps its sign":        {-1.5, "-1.5", "-150 %", "-1.5"},
		"what is too small to show is shown so low": {0.001, "0.0", "0 %", "0.001"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := row.figure.Text(1); got != row.text {
				t.Errorf("Text is %q, want %q", got, row.text)
			}
			if got := row.figure.Percent(0); got != row.percent {
				t.Errorf("Percent is %q, want %q", got, row.percent)
			}
			data, err := json.Marshal(row.figure)
			if err != nil || string(data) != row.json {
				t.Errorf("JSON is %s (%v), want %s", data, err, row.json)
			}
			var back figure.Figure
			if err := json.Unmarshal(data, &back); err != nil || back.Known() != row.figure.Known() {
				t.Errorf("read back as %v (%v)", back, err)
			}
		})
	}
}
