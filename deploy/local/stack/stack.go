package stack

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/faultline-lab/faultline/deploy/local/folders"
	"github.com/faultline-lab/faultline/deploy/local/ports"
	"github.com/faultline-lab/faultline/deploy/local/postgres"
	"github.com/faultline-lab/faultline/deploy/local/supervisor"
	"github.com/faultline-lab/faultline/observability/endpoints"
)

// Programs are the binaries of ours that the stack runs; each is a workload of the same name, and orders is the program of
// orders-standby too.
func Programs() []string {
	return []string{"storefront", "orders", "inventory", "payments", "loadgen", "autoheal"}
}

// Binaries are the programs, and the further releases of some that can be rolled out.
func Binaries() []string {
	all := Programs()
	for _, workload := range Programs() {
		all = append(all, slices.Sorted(maps.Values(releases[workload]))...)
	}
	return all
}

// Tools are the paths of the programs that are not ours.
type Tools struct {
	Prometheus, Alertmanager, Loki, Jaeger, Toxiproxy string
	// Grafana is nil where there is none.
	Grafana *Grafana
}

// Config is what the definition depends on.
type Config struct {
	Folders  folders.Folders
	Ports    ports.Set
	Tools    Tools
	Database postgres.Config
	// Replicas overrides how many replicas a workload starts with.
	Replicas map[string]int
	Sizes    Sizes
	// Mark is an environment setting that every process gets.
	Mark string
	// Blind runs our programs without telemetry, and has Prometheus not look at them.
	Blind bool
}

// definition is Config with what can be computed from it.
type definition struct {
	Config
	tracesURL, logsURL string
}

// Parts returns the stack.
func Parts(cfg Config) ([]supervisor.Part, error) {
	d := definition{Config: cfg}
	d.tracesURL, d.logsURL = Backends(cfg.Ports)
	if err := errors.Join(d.checkReplicas(), d.Sizes.defaults()); err != nil {
		return nil, err
	}
	database, err := d.database()
	if err != nil {
		return nil, err
	}
	return slices.Concat(database, d.observability(), d.grafana(), d.services()), nil
}

func (d definition) checkReplicas() error {
	for name := range d.Replicas {
		if !slices.Contains(Programs(), name) {
			return fmt.Errorf("there is no workload %q: there are %s", name, strings.Join(Programs(), ", "))
		}
	}
	return nil
}

// CheckBinaries returns an error that names the binaries of ours that are missing.
func CheckBinaries(f folders.Folders) error {
	var missing []string
	for _, program := range Binaries() {
		if info, err := os.Stat(filepath.Join(f.Bin, program)); err != nil || info.Mode()&0o111 == 0 {
			missing = append(missing, program)
		}
	}
	if len(missing) > 0 {
		return fmt.Errorf("%s has no %s: run `make build`", f.Bin, strings.Join(missing, ", "))
	}
	return nil
}

// Address says where everything answers once it is ready; PID and StartedAt are the caller's to fill in.
func Address(cfg Config) endpoints.Stack {
	url := cfg.Ports.URL
	stack := endpoints.Stack{
		Target: endpoints.Local,
		Endpoints: endpoints.Endpoints{
			Storefront: url(ports.Storefront), EdgeControl: url(ports.EdgeControl), Autoheal: url(ports.Autoheal), Control: url(ports.Control),
			Prometheus: url(ports.Prometheus), Alertmanager: url(ports.Alertmanager), Loki: url(ports.Loki), Jaeger: url(ports.Jaeger),
			Loadgen: url(ports.Loadgen), Toxiproxy: url(ports.Toxiproxy), OTLP: url(ports.OTLPHTTP),
		},
		DatabaseURLs: map[string]string{
			"orders":    postgres.URL(cfg.Database, postgres.Orders, postgres.Orders),
			"inventory": postgres.URL(cfg.Database, postgres.Inventory, postgres.Inventory),
			"admin":     postgres.URL(cfg.Database, postgres.Superuser, "postgres"),
		},
		ControlTokenFile: cfg.Folders.ControlToken,
		WebhookTokenFile: cfg.Folders.WebhookToken, EdgeControlTokenFile: cfg.Folders.EdgeControlToken,
		APITokenFile: cfg.Folders.APIToken,
	}
	if cfg.Tools.Grafana != nil {
		stack.Endpoints.Grafana = url(ports.Grafana)
	}
	return stack
}

// environment is the whole environment of a child: nothing of the caller's but PATH, so that a run does not depend on
// the shell it was started from.
func (d definition) environment(home string, settings map[string]string) []string {
	all := []string{"PATH=" + os.Getenv("PATH"), "HOME=" + home, "TMPDIR=" + home, d.Mark}
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		all = append(all, name+"="+settings[name])
	}
	return all
}

// limited is the Go runtime's setting for our own programs: near its limit, which is no hard one, a program collects
// garbage harder. Their heaps are small, and collecting sooner would be paid by every order (docs/benchmarks.md).
func limited(limitMiB int) map[string]string {
	return map[string]string{"GOMEMLIMIT": fmt.Sprintf("%dMiB", limitMiB)}
}

// small is the same for a program of others' with a large heap: it also collects at half the usual growth.
func small(limitMiB int) map[string]string {
	settings := limited(limitMiB)
	settings["GOGC"] = "50"
	return settings
}

func (d definition) state(process string) string { return filepath.Join(d.Folders.State, process) }

// Backends are where our programs send traces (the base of OTLP over HTTP) and logs.
func Backends(set ports.Set) (tracesURL, logsURL string) {
	return set.URL(ports.OTLPHTTP), set.URL(ports.Loki) + "/otlp/v1/logs"
}
