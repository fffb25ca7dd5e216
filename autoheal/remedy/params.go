package remedy

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Names of parameters.
const (
	// ByParam is by how many replicas to scale; AtMostParam is how many there may be.
	ByParam     = "by"
	AtMostParam = "at_most"
	// AdmitParam is how many checkouts a second the edge lets through.
	AdmitParam = "admit"
	// StandbyParam is the workload that traffic is shifted to; ReplicasParam is how many replicas it shall have.
	StandbyParam  = "standby"
	ReplicasParam = "replicas"
)

// check is the check of one parameter.
type check func(text string) error

// none is the check of a remedy that takes no parameters.
func (p Params) none() (string, error) { return p.only(nil) }

// only refuses parameters of other names, and asks each check what it makes of its own. A parameter that is left out is right.
func (p Params) only(checks map[string]check) (string, error) {
	for _, name := range slices.Sorted(maps.Keys(p)) {
		look, known := checks[name]
		switch {
		case !known && len(checks) == 0:
			return name, fmt.Errorf("%q is no parameter of this remedy: it takes none", name)
		case !known:
			return name, fmt.Errorf("%q is no parameter of this remedy: it takes %s", name, strings.Join(slices.Sorted(maps.Keys(checks)), ", "))
		}
		if err := look(p[name]); err != nil {
			return name, err
		}
	}
	return "", nil
}

func count(text string) error {
	if n, err := strconv.Atoi(text); err != nil || n < 1 {
		return fmt.Errorf("%q is no number of replicas: write 1 or more", text)
	}
	return nil
}

func rate(text string) error {
	if n, err := strconv.ParseFloat(text, 64); err != nil || !(n >= 1 && n <= maxAdmit) {
		return fmt.Errorf("%q is no rate: write how many checkouts a second shall pass, 1 to %d", text, maxAdmit)
	}
	return nil
}

// maxAdmit is what the edge's control port takes at most.
const maxAdmit = 10_000

func named(text string) error {
	if text == "" {
		return fmt.Errorf("the name is empty: write a workload's")
	}
	return nil
}

// number is a parameter that was checked; the default where it is left out.
func (p Params) number(name string, otherwise int) int {
	if n, err := strconv.Atoi(p[name]); err == nil {
		return n
	}
	return otherwise
}

func (p Params) admit() float64 {
	n, err := strconv.ParseFloat(p[AdmitParam], 64)
	if err != nil {
		return 0
	}
	return n
}

// text is a parameter, or the default where it is left out.
func (p Params) text(name, otherwise string) string {
	if given := p[name]; given != "" {
		return given
	}
	return otherwise
}
