package main

import (
	"fmt"

	"github.com/faultline-lab/faultline/deploy/local/stack"
)

// sizesFlags are the flags of whoever starts a stack.
type sizesFlags struct {
	PoolSize    int      `placeholder:"N" help:"Connections of each replica of orders. Default: 4."`
	Rate        int      `placeholder:"N" help:"Checkouts a second. Default: 40."`
	HealerFlags []string `name:"healer-flag" sep:"none" placeholder:"FLAG" help:"A further flag of the healer, for example --healer-flag=--playbook=my.yaml. Repeatable."`
}

func (s sizesFlags) sizes() stack.Sizes {
	return stack.Sizes{PoolSize: s.PoolSize, Rate: s.Rate, HealerFlags: s.HealerFlags}
}

// flags are those of a `stack run` with the same sizes.
func (s sizesFlags) flags() []string {
	var all []string
	if s.PoolSize != 0 {
		all = append(all, fmt.Sprintf("--pool-size=%d", s.PoolSize))
	}
	if s.Rate != 0 {
		all = append(all, fmt.Sprintf("--rate=%d", s.Rate))
	}
	for _, flag := range s.HealerFlags {
		all = append(all, "--healer-flag="+flag)
	}
	return all
}
