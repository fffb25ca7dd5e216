package experiment_test

import (
	"strings"
	"testing"

	"github.com/faultline-lab/faultline/chaos/experiment"
	"github.com/faultline-lab/faultline/chaos/experiments"
)

func TestParametersCanBeGivenOtherValuesAndNothingElseChanges(t *testing.T) {
	leak, err := experiments.Get("connection-leak")
	if err != nil {
		t.Fatal(err)
	}
	other, err := leak.WithParameters(map[string]any{"orders": 24, "at_most": 48})
	if err != nil {
		t.Fatal(err)
	}
	var was, is struct {
		Orders    int                 `yaml:"orders"`
		AtMost    int                 `yaml:"at_most"`
		Coupon    string              `yaml:"coupon"`
		Burst     experiment.Duration `yaml:"burst"`
		MaxHold   experiment.Duration `yaml:"max_hold"`
		Products  []string            `yaml:"products"`
		Customers []string            `yaml:"customers"`
	}
	if err := leak.Fault.Parameters.Decode(&was); err != nil {
		t.Fatal(err)
	}
	if err := other.Fault.Parameters.Decode(&is); err != nil {
		t.Fatal(err)
	}
	if was.Orders != 16 || is.Orders != 24 || is.AtMost != 48 {
		t.Errorf("orders %d and %d, at most %d; want 16, 24, 48", was.Orders, is.Orders, is.AtMost)
	}
	if is.Coupon != was.Coupon || is.Burst != was.Burst || len(is.Products) != len(was.Products) || other.Hypothesis.Text != leak.Hypothesis.Text {
		t.Errorf("something else changed: %+v, was %+v", is, was)
	}
	if _, err := leak.WithParameters(map[string]any{"orderz": 1}); err == nil || !strings.Contains(err.Error(), `no parameter "orderz"`) {
		t.Errorf("a parameter that there is not: %v", err)
	}
}
