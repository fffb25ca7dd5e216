package contract_test

import (
	"bytes"
	"flag"
	"os"
	"testing"

	"github.com/faultline-lab/faultline/observability/contract"
)

var update = flag.Bool("update", false, "rewrite docs/telemetry.md")

// small is a contract for the tests of the checks: two programs, a metric of each sort, a span and a message.
const small = `programs:
  shop: { scraped: true, targets: [local, kind], about: sells }
  boss: { scraped: true, targets: [local], about: watches }
attributes:
  result: { about: what came of it }
  http.route: { about: the route, max: 3, pattern: "/.*" }
  peer: { about: who is called, max: 2 }
  order_id: { about: the order }
  table: { about: the table, values: [orders, outbox] }
  service.name: { about: the program }
  trace_id: { about: the trace }
  severity_text: { about: the level }
metrics:
  - name: shop.sales
    type: counter
    unit: "{sale}"
    about: Sales.
    programs: [shop]
    labels: [result]
    values: { result: [sold, refused] }
    from_zero: true
  - name: shop.wait_time
    type: histogram
    unit: s
    about: Waiting.
    programs: [shop]
    labels: [http.route]
    may_have: [peer]
    exemplars: [every]
  - name: shop_queue_seconds
    type: gauge
    unit: s
    about: The age of the queue.
    programs: [shop]
  - name: process_open_fds
    type: gauge
    unit: "{file}"
    about: Files.
    programs: [every]
  - name: shop_healed_total
    type: counter
    unit: "{time}"
    about: Healings.
    programs: [shop]
    seen: on_heal
stack:
  - { name: up, type: gauge, about: It answers. }
  - { name: loki_lines_total, type: counter, jobs: [loki], labels: [tenant], about: Lines. }
shapes:
  sql: { kind: client, about: A statement., attributes: [table] }
spans:
  - { name: sell, kind: server, root: true, programs: [shop], may_have: [order_id], about: A sale. }
  - { name: INSERT <table>, shape: sql, programs: [shop], about: A row. }
  - { name: heal, kind: internal, root: true, programs: [boss], seen: on_heal, about: A healing. }
logs:
  resource: [service.name, severity_text]
  context: [trace_id]
  messages:
    - { message: sold, traced: true, programs: [shop], fields: [order_id], may_have: [result], about: A sale. }
    - { message: not sold, levels: [warn], programs: [shop], seen: under_failure, fields: [order_id], about: No sale. }
`

func parse(t *testing.T, text string) contract.Contract {
	t.Helper()
	c, err := contract.Parse("small.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestTheCommittedContractIsSoundAndNamesEveryProgramThatIsScraped(t *testing.T) {
	c, err := contract.Load()
	if err != nil {
		t.Fatal(err)
	}
	if got := len(c.Scraped("local")); got != 7 {
		t.Errorf("%d programs are scraped locally (%v), want 7", got, c.Scraped("local"))
	}
	if got := len(c.Scraped("kind")); got != 6 {
		t.Errorf("%d programs are scraped on kind (%v), want 6: there is no supervisor", got, c.Scraped("kind"))
	}
	for _, program := range c.Scraped("local") {
		if len(c.Emits(program)) < 15 {
			t.Errorf("%s emits only %d metrics", program, len(c.Emits(program)))
		}
	}
}

func TestThePageForPeopleIsMadeOfTheContract(t *testing.T) {
	const file = "../../docs/telemetry.md"
	c, err := contract.Load()
	if err != nil {
		t.Fatal(err)
	}
	want, err := c.Markdown()
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(file, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("docs/telemetry.md is stale: go test ./observability/contract -update")
	}
}

func TestTheNameInQueriesFollowsFromNameUnitAndType(t *testing.T) {
	var names []string
	for _, m := range parse(t, small).Metrics {
		names = append(names, m.Prometheus())
	}
	want := []string{"shop_sales_total", "shop_wait_time_seconds", "shop_queue_seconds", "process_open_fds", "shop_healed_total"}
	for i := range want {
		if names[i] != want[i] {
			t.Errorf("metric %d is called %s, want %s", i, names[i], want[i])
		}
	}
}
