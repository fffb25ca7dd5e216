package correlate

import (
	_ "embed"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/autoheal/yamlfile"
)

//go:embed default.yaml
var defaultFile []byte

// Map is the declared map of dependencies.
type Map struct {
	dependsOn map[string][]string
}

type file struct {
	Version   int                 `yaml:"version"`
	Workloads map[string]declared `yaml:"workloads"`
}

type declared struct {
	DependsOn []string `yaml:"depends_on"`
}

// Load reads a map; the empty path gives the built-in one (storefront, orders, inventory, payments).
func Load(path string) (Map, error) {
	if path == "" {
		return Parse("built-in dependencies", defaultFile)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return Map{}, fmt.Errorf("dependencies: %w", err)
	}
	return Parse(path, data)
}

// Parse reads a map from memory. A dependency that is not declared itself and a circle are errors.
func Parse(name string, data []byte) (Map, error) {
	var f file
	source, err := yamlfile.Decode(name, data, &f)
	if err != nil {
		return Map{}, err
	}
	if f.Version != 1 {
		return Map{}, source.Errorf("$.version", "version is %d; this healer reads version 1", f.Version)
	}
	m := Map{dependsOn: map[string][]string{}}
	for w, d := range f.Workloads {
		path := "$.workloads" + yamlfile.Quoted(w)
		for i, other := range d.DependsOn {
			if _, ok := f.Workloads[other]; !ok {
				return Map{}, source.Errorf(fmt.Sprintf("%s.depends_on[%d]", path, i),
					"%s depends on %q, which is not declared under workloads", w, other)
			}
		}
		m.dependsOn[w] = d.DependsOn
	}
	for w := range m.dependsOn {
		if m.circle(w, nil) {
			return Map{}, source.Errorf("$.workloads"+yamlfile.Quoted(w), "%s depends on itself, through %s", w,
				strings.Join(m.dependsOn[w], ", "))
		}
	}
	return m, nil
}

func (m Map) circle(w string, path []string) bool {
	if slices.Contains(path, w) {
		return path[0] == w
	}
	for _, other := range m.dependsOn[w] {
		if m.circle(other, append(slices.Clone(path), w)) {
			return true
		}
	}
	return false
}

// Group returns the workload and all that hang together with it, in either direction, sorted. A workload that is not in
// the map is a group of its own.
func (m Map) Group(workload string) []string {
	group := []string{workload}
	for i := 0; i < len(group); i++ {
		for w, others := range m.dependsOn {
			for _, other := range others {
				if w == group[i] && !slices.Contains(group, other) {
					group = append(group, other)
				}
				if other == group[i] && !slices.Contains(group, w) {
					group = append(group, w)
				}
			}
		}
	}
	slices.Sort(group)
	return group
}

// Deepest returns the one of the workloads that the others lean on most: the likeliest root before there is evidence.
// The empty list gives "".
func (m Map) Deepest(workloads []string) string {
	sorted := slices.Sorted(slices.Values(workloads))
	var deepest string
	for _, w := range sorted {
		if deepest == "" || m.below(w) < m.below(deepest) {
			deepest = w
		}
	}
	return deepest
}

// below counts the longest way down from a workload.
func (m Map) below(w string) int {
	longest := 0
	for _, other := range m.dependsOn[w] {
		longest = max(longest, m.below(other)+1)
	}
	return longest
}

// WorkloadOf returns the workload that an alert is about, from its labels; "unknown" when none says so, which no
// collector and no playbook knows, so that such an alert ends with a person.
func WorkloadOf(a incident.Alert) string {
	for _, label := range []string{"workload", "job", "service", "service_name"} {
		if w := a.Labels[label]; w != "" {
			return w
		}
	}
	return "unknown"
}
