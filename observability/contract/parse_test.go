package contract_test

import (
	"strings"
	"testing"

	"github.com/faultline-lab/faultline/observability/contract"
)

func TestABadContractIsRefusedWithFileAndLine(t *testing.T) {
	cases := []struct{ name, from, to, want string }{
		{"an unknown key", "    unit: s\n    about: Waiting.", "    units: s\n    about: Waiting.", `small.yaml:24: unknown field "units"`},
		{"a key twice", "  result: { about: what came of it }", "  result: { about: a }\n  result: { about: b }", `small.yaml:6: mapping key "result" already defined`},
		{"a wrong type", "exemplars: [every]", "exemplars: true", "small.yaml:29: boolean was used"},
		{"a label that is not among the attributes", "labels: [http.route]", "labels: [rout]", "small.yaml:27: rout is not among the attributes"},
		{"a label without a bound", "may_have: [peer]", "may_have: [peer, order_id]", "small.yaml:28: label order_id of shop.wait_time has no bound"},
		{"values of a label that is not there", "values: { result: [sold, refused] }", "values: { resul: [sold] }", "metric shop.sales has no label resul"},
		{"a name without its unit", "name: shop_queue_seconds", "name: shop_queue", "small.yaml:30: a gauge in \"s\" is called shop_queue_seconds"},
		{"a name with another unit", "    unit: s\n    about: The age", "    unit: \"{item}\"\n    about: The age", "small.yaml:30: shop_queue_seconds ends in a unit"},
		{"a counter that does not say so", "name: shop_healed_total", "name: shop_healed", "a counter in \"{time}\" is called shop_healed_total"},
		{"no unit", "    unit: \"{file}\"\n", "", "metric process_open_fds has no unit"},
		{"a wrong instrument", "type: histogram", "type: summary", `small.yaml:23: type "summary": use one of counter, gauge, histogram`},
		{"an unknown program", "programs: [shop]\n    labels: [result]", "programs: [shopp]\n    labels: [result]", `small.yaml:18: there is no program "shopp"`},
		{"a metric of a program that is not scraped", "shop: { scraped: true", "shop: { scraped: false", "program shop is not scraped, so it has no metrics"},
		{"a metric twice", "name: process_open_fds", "name: shop_healed_total", "metric shop_healed_total stands here twice"},
		{"a wrong moment", "seen: on_heal\nstack", "seen: sometimes\nstack", `small.yaml:45: seen "sometimes": use one of always`},
		{"from zero without a closed label", "labels: [http.route]", "labels: [http.route]\n    from_zero: true", "label http.route of shop.wait_time is not closed"},
		{"values and a number", "values: [orders, outbox] }", "values: [orders], max: 3 }", "attribute table: values are a bound already"},
		{"a broken pattern", `pattern: "/.*"`, `pattern: "("`, "attribute http.route: error parsing regexp"},
		{"an attribute that nothing has", "  trace_id: { about: the trace }", "  trace_id: { about: the trace }\n  spare: { about: nothing }", "attribute spare is on no metric, span or log"},
		{"nothing said", "about: sells }", "about: \"\" }", "small.yaml:2: about is missing"},
		{"an unknown shape", "shape: sql,", "shape: sequel, kind: client,", `there is no shape "sequel"`},
		{"a span without a kind", "name: sell, kind: server", "name: sell", `kind "": use one of internal`},
		{"a placeholder for nothing", "INSERT <table>", "INSERT <tabel>", "tabel is not among the attributes"},
		{"a message twice", "message: not sold", "message: sold", `message "sold" of shop stands here twice`},
		{"a wrong level", "levels: [warn]", "levels: [loud]", `level "loud": use one of debug`},
		{"a wrong target", "targets: [local]", "targets: [moon]", `target "moon": use one of local, kind`},
		{"an exemplar of nobody", "exemplars: [every]", "exemplars: [boss]", `program "boss": use one of shop`},
		{"an empty file", small, "", "small.yaml: the file is empty"},
		{"no YAML", small, "a: [", "small.yaml:1: "},
		{"two documents", "programs:", "---\nprograms: {}\n---\nprograms:", "the file has 2 documents"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			text := strings.Replace(small, c.from, c.to, 1)
			if text == small {
				t.Fatal("the case changes nothing")
			}
			_, err := contract.Parse("small.yaml", []byte(text))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v\nwant %s", err, c.want)
			}
		})
	}
}

func FuzzParseNeverPanics(f *testing.F) {
	f.Add([]byte(small))
	f.Add([]byte("programs: {a: {targets: [local]}}\nspans: [{name: <x>}]"))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := contract.Parse("fuzz.yaml", data)
		if err != nil {
			return
		}
		c.Check(contract.Observed{Target: "local"})
		if _, err := c.Markdown(); err != nil {
			t.Error(err)
		}
	})
}
