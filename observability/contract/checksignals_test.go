package contract_test

import (
	"maps"
	"strings"
	"testing"

	"github.com/faultline-lab/faultline/observability/contract"
)

func TestEachFaultOnASpanIsFound(t *testing.T) {
	cases := []struct {
		name   string
		change func(sell, insert *contract.ObservedSpan)
		want   string
	}{
		{"none", func(_, _ *contract.ObservedSpan) {}, ""},
		{"another name", func(sell, _ *contract.ObservedSpan) { sell.Name = "sells" }, "shop missing span sell; shop extra span sells"},
		{
			"a table that is not closed in", func(_, insert *contract.ObservedSpan) { insert.Name = "INSERT customers" },
			"shop missing span INSERT <table>; shop extra span INSERT customers",
		},
		{"another kind", func(sell, _ *contract.ObservedSpan) { sell.Kind = "client" }, "shop attribute span sell kind"},
		{
			"a trace that begins in the middle", func(_, insert *contract.ObservedSpan) { insert.Parent = contract.NoParent },
			"shop attribute span INSERT <table> parent",
		},
		{
			"a parent that is lost", func(_, insert *contract.ObservedSpan) { insert.Parent = contract.ParentLost },
			"shop attribute span INSERT <table> parent",
		},
		{
			"an attribute that is missing", func(_, insert *contract.ObservedSpan) { delete(insert.Attributes, "table") },
			"shop attribute span INSERT <table> table",
		},
		{"an attribute that is not listed", func(sell, _ *contract.ObservedSpan) { sell.Attributes["card"] = "4111" }, "shop attribute span sell card"},
		{
			"a value that is not closed in", func(_, insert *contract.ObservedSpan) { insert.Attributes["table"] = "people" },
			"shop attribute span INSERT <table> table",
		},
		{
			"a program that is not listed", func(sell, _ *contract.ObservedSpan) { sell.Program = "thief" },
			"shop missing span sell; thief extra span sell",
		},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			spans := goodSpans()
			c.change(&spans[0], &spans[1])
			got := short(parse(t, small).CheckSpans(contract.Observed{Target: "local", Spans: spans}))
			if strings.Join(got, "; ") != c.want {
				t.Errorf("got  %q\nwant %q", got, c.want)
			}
		})
	}
	t.Run("a span that a healing must make", func(t *testing.T) {
		got := short(parse(t, small).CheckSpans(contract.Observed{Target: "local", Spans: goodSpans(), Happened: []contract.Seen{contract.OnHeal}}))
		if strings.Join(got, "; ") != "boss missing span heal" {
			t.Errorf("%q", got)
		}
	})
}

func TestEachFaultOnALogRecordIsFound(t *testing.T) {
	cases := []struct {
		name   string
		change func(*contract.ObservedLog)
		want   string
	}{
		{"none", func(*contract.ObservedLog) {}, ""},
		{"other words", func(l *contract.ObservedLog) { l.Message = "sold 7" }, "shop missing log sold; shop extra log sold 7"},
		{"another level", func(l *contract.ObservedLog) { l.Level = "ERROR" }, "shop field log sold level"},
		{"no trace", func(l *contract.ObservedLog) { l.TraceID = "" }, "shop field log sold trace; shop field log sold trace_id"},
		{"a field that is missing", func(l *contract.ObservedLog) { delete(l.Fields, "order_id") }, "shop field log sold order_id"},
		{"a field that is not listed", func(l *contract.ObservedLog) { l.Fields["password"] = "x" }, "shop field log sold password"},
		{
			"a value that the bridge could not write", func(l *contract.ObservedLog) { l.Fields["result"] = "unhandled: (shop.Result) sold" },
			"shop field log sold result",
		},
		{"no resource", func(l *contract.ObservedLog) { delete(l.Fields, "service_name") }, "shop field log sold service_name"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			logs := goodLogs()
			logs[0].Fields = maps.Clone(logs[0].Fields)
			c.change(&logs[0])
			got := short(parse(t, small).CheckLogs(contract.Observed{Target: "local", Logs: logs}))
			if strings.Join(got, "; ") != c.want {
				t.Errorf("got  %q\nwant %q", got, c.want)
			}
		})
	}
	t.Run("a message that a failure must leave", func(t *testing.T) {
		got := short(parse(t, small).CheckLogs(contract.Observed{Target: "kind", Logs: goodLogs(), Happened: []contract.Seen{contract.UnderFailure}}))
		if strings.Join(got, "; ") != "shop missing log not sold" {
			t.Errorf("%q", got)
		}
	})
}
