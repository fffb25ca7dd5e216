package grafana_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/faultline-lab/faultline/observability/grafana"
	"github.com/faultline-lab/faultline/observability/grafana/internal/definition"
)

var update = flag.Bool("update", false, "rewrite the dashboards from their definitions")

func TestTheDashboardsInTheFolderAreThoseOfTheDefinitions(t *testing.T) {
	var names []string
	for _, file := range definition.All() {
		path := filepath.Join("dashboards", file.Name)
		names = append(names, path)
		want := written(t, file.Dashboard)
		if *update {
			if err := os.WriteFile(path, want, 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s is stale (%v): run go test ./observability/grafana -update", path, err)
		}
	}
	there, err := filepath.Glob("dashboards/*")
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(names)
	if !slices.Equal(there, names) {
		t.Errorf("the folder holds %q, and the definitions are for %q", there, names)
	}
}

// written is a dashboard as people read it in a diff: indented, and with < and > as they are.
func written(t *testing.T, dashboard any) []byte {
	t.Helper()
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(dashboard); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestEveryDashboardIsEmbedded(t *testing.T) {
	dashboards, definitions := grafana.Dashboards(), definition.All()
	if len(dashboards) != len(definitions) {
		t.Fatalf("%d dashboards are embedded, and %d are defined", len(dashboards), len(definitions))
	}
	for i, d := range dashboards {
		want := definitions[i]
		if d.File != want.Name || d.UID != want.Dashboard.UID || d.Title != want.Dashboard.Title {
			t.Errorf("dashboard %d is %s (%s, %q); want %s (%s, %q)", i, d.File, d.UID, d.Title,
				want.Name, want.Dashboard.UID, want.Dashboard.Title)
		}
	}
}

func TestAPanelsQueriesCanBeSentAsTheyAre(t *testing.T) {
	for _, d := range grafana.Dashboards() {
		panels := d.Panels()
		if len(panels) == 0 {
			t.Errorf("%s has no panels that ask anything", d.File)
		}
		for _, p := range panels {
			for _, q := range p.Queries {
				if slices.Contains([]byte(q.Expr), '$') {
					t.Errorf("%s, %q, %s: a variable has no value: %s", d.File, p.Title, q.RefID, q.Expr)
				}
			}
		}
	}
}
