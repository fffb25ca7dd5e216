package policy

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
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
	source := source{name: name}
	tree, err := parser.ParseBytes(data, 0)
	if err != nil {
		return Policy{}, source.located(err)
	}
	if len(tree.Docs) > 1 {
		return Policy{}, fmt.Errorf("%s: the file has %d documents; one is expected", name, len(tree.Docs))
	}
	source.tree = tree
	var f file
	if err := yaml.NewDecoder(bytes.NewReader(data), yaml.Strict()).Decode(&f); err != nil {
		return Policy{}, source.located(err)
	}
	return f.policy(source)
}

func (f file) policy(source source) (Policy, error) {
	switch {
	case f.Version == nil:
		return Policy{}, source.errorf("version", "version is missing: write version: 1")
	case *f.Version != 1:
		return Policy{}, source.errorf("version", "version is %d; this program reads version 1", *f.Version)
	case f.CautiousBelow == nil || f.FreezeAt == nil || f.Unknown == nil:
		return Policy{}, source.errorf("version", "cautious_below, freeze_at and unknown are all needed: the built-in file has them")
	case !(*f.CautiousBelow > 0 && *f.CautiousBelow <= 1):
		return Policy{}, source.errorf("cautious_below", "cautious_below is %v: use a share of the budget above 0 and up to 1, such as 0.5", *f.CautiousBelow)
	case !(*f.FreezeAt >= -1 && *f.FreezeAt < *f.CautiousBelow):
		return Policy{}, source.errorf("freeze_at", "freeze_at is %v: use a share from -1 (overdrawn once over) up to less than cautious_below (%v)",
			*f.FreezeAt, *f.CautiousBelow)
	case !slices.Contains(Levels(), *f.Unknown):
		return Policy{}, source.errorf("unknown", "unknown is %q: use one of %v", *f.Unknown, Levels())
	}
	p := Policy{cautiousBelow: *f.CautiousBelow, freezeAt: *f.FreezeAt, unknown: *f.Unknown}
	if f.Lasts != nil {
		lasts, err := time.ParseDuration(*f.Lasts)
		if err != nil || lasts <= 0 {
			return Policy{}, source.errorf("cautious_when_it_lasts", "%q is no duration above zero: write it as 90m or 1h, or leave it out", *f.Lasts)
		}
		p.lasts = lasts
	}
	return p, nil
}

// source knows where each value stands.
type source struct {
	name string
	tree *ast.File
}

// located turns a library error into file:line:column: message, without the excerpt of the source.
func (s source) located(err error) error {
	if errors.Is(err, io.EOF) {
		return fmt.Errorf("%s: the file is empty: write at least version, cautious_below, freeze_at and unknown", s.name)
	}
	var at yaml.Error
	if !errors.As(err, &at) || at.GetToken() == nil {
		return fmt.Errorf("%s: %w", s.name, err)
	}
	position := at.GetToken().Position
	return fmt.Errorf("%s:%d:%d: %s", s.name, position.Line, position.Column, at.GetMessage())
}

// errorf is about the value of a key; where the key is missing, about the beginning of the file.
func (s source) errorf(key, format string, args ...any) error {
	line, column := 1, 1
	if path, err := yaml.PathString("$." + key); err == nil {
		if node, err := path.FilterFile(s.tree); err == nil && node != nil && node.GetToken() != nil {
			line, column = node.GetToken().Position.Line, node.GetToken().Position.Column
		}
	}
	return fmt.Errorf("%s:%d:%d: %s", s.name, line, column, fmt.Sprintf(format, args...))
}
