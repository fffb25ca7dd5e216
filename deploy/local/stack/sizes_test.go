package stack

import (
	"slices"
	"testing"
)

func TestAStudyVariesPoolsAndLoadAndTellsTheHealerNothingOfThem(t *testing.T) {
	usual := parts(t, config(t))
	cfg := config(t)
	cfg.Sizes = Sizes{PoolSize: 6, Rate: 60}
	other := parts(t, cfg)
	for workload, flags := range map[string][2]string{"orders": {"--pool-max=4", "--pool-max=6"}, "loadgen": {"--rate=40", "--rate=60"}} {
		if !slices.Contains(first(usual[workload]).Args, flags[0]) || !slices.Contains(first(other[workload]).Args, flags[1]) {
			t.Errorf("%s: %v by default, %v when asked", workload, first(usual[workload]).Args, first(other[workload]).Args)
		}
	}
	if told := first(other["autoheal"]).Args; len(told) != len(first(usual["autoheal"]).Args) {
		t.Errorf("the healer is told %v", told)
	}
	cfg.Sizes.HealerFlags = []string{"--playbook=mine.yaml"}
	if told := first(parts(t, cfg)["autoheal"]).Args; told[len(told)-1] != "--playbook=mine.yaml" {
		t.Errorf("the healer's own flags are not handed over: %v", told)
	}
	for _, sizes := range []Sizes{{PoolSize: 13}, {PoolSize: -1}, {Rate: 1001}, {Rate: -1}} {
		cfg.Sizes = sizes
		if _, err := Parts(cfg); err == nil {
			t.Errorf("%+v is accepted", sizes)
		}
	}
}
