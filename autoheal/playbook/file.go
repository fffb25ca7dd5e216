package playbook

import (
	_ "embed"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"

	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/observability/strictyaml"
)

//go:embed default.yaml
var defaultFile []byte

// file is the YAML. Pointers tell what is missing from what is zero.
type file struct {
	Version int              `yaml:"version"`
	Causes  map[string]cause `yaml:"causes"`
}

type cause struct {
	Ladder []rung `yaml:"ladder"`
}

type rung struct {
	Remedy  string     `yaml:"remedy"`
	With    parameters `yaml:"with"`
	Timeout string     `yaml:"timeout"`
	Verify  verify     `yaml:"verify"`
	Hold    *hold      `yaml:"hold"`
	Guards  *guards    `yaml:"guards"`
}

type verify struct {
	Readings int    `yaml:"readings"`
	Within   string `yaml:"within"`
}

type hold struct {
	TimeToLive string `yaml:"ttl"`
	AtMost     string `yaml:"at_most"`
}

type guards struct {
	Approval *string `yaml:"approval"`
	Cooldown *string `yaml:"cooldown"`
	Floor    *int    `yaml:"floor"`
	PerHour  *int    `yaml:"per_hour"`
}

// Load reads a playbook; the empty path gives the built-in one.
func Load(path string, known Known) (Playbook, error) {
	if path == "" {
		return Parse("built-in playbook", defaultFile, known)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return Playbook{}, fmt.Errorf("playbook: %w", err)
	}
	return Parse(path, data, known)
}

// Parse reads a playbook from memory. Errors name the file, the line and the column, and all rungs that are wrong; the name is
// used for nothing else.
func Parse(name string, data []byte, known Known) (Playbook, error) {
	documents, err := strictyaml.Parse(name, data)
	switch {
	case err != nil:
		return Playbook{}, err
	case len(documents) == 0:
		return Playbook{}, fmt.Errorf("%s:1:1: the file is empty: write at least version and causes", name)
	case len(documents) > 1:
		return Playbook{}, documents[1].Errorf("$", "the file has %d documents; one is expected", len(documents))
	}
	var f file
	if err := documents[0].Decode(&f); err != nil {
		return Playbook{}, err
	}
	return f.playbook(documents[0], known)
}

func (f file) playbook(at strictyaml.Document, known Known) (Playbook, error) {
	switch {
	case !at.Has("$.version"):
		return Playbook{}, at.Errorf("$", "version is missing: write version: 2")
	case f.Version != 1 && f.Version != 2:
		return Playbook{}, at.Errorf("$.version", "version is %d; this healer reads version 2, and version 1", f.Version)
	case len(f.Causes) == 0:
		return Playbook{}, at.Errorf("$", "the playbook has no causes: there is nothing it could heal")
	}
	book := Playbook{ladders: map[incident.Cause][]Rung{}}
	var problems []error
	for _, name := range slices.Sorted(maps.Keys(f.Causes)) {
		here := "$.causes" + strictyaml.Key(name)
		ladder := f.Causes[name].Ladder
		switch {
		case !slices.Contains(known.Causes, incident.Cause(name)):
			problems = append(problems, at.Errorf(here, "unknown cause %q; this healer can name: %s", name, list(known.Causes)))
		case len(ladder) == 0:
			problems = append(problems, at.Errorf(here, "the ladder of %s has no rungs: name a remedy, or leave the cause out", name))
		}
		for i, r := range ladder {
			c := check{at, fmt.Sprintf("%s.ladder[%d]", here, i), incident.Cause(name), known}
			checked, err := c.rung(r, f.Version)
			if err != nil {
				problems = append(problems, err)
				continue
			}
			if warning := c.harm(checked); warning != nil {
				book.Warnings = append(book.Warnings, warning)
			}
			book.ladders[c.cause] = append(book.ladders[c.cause], checked)
		}
	}
	if len(problems) > 0 {
		return Playbook{}, errors.Join(problems...)
	}
	return book, nil
}
