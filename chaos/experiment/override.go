package experiment

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/parser"
)

// WithParameters is the experiment with other values for some of its fault's parameters, as if its file had been written
// so. Keys that are not in the file are errors: what is not there cannot be adapted.
func (e Experiment) WithParameters(values map[string]any) (Experiment, error) {
	if len(values) == 0 {
		return e, nil
	}
	file, err := parser.ParseBytes(e.source.text, parser.ParseComments)
	if err != nil {
		return Experiment{}, err
	}
	for _, key := range slices.Sorted(maps.Keys(values)) {
		path := "$.fault.parameters." + key
		if !e.source.Has(path) {
			return Experiment{}, e.ErrorAt("$.fault.parameters", "there is no parameter %q that could be changed", key)
		}
		at, err := yaml.PathString(path)
		if err != nil {
			return Experiment{}, err
		}
		if err := at.ReplaceWithReader(file, strings.NewReader(fmt.Sprint(values[key]))); err != nil {
			return Experiment{}, fmt.Errorf("%s: changing %s: %w", e.File(), path, err)
		}
	}
	return Parse(e.File(), bytes.TrimSpace([]byte(file.String())))
}
