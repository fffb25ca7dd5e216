package policy

import (
	_ "embed"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/faultline-lab/faultline/observability/strictyaml"
)

//go:embed default.yaml
var defaultFile []byte

// Default is the policy that comes with the program.
func Default() (Policy, error) { return Parse("built-in error-budget policy", defaultFile) }

// Load reads a policy file; the empty path gives the built-in one.
func Load(path string) (Policy, error) {
	if path == "" {
		return Default()
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return Policy{}, fmt.Errorf("error-budget policy: %w", err)
	}
	return Parse(path, data)
}

// file is the YAML. Pointers tell what is missing from what is zero.
type file struct {
	Version       *int     `yaml:"version"`
	CautiousBelow *float64 `yaml:"cautious_below"`
	FreezeAt      *float64 `yaml:"freeze_at"`
	Unknown       *Level   `yaml:"unknown"`
	Lasts         *string  `yaml:"cautious_when_it_lasts"`
}

// Parse reads a policy from memory. Unknown keys, wrong types and values that make no sense are errors that name the file,
// the line and the column; the name is used for nothing else.
func Parse(name string, data []byte) (Policy, error) {
	documents, err := strictyaml.Parse(name, data)
	switch {
	case err != nil:
		return Policy{}, err
	case len(documents) == 0:
		return Policy{}, fmt.Errorf("%s:1:1: the file is empty: write at least version, cautious_below, freeze_at and unknown", name)
	case len(documents) > 1:
		return Policy{}, documents[1].Errorf("$", "the file has %d documents; one is expected", len(documents))
	}
	var f file
	if err := documents[0].Decode(&f); err != nil {
		return Policy{}, err
	}
	return f.policy(documents[0])
}

func (f file) policy(d strictyaml.Document) (Policy, error) {
	switch {
	case f.Version == nil:
		return Policy{}, d.Errorf("$", "version is missing: write version: 1")
	case *f.Version != 1:
		return Policy{}, d.Errorf("$.version", "version is %d; this program reads version 1", *f.Version)
	case f.CautiousBelow == nil || f.FreezeAt == nil || f.Unknown == nil:
		return Policy{}, d.Errorf("$", "cautious_below, freeze_at and unknown are all needed: the built-in file has them")
	case !(*f.CautiousBelow > 0 && *f.CautiousBelow <= 1):
		return Policy{}, d.Errorf("$.cautious_below", "cautious_below is %v: use a share of the budget above 0 and up to 1, such as 0.5", *f.CautiousBelow)
	case !(*f.FreezeAt >= -1 && *f.FreezeAt < *f.CautiousBelow):
		return Policy{}, d.Errorf("$.freeze_at", "freeze_at is %v: use a share from -1 (overdrawn once over) up to less than cautious_below (%v)",
			*f.FreezeAt, *f.CautiousBelow)
	case !slices.Contains(Levels(), *f.Unknown):
		return Policy{}, d.Errorf("$.unknown", "unknown is %q: use one of %v", *f.Unknown, Levels())
	}
	p := Policy{cautiousBelow: *f.CautiousBelow, freezeAt: *f.FreezeAt, unknown: *f.Unknown}
	if f.Lasts != nil {
		lasts, err := time.ParseDuration(*f.Lasts)
		if err != nil || lasts <= 0 {
			return Policy{}, d.Errorf("$.cautious_when_it_lasts", "%q is no duration above zero: write it as 90m or 1h, or leave it out", *f.Lasts)
		}
		p.lasts = lasts
	}
	return p, nil
}
