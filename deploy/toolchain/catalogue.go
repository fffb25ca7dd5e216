package toolchain

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// spec is all that is known about one program.
type spec struct {
	name Name

	// What is accepted from PATH.
	binary      string         // its name there
	versionArgs []string       // make it print its version
	version     *regexp.Regexp // whose first group is the version in that
	minimum     release        // the first that serves

	// What is built otherwise.
	pins        string // folder of deploy/tools with its go.mod and go.sum
	module, at  string // the module and its version, as in go.mod
	release     release
	pkg         string // the package to build
	tags        string
	versionFlag string   // variable that the linker sets to the release
	linked      []string // further variables that it sets, as name=value

	// packages is what package managers call it.
	packages string

	// onRequest keeps a program for developers out of what the stack needs: it must be asked for by name.
	onRequest bool
	// exact keeps a program of PATH from being taken, whatever its version.
	exact bool
}

// catalogue is the table of all programs. A version is moved in deploy/tools first, then here (tools/README.md); a test
// compares the two.
func catalogue() []spec {
	const prometheusVersion = "github.com/prometheus/common/version.Version"
	stack := []spec{
		{
			name: Toxiproxy, binary: "toxiproxy-server", versionArgs: []string{"-version"},
			version: afterVersion, minimum: release{2, 5, 0},
			pins: "toxiproxy", module: "github.com/Shopify/toxiproxy/v2", at: "v2.12.0", release: release{2, 12, 0},
			pkg: "github.com/Shopify/toxiproxy/v2/cmd/server", versionFlag: "github.com/Shopify/toxiproxy/v2.Version",
			packages: "toxiproxy",
		},
		{
			name: Alertmanager, binary: "alertmanager", versionArgs: []string{"--version"},
			version: afterVersion, minimum: release{0, 27, 0},
			pins: "alertmanager", module: "github.com/prometheus/alertmanager", at: "v0.31.1", release: release{0, 31, 1},
			pkg: "github.com/prometheus/alertmanager/cmd/alertmanager", versionFlag: prometheusVersion,
			packages: "alertmanager (Debian: prometheus-alertmanager)",
		},
		{
			name: Prometheus, binary: "prometheus", versionArgs: []string{"--version"},
			version: afterVersion, minimum: release{3, 0, 0},
			pins: "prometheus", module: "github.com/prometheus/prometheus", at: "v0.316.0", release: release{3, 16, 0},
			pkg: "github.com/prometheus/prometheus/cmd/prometheus", tags: "remove_all_sd", versionFlag: prometheusVersion,
			packages: "prometheus",
		},
		{
			name: Promtool, binary: "promtool", versionArgs: []string{"--version"},
			version: afterVersion, minimum: release{3, 0, 0},
			pins: "prometheus", module: "github.com/prometheus/prometheus", at: "v0.316.0", release: release{3, 16, 0},
			pkg: "github.com/prometheus/prometheus/cmd/promtool", tags: "remove_all_sd", versionFlag: prometheusVersion,
			packages: "prometheus",
		},
		{
			name: Jaeger, binary: "jaeger", versionArgs: []string{"version"},
			version: gitVersion, minimum: release{2, 0, 0},
			pins: "jaeger", module: "github.com/jaegertracing/jaeger", at: "v1.76.0", release: release{2, 13, 0},
			pkg:         "github.com/jaegertracing/jaeger/cmd/jaeger",
			versionFlag: "github.com/jaegertracing/jaeger/internal/version.latestVersion", packages: "jaeger",
		},
		{
			name: Loki, binary: "loki", versionArgs: []string{"--version"},
			version: afterVersion, minimum: release{3, 0, 0},
			pins: "loki", module: "github.com/grafana/loki/v3", at: "v3.7.8", release: release{3, 7, 8},
			pkg: "github.com/grafana/loki/v3/cmd/loki", versionFlag: "github.com/grafana/loki/v3/pkg/util/build.Version",
			packages: "loki (Nix: grafana-loki)",
		},
		{
			name: GolangciLint, binary: "golangci-lint", versionArgs: []string{"version"},
			version: regexp.MustCompile(`\bversion v?(\d+\.\d+\.\d+)`), minimum: release{2, 15, 0},
			pins: "golangci-lint", module: "github.com/golangci/golangci-lint/v2", at: "v2.15.0", release: release{2, 15, 0},
			pkg: "github.com/golangci/golangci-lint/v2/cmd/golangci-lint", versionFlag: "main.version",
			packages: "golangci-lint", onRequest: true,
		},
	}
	return append(stack, cluster(find(stack, Prometheus))...)
}

// pick returns the named programs in the order of the catalogue, which has the quick builds first; all that the stack
// needs when no name is given.
func pick(all []spec, names []Name) ([]spec, error) {
	if len(names) == 0 {
		return slices.DeleteFunc(slices.Clone(all), func(s spec) bool { return s.onRequest }), nil
	}
	wanted := make(map[Name]bool, len(names))
	for _, name := range names {
		wanted[name] = true
	}
	var picked []spec
	for _, s := range all {
		if wanted[s.name] {
			picked = append(picked, s)
			delete(wanted, s.name)
		}
	}
	for name := range wanted {
		return nil, fmt.Errorf("no program %q: there are %s", name, join(all))
	}
	return picked, nil
}

func join(all []spec) string {
	names := make([]string, len(all))
	for i, s := range all {
		names[i] = string(s.name)
	}
	return strings.Join(names, ", ")
}
