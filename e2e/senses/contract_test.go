package senses

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/faultline-lab/faultline/observability/contract"
)

// checkContract holds what the stack has emitted, through load, a leak and a heal, against the contract.
func (s *live) checkContract(t *testing.T, f fault) {
	agreed := load(t)
	observed := contract.Observed{
		Target: s.stack.Target, Happened: []contract.Seen{contract.UnderFailure, contract.OnHeal},
		Instances: parse(t, s.pages(t)),
		Spans:     contract.FromTraces(s.traces(t, *f.incident.Stages.AlertStartsAt)),
		Logs:      contract.FromLogs(s.records(t, slices.Sorted(maps.Keys(agreed.Programs)))),
	}
	t.Logf("%d pages, %d spans, %d log records", len(observed.Instances), len(observed.Spans), len(observed.Logs))
	for _, violation := range agreed.Check(observed) {
		t.Errorf("%s", violation)
	}
}

// breach is a change to a program's real pages that breaks the contract, and what the check must say of it.
type breach struct {
	name   string
	change *strings.Replacer
	want   []contract.Violation // kind, where and what
}

var breaches = []breach{
	{
		"a renamed metric", strings.NewReplacer("orders_placements", "orders_placed"),
		[]contract.Violation{
			{Kind: contract.Missing, Where: "orders", What: "orders_placements_total"},
			{Kind: contract.Extra, Where: "orders", What: "orders_placed_total"},
		},
	},
	{
		"another unit", strings.NewReplacer("db_client_connection_wait_time_seconds", "db_client_connection_wait_time_milliseconds"),
		[]contract.Violation{{Kind: contract.WrongUnit, Where: "orders", What: "db_client_connection_wait_time_seconds"}},
	},
	{
		"a counter made a gauge", strings.NewReplacer("# TYPE orders_placements counter", "# TYPE orders_placements_total gauge"),
		[]contract.Violation{
			{Kind: contract.Missing, Where: "orders", What: "orders_placements_total"},
			{Kind: contract.Extra, Where: "orders", What: "orders_placements_total"},
		},
	},
	{
		"a label with ids", strings.NewReplacer(`orders_placements_total{`, `orders_placements_total{order_id="0b6f7a52-9d0c-4c8e-8f57-0d5f2f6b7c11",`),
		[]contract.Violation{
			{Kind: contract.WrongLabel, Where: "orders", What: "orders_placements_total{order_id}"},
			{Kind: contract.Cardinality, Where: "orders", What: "orders_placements_total{order_id}"},
		},
	},
}

// checkContractFails shows that the check sees what it is there for, on the real pages.
func (s *live) checkContractFails(t *testing.T) {
	agreed, real := load(t), s.pages(t)
	check := func(pages []page) []contract.Violation {
		return agreed.CheckMetrics(contract.Observed{
			Target: s.stack.Target, Happened: []contract.Seen{contract.UnderFailure, contract.OnHeal}, Instances: parse(t, pages),
		})
	}
	if before := check(real); len(before) > 0 {
		t.Fatalf("the pages break the contract as they are: %v", before)
	}
	for _, b := range breaches {
		t.Run(b.name, func(t *testing.T) {
			changed := slices.Clone(real)
			for i := range changed {
				if changed[i].program == "orders" {
					changed[i].text = b.change.Replace(changed[i].text)
				}
			}
			var found []contract.Violation
			for _, violation := range check(changed) {
				t.Log(violation)
				violation.Hint = ""
				found = append(found, violation)
			}
			slices.SortFunc(found, byKind)
			slices.SortFunc(b.want, byKind)
			if !slices.Equal(found, b.want) {
				t.Errorf("found %v, want %v", found, b.want)
			}
		})
	}
}

func byKind(a, b contract.Violation) int { return strings.Compare(string(a.Kind), string(b.Kind)) }

func load(t *testing.T) contract.Contract {
	t.Helper()
	agreed, err := contract.Load()
	if err != nil {
		t.Fatal(err)
	}
	return agreed
}
