package remedy

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// none is the check of a remedy that takes no parameters.
func (p Params) none() (string, error) { return p.only() }

// only refuses parameters of other names.
func (p Params) only(names ...string) (string, error) {
	for _, name := range slices.Sorted(maps.Keys(p)) {
		if slices.Contains(names, name) {
			continue
		}
		if len(names) == 0 {
			return name, fmt.Errorf("%q is no parameter of this remedy: it takes none", name)
		}
		return name, fmt.Errorf("%q is no parameter of this remedy: it takes %s", name, strings.Join(names, ", "))
	}
	return "", nil
}
