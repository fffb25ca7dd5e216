package stack

import (
	"encoding/json"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/faultline-lab/faultline/deploy/local/folders"
	"github.com/faultline-lab/faultline/deploy/local/ports"
	"github.com/faultline-lab/faultline/deploy/local/postgres"
	"github.com/faultline-lab/faultline/deploy/local/process"
	"github.com/faultline-lab/faultline/deploy/local/supervisor"
)

const testMark = "FAULTLINE_SUPERVISED_IN=test"

func config(t *testing.T) Config {
	t.Helper()
	paths, err := folders.In(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return Config{
		Folders: paths, Ports: ports.Default(), Mark: testMark,
		Tools: Tools{Prometheus: "/t/prometheus", Alertmanager: "/t/alertmanager", Loki: "/t/loki", Jaeger: "/t/jaeger", Toxiproxy: "/t/toxiproxy"},
		Database: postgres.Config{
			Installation: postgres.Installation{BinDir: "/pg/bin"}, DataDir: "/data", Port: 5433, Passwords: postgres.NewPasswords(),
		},
	}
}

func parts(t *testing.T, cfg Config) map[string]supervisor.Part {
	t.Helper()
	all, err := Parts(cfg)
	if err != nil {
		t.Fatal(err)
	}
	byName := map[string]supervisor.Part{}
	for _, part := range all {
		byName[part.Name] = part
	}
	return byName
}

// first is the spec of the first replica of a workload.
func first(part supervisor.Part) process.Spec {
	return part.Workload.Spec(supervisor.Replica{
		ID: part.Name + "-1", Ordinal: 1, Version: "v1", Binary: part.Workload.Versions["v1"], StateDir: "/state",
	})
}

func TestTheStandbyIsOrdersOnceMoreWithoutReplicas(t *testing.T) {
	all := parts(t, config(t))
	orders, standby := all["orders"], all["orders-standby"]
	if standby.Workload.Replicas != 0 || standby.Workload.Job != "orders" || standby.Workload.Group != "standby" {
		t.Errorf("%+v", standby.Workload)
	}
	differ := func(text string) bool {
		return strings.HasPrefix(text, "--listen=") || strings.HasPrefix(text, "--instance=")
	}
	one, other := first(orders), first(standby)
	if one.Path != other.Path || !slices.Equal(slices.DeleteFunc(one.Args, differ), slices.DeleteFunc(other.Args, differ)) {
		t.Errorf("it runs %s %v, and orders %s %v", other.Path, other.Args, one.Path, one.Args)
	}
}

type never struct{}

func (never) Start(process.Spec) (process.Child, error) { panic("nothing is to be started") }

func TestTheSupervisorTakesTheStack(t *testing.T) {
	all, err := Parts(config(t))
	if err != nil {
		t.Fatal(err)
	}
	_, err = supervisor.New(supervisor.Config{
		Parts: all, Starter: never{}, NewID: uuid.NewString, StateDir: "s", LogDir: "l", Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Error(err)
	}
}

func TestTheHealerMayActOnThePatientOnly(t *testing.T) {
	for name, part := range parts(t, config(t)) {
		if part.Workload == nil {
			continue
		}
		patient := slices.Contains([]string{"orders", "orders-standby", "inventory", "storefront", "payments"}, name)
		if got := part.Workload.Labels["faultline.dev/autoheal"] == "enabled"; got != patient {
			t.Errorf("%s: opted in %v, want %v", name, got, patient)
		}
	}
}

func TestTheHealerIsToldNothingOfTheLoadGenerator(t *testing.T) {
	cfg := config(t)
	spec := first(parts(t, cfg)["autoheal"])
	for _, text := range append(spec.Args, spec.Env...) {
		if strings.Contains(text, cfg.Ports.Address(ports.Loadgen)) || strings.Contains(text, "loadgen") {
			t.Errorf("it is given %q", text)
		}
	}
	if need := parts(t, cfg)["autoheal"].Needs; slices.Contains(need, "loadgen") {
		t.Error("it needs the load generator")
	}
}

func TestTheServicesReachTheirDatabasesThroughToxiproxyAndEverybodyElseStraight(t *testing.T) {
	cfg := config(t)
	all := parts(t, cfg)
	for name, port := range map[string]ports.Name{"orders": ports.OrdersDB, "orders-standby": ports.OrdersDB, "inventory": ports.InventoryDB, "autoheal": ports.Postgres} {
		spec := first(all[name])
		if !strings.Contains(strings.Join(spec.Env, " "), "@"+cfg.Ports.Address(port)+"/") {
			t.Errorf("%s does not go to %s", name, port)
		}
		if args := strings.Join(spec.Args, " "); strings.Contains(args, "postgres://") {
			t.Errorf("the password of %s stands on its command line: %s", name, args)
		}
	}
	for name, url := range Address(cfg).DatabaseURLs {
		if !strings.Contains(url, "@"+cfg.Ports.Address(ports.Postgres)+"/") {
			t.Errorf("the URL of %s in stack.json does not go straight to Postgres", name)
		}
	}
}

func TestEveryProcessCarriesTheMarkAndNothingOfTheCallersEnvironment(t *testing.T) {
	t.Setenv("FAULTLINE_POOL_MAX", "99")
	for name, part := range parts(t, config(t)) {
		var env []string
		switch {
		case part.Process != nil:
			env = part.Process.Env
		case part.Workload != nil:
			env = first(part).Env
		default:
			continue
		}
		if !slices.Contains(env, testMark) {
			t.Errorf("%s does not carry the mark", name)
		}
		if slices.Contains(env, "FAULTLINE_POOL_MAX=99") {
			t.Errorf("%s inherits", name)
		}
	}
}

func TestReplicasCanBeOverriddenForWorkloadsThatThereAre(t *testing.T) {
	cfg := config(t)
	cfg.Replicas = map[string]int{"orders": 4}
	if got := parts(t, cfg)["orders"].Workload.Replicas; got != 4 {
		t.Errorf("orders starts with %d, want 4", got)
	}
	cfg.Replicas = map[string]int{"order": 4}
	if _, err := Parts(cfg); err == nil || !strings.Contains(err.Error(), "orders") {
		t.Errorf("a workload that there is not: %v, want an error that names those there are", err)
	}
}

func TestTheConfigurationFilesAreWrittenWithThePortsOfThisStack(t *testing.T) {
	cfg := config(t)
	for name := range cfg.Ports {
		cfg.Ports[name] += 1000
	}
	if err := parts(t, cfg)["configuration"].Task(t.Context()); err != nil {
		t.Fatal(err)
	}
	for file, text := range map[string]string{
		"prometheus/prometheus.yml":     "127.0.0.1:9070/v1/discovery",
		"alertmanager/alertmanager.yml": "127.0.0.1:9090/webhook/alertmanager",
		"loki/loki.yml":                 "4100",
		"jaeger/jaeger.yml":             "127.0.0.1:5318",
	} {
		data, err := os.ReadFile(filepath.Join(cfg.Folders.State, file))
		if err != nil || !strings.Contains(string(data), text) {
			t.Errorf("%s does not say %q (%v)", file, text, err)
		}
	}
	rules, err := filepath.Glob(filepath.Join(cfg.Folders.State, "prometheus", "rules", "*.yml"))
	if err != nil || len(rules) == 0 {
		t.Errorf("%d rule files (%v)", len(rules), err)
	}
	var proxies []struct{ Name, Listen, Upstream string }
	data, err := os.ReadFile(filepath.Join(cfg.Folders.State, "toxiproxy", "proxies.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &proxies); err != nil || len(proxies) != 2 ||
		proxies[0].Listen != "127.0.0.1:6434" || proxies[1].Listen != "127.0.0.1:6435" || proxies[1].Upstream != "127.0.0.1:6433" {
		t.Errorf("proxies %+v (%v)", proxies, err)
	}
}

func TestOrdersHasASecondReleaseAndNobodyElse(t *testing.T) {
	cfg := config(t)
	for name, part := range parts(t, cfg) {
		if part.Workload == nil {
			continue
		}
		want := map[string]string{"v1": filepath.Join(cfg.Folders.Bin, strings.TrimSuffix(name, "-standby"))}
		if name == "orders" {
			want["v2"] = filepath.Join(cfg.Folders.Bin, "orders-v2")
		}
		if part.Workload.Version != "v1" || !maps.Equal(part.Workload.Versions, want) {
			t.Errorf("%s starts with %s of %v, want v1 of %v", name, part.Workload.Version, part.Workload.Versions, want)
		}
	}
}

func TestMissingBinariesAreNamed(t *testing.T) {
	paths := config(t).Folders
	if err := os.MkdirAll(paths.Bin, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, program := range Binaries() {
		if program == "orders" {
			continue
		}
		if err := os.WriteFile(filepath.Join(paths.Bin, program), nil, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	err := CheckBinaries(paths)
	if err == nil || !strings.Contains(err.Error(), "has no orders: run `make build`") {
		t.Errorf("got %v", err)
	}
}
