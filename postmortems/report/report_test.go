package report_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/postmortems/report"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func TestReportMatchesItsGoldenFile(t *testing.T) {
	all := stories()
	all["healed leak"], all["escalated inconclusive"], all["missing telemetry"] = healedLeak(), escalatedInconclusive(), missingTelemetry()
	for name, in := range all {
		t.Run(name, func(t *testing.T) {
			got, err := report.Render(in)
			if err != nil {
				t.Fatal(err)
			}
			golden(t, strings.NewReplacer(",", "", " ", "-").Replace(name)+".md", got)
		})
	}
}

func render(t *testing.T, in report.Input) string {
	t.Helper()
	got, err := report.Render(in)
	if err != nil {
		t.Fatal(err)
	}
	return string(got)
}

// cutAt is what stands before and after a text that must be there.
func cutAt(t *testing.T, text, at string) (before, after string) {
	t.Helper()
	before, after, found := strings.Cut(text, at)
	if !found {
		t.Fatalf("the report lacks %q", at)
	}
	return before, after
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v: write it with `go test ./report -update`", err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("the report differs from %s; see what changed with `go test ./report -update` and git diff\n%s",
			path, firstDifference(string(want), string(got)))
	}
}

func firstDifference(want, got string) string {
	w, g := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := range min(len(w), len(g)) {
		if w[i] != g[i] {
			return "want: " + w[i] + "\n got: " + g[i]
		}
	}
	return "one is longer than the other"
}

func TestARecordWithoutAnIDIsRefused(t *testing.T) {
	if _, err := report.Render(report.Input{}); err == nil {
		t.Fatal("an empty record was rendered")
	}
}

func TestAnEmptyIncidentStillGivesAReport(t *testing.T) {
	got, err := report.Render(report.Input{Incident: incident.Incident{ID: "inc-1"}})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"# Postmortem", "## Action items", "unknown"} {
		if !strings.Contains(string(got), want) {
			t.Errorf("the report lacks %q", want)
		}
	}
}

func TestEveryCitedQueryIsInTheAppendixAndEveryListedQueryIsCited(t *testing.T) {
	got, err := report.Render(healedLeak())
	if err != nil {
		t.Fatal(err)
	}
	body, appendix, found := strings.Cut(string(got), "### Every figure and its query")
	if !found {
		t.Fatal("no appendix of queries")
	}
	cited := 0
	for n := 1; strings.Contains(appendix, anchor(n)); n++ {
		cited++
		// The audit is cited behind the table, so look on both sides of it.
		if !strings.Contains(body+appendix, "([q"+itoa(n)+"])") {
			t.Errorf("q%d is listed, and nothing cites it", n)
		}
	}
	if strings.Contains(string(got), "([q"+itoa(cited+1)+"])") {
		t.Errorf("q%d is cited and not listed", cited+1)
	}
	if cited < 15 {
		t.Errorf("only %d queries are listed", cited)
	}
}

func TestSecretsNeverAppear(t *testing.T) {
	in := healedLeak()
	leaks := []string{
		"dial postgres://orders:hunter2@127.0.0.1:5433/orders?sslmode=disable failed",
		"GET http://admin:hunter2@prometheus:9090/api", "host=db user=orders password=hunter2 dbname=orders",
		`{"password":"hunter2"}`, "Authorization: Bearer hunter2hunter2", "PGPASSWORD=hunter2", `token: 'hunter2'`,
	}
	for i, leak := range leaks {
		in.Incident.Evidence[i].Detail = leak
		in.Telemetry.Logs.Lines = append(in.Telemetry.Logs.Lines, report.LogLine{At: t0, Service: "orders", Text: leak})
	}
	in.Incident.Reason = leaks[0]
	in.Telemetry.Pools.Idle.Unknown = leaks[0]
	got, err := report.Render(in)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range strings.Split(string(got), "\n") {
		if strings.Contains(line, "hunter2") {
			t.Errorf("a secret stands in the report: %s", line)
		}
	}
}

func TestForeignTextCannotBreakTheMarkup(t *testing.T) {
	in := healedLeak()
	in.Incident.Evidence[0].Detail = "a | b\n\n## Not a heading <script>alert(1)</script>"
	in.Telemetry.Logs.Lines[0].Text = "```\n# Not a heading"
	got, err := report.Render(in)
	if err != nil {
		t.Fatal(err)
	}
	for _, wrong := range []string{"\n## Not a heading", "\n# Not a heading", "<script>"} {
		if strings.Contains(string(got), wrong) {
			t.Errorf("%q got through", wrong)
		}
	}
	if n := strings.Count(string(got), "```"); n%2 != 0 {
		t.Errorf("%d code fences: one is left open", n)
	}
}

func TestEachRowOfATableHasAsManyCellsAsItsHead(t *testing.T) {
	all := stories()
	all["healed"], all["escalated"], all["missing"] = healedLeak(), escalatedInconclusive(), missingTelemetry()
	for name, in := range all {
		got, err := report.Render(in)
		if err != nil {
			t.Fatal(err)
		}
		columns := 0
		for _, line := range strings.Split(string(got), "\n") {
			if !strings.HasPrefix(line, "|") {
				columns = 0
				continue
			}
			cells := strings.Count(strings.ReplaceAll(line, `\|`, ""), "|")
			if columns == 0 {
				columns = cells
			}
			if cells != columns {
				t.Errorf("%s: %d cell borders where the head has %d: %s", name, cells, columns, line)
			}
		}
	}
}

func TestAnAlertStormStaysReadable(t *testing.T) {
	in := healedLeak()
	for range 10_000 {
		in.Incident.Alerts = append(in.Incident.Alerts, in.Incident.Alerts[0])
	}
	got, err := report.Render(in)
	if err != nil {
		t.Fatal(err)
	}
	if len(got) > 100_000 {
		t.Errorf("the report has %d bytes", len(got))
	}
	if !strings.Contains(string(got), "more alerts") {
		t.Error("the report does not say that alerts were left out")
	}
}

func TestARelapseIsToldAndItsTollCounted(t *testing.T) {
	tests := []struct {
		name       string
		relapse    int // seconds after the alert
		want       string
		failedInIt string
	}{
		{"one that passes counts until it has passed", 16, "relapse included", "**208 checkouts failed**"},
		{"one that lasts to the end is not called well", 28, "not well by the end of the window", "**208 checkouts failed**"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			in := healedLeak()
			in.Telemetry.Edge.Good[30+test.relapse], in.Telemetry.Edge.Done[30+test.relapse] = 0, 0
			got, err := report.Render(in)
			if err != nil {
				t.Fatal(err)
			}
			for _, want := range []string{"**relapse**", test.want, test.failedInIt} {
				if !strings.Contains(string(got), want) {
					t.Errorf("the report lacks %q", want)
				}
			}
		})
	}
}

func TestABadSecondLongBeforeTheAlertIsAnotherStory(t *testing.T) {
	in := healedLeak()
	in.Telemetry.Edge.Good[3], in.Telemetry.Edge.Done[3] = 0, 0
	got, err := report.Render(in)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(got), "**168 checkouts failed**") || !strings.Contains(string(got), "| 11:59:57.000 | -3.0 s | first bad second") {
		t.Error("the bad second of half a minute before counts as part of the incident")
	}
}

func ptr(t time.Time) *time.Time { return &t }
