package grafana_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/faultline-lab/faultline/observability/grafana"
)

var somewhere = grafana.Params{
	PrometheusURL: "http://127.0.0.1:9090", LokiURL: "http://127.0.0.1:3100", JaegerURL: "http://127.0.0.1:16686",
	DashboardsPath: "/var/lib/grafana/provisioning/dashboards",
}

func TestTheProvisioningIsAsReviewed(t *testing.T) {
	files, err := grafana.Files(somewhere)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"datasources/faultline.yaml", "dashboards/faultline.yaml"} {
		golden := filepath.Join("testdata", strings.ReplaceAll(name, "/", "-"))
		if *update {
			if err := os.WriteFile(golden, files[name], 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(files[name], want) {
			t.Errorf("%s is\n%s\nand was reviewed as\n%s", name, files[name], want)
		}
	}
	if len(files) != 2+len(grafana.Dashboards()) {
		t.Errorf("there are %d files for %d dashboards", len(files), len(grafana.Dashboards()))
	}
	for _, d := range grafana.Dashboards() {
		if !bytes.Equal(files["dashboards/"+d.File], d.JSON) {
			t.Errorf("%s is not in the provisioning folder", d.File)
		}
	}
}

type provisioned struct {
	Datasources []struct {
		Name, UID, Type, URL string
		IsDefault            bool `yaml:"isDefault"`
		JSONData             struct {
			TimeInterval string `yaml:"timeInterval"`
			Exemplars    []struct {
				Name          string
				DatasourceUID string `yaml:"datasourceUid"`
			} `yaml:"exemplarTraceIdDestinations"`
			DerivedFields []struct {
				MatcherType   string `yaml:"matcherType"`
				MatcherRegex  string `yaml:"matcherRegex"`
				DatasourceUID string `yaml:"datasourceUid"`
				URL           string
			} `yaml:"derivedFields"`
			TracesToLogs struct {
				DatasourceUID string `yaml:"datasourceUid"`
				CustomQuery   bool   `yaml:"customQuery"`
				Query         string
			} `yaml:"tracesToLogsV2"`
		} `yaml:"jsonData"`
	}
}

func read(t *testing.T, p grafana.Params) provisioned {
	t.Helper()
	files, err := grafana.Files(p)
	if err != nil {
		t.Fatal(err)
	}
	var sources provisioned
	if err := yaml.Unmarshal(files["datasources/faultline.yaml"], &sources); err != nil {
		t.Fatal(err)
	}
	return sources
}

func TestTheDataSourcesLeadFromOnePillarToTheNextAsLinksSays(t *testing.T) {
	uids, links := map[string]string{}, grafana.Links()
	sources := read(t, somewhere)
	for _, s := range sources.Datasources {
		uids[s.Type] = s.UID
		if s.IsDefault != (s.Type == grafana.Prometheus) {
			t.Errorf("%s: isDefault is %v", s.Name, s.IsDefault)
		}
	}
	for _, s := range sources.Datasources {
		switch data := s.JSONData; s.Type {
		case grafana.Prometheus:
			if len(data.Exemplars) != 1 || data.Exemplars[0].Name != links.ExemplarLabel {
				t.Errorf("exemplar -> trace is %+v; want label %q", data.Exemplars, links.ExemplarLabel)
			}
		case grafana.Loki:
			if len(data.DerivedFields) != 1 || data.DerivedFields[0].DatasourceUID != uids[grafana.Jaeger] ||
				data.DerivedFields[0].MatcherType != "label" || data.DerivedFields[0].MatcherRegex != links.LogLabel {
				t.Errorf("log -> trace is %+v; want label %q to %s", data.DerivedFields, links.LogLabel, uids[grafana.Jaeger])
			}
		case grafana.Jaeger:
			// The provisioning reader makes one dollar of two.
			query := strings.ReplaceAll(data.TracesToLogs.Query, "$$", "$")
			if query != links.TraceToLogs || !data.TracesToLogs.CustomQuery || data.TracesToLogs.DatasourceUID != uids[grafana.Loki] {
				t.Errorf("trace -> logs is %+v; want %q of %s", data.TracesToLogs, links.TraceToLogs, uids[grafana.Loki])
			}
		}
	}
}

func TestNoVariableOfAQueryIsTakenForOneOfTheEnvironment(t *testing.T) {
	files, err := grafana.Files(somewhere)
	if err != nil {
		t.Fatal(err)
	}
	if single := strings.ReplaceAll(string(files["datasources/faultline.yaml"]), "$$", ""); strings.Contains(single, "$") {
		t.Errorf("a dollar stands alone, and Grafana would look it up in its environment:\n%s", single)
	}
}

func TestTheRatesWindowFollowsFromTheScrapeInterval(t *testing.T) {
	for want, interval := range map[string]time.Duration{"1s": 0, "15s": 15 * time.Second} {
		p := somewhere
		p.ScrapeInterval = interval
		if got := read(t, p).Datasources[0].JSONData.TimeInterval; got != want {
			t.Errorf("timeInterval is %s at %s; want %s", got, interval, want)
		}
	}
}

func TestParamsThatGrafanaCouldNotUseAreRefused(t *testing.T) {
	for want, spoil := range map[string]func(*grafana.Params){
		"LokiURL":        func(p *grafana.Params) { p.LokiURL = "loki:3100" },
		"PrometheusURL":  func(p *grafana.Params) { p.PrometheusURL = "" },
		"DashboardsPath": func(p *grafana.Params) { p.DashboardsPath = "dashboards" },
		"ScrapeInterval": func(p *grafana.Params) { p.ScrapeInterval = 1500 * time.Millisecond },
	} {
		p := somewhere
		spoil(&p)
		if _, err := grafana.Files(p); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the error is %v; want one about %s", err, want)
		}
	}
}

func TestWhoeverReachesGrafanaMayLookAndNotChange(t *testing.T) {
	env := grafana.Env(grafana.EnvParams{Port: 3000, DataDir: "/data", ProvisioningDir: "/provisioning"})
	for name, want := range map[string]string{
		"GF_SERVER_HTTP_ADDR":                        "127.0.0.1",
		"GF_AUTH_ANONYMOUS_ORG_ROLE":                 "Viewer",
		"GF_SECURITY_DISABLE_INITIAL_ADMIN_CREATION": "true",
		"GF_ANALYTICS_REPORTING_ENABLED":             "false",
		"GF_ANALYTICS_CHECK_FOR_UPDATES":             "false",
		"GF_PLUGINS_PREINSTALL_DISABLED":             "true",
		"GF_PATHS_DATA":                              "/data",
		"GF_PATHS_PROVISIONING":                      "/provisioning",
	} {
		if env[name] != want {
			t.Errorf("%s is %q; want %q", name, env[name], want)
		}
	}
}
