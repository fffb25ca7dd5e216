package experiment

import (
	"errors"
	"fmt"
	"os"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
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
	parsed, err := parser.ParseBytes(data, 0)
	if err != nil {
		return Experiment{}, (&source{file: file}).place(err)
	}
	if len(parsed.Docs) != 1 || parsed.Docs[0].Body == nil {
		return Experiment{}, fmt.Errorf("%s:1:1: an experiment file holds exactly one YAML document", file)
	}
	src := &source{file: file, text: data, root: parsed.Docs[0].Body}
	var read Experiment
	if err := src.decode(src.root, &read); err != nil {
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
	return e.source.errorAt(path, fmt.Sprintf(format, args...))
}

// source is the file that an experiment was read from.
type source struct {
	file string
	text []byte
	root ast.Node
}

func (s *source) decode(node ast.Node, into any) error {
	if problems := s.unknownKeys(node, into); problems != nil {
		return problems
	}
	return s.place(yaml.NodeToValue(node, into, yaml.Strict()))
}

// place gives an error of the YAML library its file, line and column.
func (s *source) place(err error) error {
	var value *valueError
	var positioned yaml.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &value):
		return s.at(value.node.GetToken(), value.message)
	case errors.As(err, &positioned):
		return s.at(positioned.GetToken(), positioned.GetMessage())
	default:
		return fmt.Errorf("%s: %w", s.file, err)
	}
}

func (s *source) at(tk *token.Token, message string) error {
	if tk == nil || tk.Position == nil {
		return fmt.Errorf("%s:1:1: %s", s.file, message)
	}
	return fmt.Errorf("%s:%d:%d: %s", s.file, tk.Position.Line, tk.Position.Column, message)
}

// valueError is a value that a type of this package refuses.
type valueError struct {
	node    ast.Node
	message string
}

func (e *valueError) Error() string { return e.message }
