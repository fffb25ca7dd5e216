package experiment

import (
	"fmt"
	"os"

	"github.com/faultline-lab/faultline/observability/strictyaml"
)

// Load reads one file.
func Load(path string) (Experiment, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return Experiment{}, err
	}
	return Parse(path, data)
}

// Parse reads an experiment from YAML. Its errors name the place as file:line:column; every problem is reported, not
// only the first.
func Parse(file string, data []byte) (Experiment, error) {
	documents, err := strictyaml.Parse(file, data)
	if err != nil {
		return Experiment{}, err
	}
	if len(documents) != 1 {
		return Experiment{}, fmt.Errorf("%s:1:1: an experiment file holds exactly one YAML document", file)
	}
	src := &source{Document: documents[0], file: file, text: data}
	var read Experiment
	if err := src.Decode(&read); err != nil {
		return Experiment{}, err
	}
	read.source, read.Fault.Parameters.source = src, src
	if err := validate(read); err != nil {
		return Experiment{}, err
	}
	return read, nil
}

// ErrorAt is an error at the place of a key, or of the nearest key above it that is in the file. The path is written
// like $.fault.kind or $.abort[0].query.
func (e Experiment) ErrorAt(path, format string, args ...any) error {
	return e.source.Errorf(path, format, args...)
}

// source is the file that an experiment was read from.
type source struct {
	strictyaml.Document
	file string
	text []byte
}
