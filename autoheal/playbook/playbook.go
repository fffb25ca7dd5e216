package playbook

import (
	_ "embed"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/autoheal/yamlfile"
)

//go:embed default.yaml
var defaultFile []byte

// Playbook is a checked playbook.
type Playbook struct {
	ladders map[incident.Cause][]Rung
}

// Rung is one remedy of a ladder with its limits.
type Rung struct {
	Remedy string
	// With are the remedy's parameters.
	With map[string]string
	// Timeout bounds the remedy for one target.
	Timeout time.Duration
	// Readings is how many good readings in a row prove the heal; Within is how long they may take to come.
	Readings int
	Within   time.Duration
	// Hold is for a change that stands while the fault lasts: it is renewed with TimeToLive, and a person gets the incident when it has
	// stood for AtMost.
	Hold Hold
}

// Hold bounds a change that stands while the fault lasts.
type Hold struct{ TimeToLive, AtMost time.Duration }

// Ladder returns the rungs for a cause; none for a cause the playbook does not know.
func (p Playbook) Ladder(cause incident.Cause) []Rung { return p.ladders[cause] }

// Causes returns the causes the playbook has a ladder for, sorted.
func (p Playbook) Causes() []incident.Cause {
	var causes []incident.Cause
	for c := range p.ladders {
		causes = append(causes, c)
	}
	slices.Sort(causes)
	return causes
}

// Known is what a playbook may speak of, and what it may not combine.
type Known struct {
	Causes   []incident.Cause
	Remedies []string
	// Harmful says why a remedy makes a cause worse; "" when it does not.
	Harmful func(cause incident.Cause, remedy string) string
}

type file struct {
	Version int              `yaml:"version"`
	Causes  map[string]cause `yaml:"causes"`
}

type cause struct {
	Ladder []rung `yaml:"ladder"`
}

type rung struct {
	Remedy  string `yaml:"remedy"`
	Timeout string `yaml:"timeout"`
	Verify  verify `yaml:"verify"`
}

type verify struct {
	Readings int    `yaml:"readings"`
	Within   string `yaml:"within"`
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

// Parse reads a playbook from memory. Errors name the file and the line.
func Parse(name string, data []byte, known Known) (Playbook, error) {
	var f file
	source, err := yamlfile.Decode(name, data, &f)
	if err != nil {
		return Playbook{}, err
	}
	if f.Version != 1 {
		return Playbook{}, source.Errorf("$.version", "version is %d; this healer reads version 1", f.Version)
	}
	if len(f.Causes) == 0 {
		return Playbook{}, source.Errorf("$", "the playbook has no causes: there is nothing it could heal")
	}
	book := Playbook{ladders: map[incident.Cause][]Rung{}}
	for name, c := range f.Causes {
		path := "$.causes" + yamlfile.Quoted(name)
		if !slices.Contains(known.Causes, incident.Cause(name)) {
			return Playbook{}, source.Errorf(path, "unknown cause %q; this healer can name: %s", name, list(known.Causes))
		}
		if len(c.Ladder) == 0 {
			return Playbook{}, source.Errorf(path, "the ladder of %s has no rungs: name a remedy, or leave the cause out", name)
		}
		for i, r := range c.Ladder {
			checked, err := r.check(source, fmt.Sprintf("%s.ladder[%d]", path, i), incident.Cause(name), known)
			if err != nil {
				return Playbook{}, err
			}
			book.ladders[incident.Cause(name)] = append(book.ladders[incident.Cause(name)], checked)
		}
	}
	return book, nil
}

func (r rung) check(source *yamlfile.File, path string, c incident.Cause, known Known) (Rung, error) {
	if !slices.Contains(known.Remedies, r.Remedy) {
		return Rung{}, source.Errorf(path+".remedy", "unknown remedy %q; this healer has: %s", r.Remedy, list(known.Remedies))
	}
	if why := known.Harmful(c, r.Remedy); why != "" {
		return Rung{}, source.Errorf(path+".remedy", "%s makes %s worse: %s", r.Remedy, c, why)
	}
	timeout, err := duration(source, path+".timeout", r.Timeout)
	if err != nil {
		return Rung{}, err
	}
	within, err := duration(source, path+".verify.within", r.Verify.Within)
	if err != nil {
		return Rung{}, err
	}
	if r.Verify.Readings < 1 {
		return Rung{}, source.Errorf(path+".verify.readings", "readings is %d; at least one good reading must prove a heal",
			r.Verify.Readings)
	}
	if least := time.Duration(r.Verify.Readings) * time.Second; within <= least {
		return Rung{}, source.Errorf(path+".verify.within", "within is %s, but %d readings alone take %s: give it more", within,
			r.Verify.Readings, least)
	}
	return Rung{Remedy: r.Remedy, Timeout: timeout, Readings: r.Verify.Readings, Within: within}, nil
}

func duration(source *yamlfile.File, path, text string) (time.Duration, error) {
	d, err := time.ParseDuration(text)
	if err != nil || d <= 0 {
		return 0, source.Errorf(path, "%q is no duration above zero: write it as 15s or 500ms", text)
	}
	return d, nil
}

func list[T ~string](names []T) string {
	texts := make([]string, len(names))
	for i, n := range names {
		texts[i] = string(n)
	}
	slices.Sort(texts)
	return strings.Join(texts, ", ")
}
