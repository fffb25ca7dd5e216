package fault

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/faultline-lab/faultline/chaos/experiment"
)

// leakParameters are the fault's keys in the experiment file.
type leakParameters struct {
	Coupon    string              `yaml:"coupon"`    // one that has expired
	Orders    int                 `yaml:"orders"`    // sent at once at the start
	AtMost    int                 `yaml:"at_most"`   // more are sent while connections can still be had, up to this many
	Burst     experiment.Duration `yaml:"burst"`     // nothing is sent after this time
	Products  []string            `yaml:"products"`  // wanted in turn
	MaxHold   experiment.Duration `yaml:"max_hold"`  // longest time an honest order holds a connection
	Customers []string            `yaml:"customers"` // who order, in turn
}

func readLeakParameters(e experiment.Experiment) (leakParameters, error) {
	var p leakParameters
	if err := e.Fault.Parameters.Decode(&p); err != nil {
		return p, err
	}
	var problems []error
	unless := func(ok bool, key, message string) {
		if !ok {
			problems = append(problems, e.ErrorAt("$.fault.parameters."+key, "%s: %s", key, message))
		}
	}
	unless(p.Coupon != "", "coupon", "the coupon that the orders carry: one that has expired")
	unless(p.Orders > 0, "orders", "how many orders are sent at once: at least one")
	unless(p.AtMost >= p.Orders, "at_most", "the bound on all orders: at least as many as orders")
	unless(p.Burst.Duration > 0, "burst", "how long orders may be sent, for example 500ms")
	unless(p.MaxHold.Duration > 0, "max_hold", "the longest time an honest order holds a connection, for example 1s")
	unless(len(p.Products) > 0, "products", "the products that are ordered, for example [SKU-0002]")
	unless(len(p.Customers) > 0, "customers", "the customers who order, for example [c-901]")
	return p, errors.Join(problems...)
}

// leakState is what outlives the process. The window is in the database's own time: a session that went idle in it
// and has not been used since is one that nobody will give back.
type leakState struct {
	Connections int            `json:"connections"` // all that the pools of the workload may hold
	From        time.Time      `json:"from"`
	To          *time.Time     `json:"to"` // nil when the burst was cut off
	Answers     map[string]int `json:"answers,omitempty"`
}

// lastUse is the latest time at which an order of the burst can have used its connection. When the burst was cut off,
// nobody noted its end: then it is as late as an injection can be, its wait for its moment included.
func (s leakState) lastUse(burst time.Duration) time.Time {
	if s.To != nil {
		return *s.To
	}
	return s.From.Add(startBound + burst + orderDeadline)
}

func decodeLeak(encoded State) (leakState, error) {
	var state leakState
	if err := json.Unmarshal(encoded, &state); err != nil {
		return state, fmt.Errorf("the stored state of the fault cannot be read: %w", err)
	}
	return state, nil
}
