package stack

import (
	"cmp"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"time"

	"github.com/faultline-lab/faultline/deploy/local/ports"
	"github.com/faultline-lab/faultline/deploy/local/postgres"
	"github.com/faultline-lab/faultline/deploy/local/process"
	"github.com/faultline-lab/faultline/deploy/local/supervisor"
)

// v1 is the version that every workload starts with: the binary of its name.
const v1 = "v1"

// releases are the further versions of workloads, and their binaries.
var releases = map[string]map[string]string{"orders": {"v2": "orders-v2"}}

// service is what differs between one workload of ours and another.
type service struct {
	name string
	// program is the binary; the name by default. A second workload of one program says which job it counts as, and as
	// which group of it.
	program, job, group string
	needs               []string
	replicas            int
	max                 int
	// healed workloads carry the label by which the healer may act on them.
	healed  bool
	command []string // what comes before the flags
	port    func(ordinal int) ports.Name
	flags   func(r supervisor.Replica) []string
	// secrets are settings that must not stand on a command line, where everybody can read them.
	secrets  map[string]string
	limitMiB int
}

func always(name ports.Name) func(int) ports.Name { return func(int) ports.Name { return name } }

// services are the patient, the healer and the load, in the order in which they need one another. The sizes (replicas, pools,
// rate) are those of the sheet in the contracts.
func (d definition) services() []supervisor.Part {
	telemetry := []string{"loki", "jaeger"}
	all := []service{
		{
			name: "payments", needs: telemetry, replicas: 1, max: 1, healed: true, port: always(ports.Payments), limitMiB: 32,
			flags: func(supervisor.Replica) []string { return nil },
		},
		{
			name: "inventory", needs: append([]string{"databases", "toxiproxy"}, telemetry...), replicas: 1, max: 1, healed: true,
			port: always(ports.Inventory), limitMiB: 32,
			flags:   func(supervisor.Replica) []string { return nil },
			secrets: map[string]string{"FAULTLINE_DATABASE_URL": d.through(ports.InventoryDB, postgres.Inventory)},
		},
		d.orders(service{name: "orders", replicas: 2, max: ports.MaxOrders, port: ports.Orders}),
		// None by default: whoever shifts traffic away from orders scales it up first.
		d.orders(service{name: "orders-standby", program: "orders", job: "orders", group: "standby", max: ports.MaxStandby, port: ports.Standby}),
		{
			name: "storefront", needs: []string{"orders"}, replicas: 1, max: 1, healed: true,
			port: always(ports.Storefront), limitMiB: 48, flags: d.storefront,
		},
		{
			name: "autoheal", needs: []string{"storefront", "prometheus", "alertmanager"}, replicas: 1, max: 1,
			port: always(ports.Autoheal), limitMiB: 64, command: []string{"serve"}, flags: d.autoheal,
			secrets: map[string]string{"FAULTLINE_DATABASE_ADMIN_URL": postgres.URL(d.Database, postgres.Autoheal, "postgres")},
		},
		{
			name: "loadgen", needs: []string{"storefront", "prometheus"}, replicas: 1, max: 1,
			port: always(ports.Loadgen), limitMiB: 48,
			flags: func(supervisor.Replica) []string {
				return []string{"--storefront-url=" + d.Ports.URL(ports.Storefront), fmt.Sprintf("--rate=%d", d.Sizes.Rate)}
			},
		},
	}
	parts := make([]supervisor.Part, 0, len(all))
	for _, s := range all {
		parts = append(parts, d.part(s))
	}
	return parts
}

// orders is what the groups of it have in common.
func (d definition) orders(group service) service {
	group.needs, group.healed, group.limitMiB = []string{"inventory", "payments"}, true, 48
	group.flags = func(supervisor.Replica) []string {
		return []string{
			fmt.Sprintf("--pool-max=%d", d.Sizes.PoolSize), "--connection-lifetime=9s", "--inventory-url=" + d.Ports.URL(ports.Inventory), "--payments-url=" + d.Ports.URL(ports.Payments),
		}
	}
	group.secrets = map[string]string{"FAULTLINE_DATABASE_URL": d.through(ports.OrdersDB, postgres.Orders)}
	return group
}

func (d definition) storefront(r supervisor.Replica) []string {
	return []string{
		"--orders-discovery=" + d.Ports.URL(ports.Control) + "/v1/discovery?job=orders&ready=true",
		"--inventory-url=" + d.Ports.URL(ports.Inventory),
		"--control-listen=" + d.Ports.Address(ports.EdgeControl),
		"--control-token-file=" + d.Folders.EdgeControlToken,
		"--queue=" + filepath.Join(r.StateDir, "queue.db"),
	}
}

// autoheal gets nothing that tells it of experiments or of the load generator. It goes straight to Postgres: the proxies
// are where faults are.
func (d definition) autoheal(r supervisor.Replica) []string {
	return append([]string{
		"--store=" + filepath.Join(r.StateDir, "autoheal.db"),
		"--webhook-token-file=" + d.Folders.WebhookToken,
		"--api-token-file=" + d.Folders.APIToken,
		"--control-url=" + d.Ports.URL(ports.Control),
		"--control-token-file=" + d.Folders.ControlToken,
		"--prometheus-url=" + d.Ports.URL(ports.Prometheus),
		"--loki-url=" + d.Ports.URL(ports.Loki),
		"--jaeger-url=" + d.Ports.URL(ports.Jaeger),
		"--edge-metrics-url=" + d.Ports.URL(ports.Storefront) + "/metrics",
		"--probe-url=" + d.Ports.URL(ports.Storefront) + "/checkout",
		"--edge-control-url=" + d.Ports.URL(ports.EdgeControl),
		"--edge-control-token-file=" + d.Folders.EdgeControlToken,
		"--kill-switch-file=" + filepath.Join(d.Folders.Run, "autoheal-off"),
	}, d.Sizes.HealerFlags...)
}

// blindness is what our programs are told when they are to run without telemetry.
func (d definition) blindness() []string {
	if d.Blind {
		return []string{"--telemetry=off"}
	}
	return nil
}

func (d definition) part(s service) supervisor.Part {
	replicas := s.replicas
	if asked, ok := d.Replicas[s.name]; ok {
		replicas = asked
	}
	labels := map[string]string{}
	if s.healed {
		labels["faultline.dev/autoheal"] = "enabled"
	}
	return supervisor.Part{
		Name: s.name, Kind: supervisor.Service, Needs: s.needs,
		Workload: &supervisor.Workload{
			Labels: labels, Job: s.job, Group: s.group, Replicas: replicas, Max: s.max,
			Version: v1, Versions: d.versions(s),
			Address: func(ordinal int) string { return d.Ports.Address(s.port(ordinal)) },
			Spec:    func(r supervisor.Replica) process.Spec { return d.spec(s, r) },
		},
	}
}

// versions are the binaries of a workload by version.
func (d definition) versions(s service) map[string]string {
	all := map[string]string{v1: filepath.Join(d.Folders.Bin, cmp.Or(s.program, s.name))}
	for version, binary := range releases[s.name] {
		all[version] = filepath.Join(d.Folders.Bin, binary)
	}
	return all
}

func (d definition) spec(s service, r supervisor.Replica) process.Spec {
	address := d.Ports.Address(s.port(r.Ordinal))
	settings := map[string]string{"GOMAXPROCS": "2"}
	maps.Copy(settings, limited(s.limitMiB))
	maps.Copy(settings, s.secrets)
	return process.Spec{
		Path: r.Binary,
		Args: slices.Concat(s.command, []string{
			"--listen=" + address, "--instance=" + r.ID, "--service-version=" + r.Version,
			"--traces-url=" + d.tracesURL, "--logs-url=" + d.logsURL,
		}, d.blindness(), s.flags(r)),
		Env:   d.environment(r.StateDir, settings),
		Probe: process.HTTP(fmt.Sprintf("http://%s/readyz", address)),
		// The services end within their own second; this is for one that hangs.
		StopTimeout: 3 * time.Second,
	}
}
