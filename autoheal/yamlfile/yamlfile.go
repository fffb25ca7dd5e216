// Package yamlfile reads one YAML file strictly: an unknown key, a wrong type and a wrong value are errors that name the
// file and the line.
package yamlfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// File is a parsed file: it knows on which line each value stands.
type File struct {
	name string
	tree *ast.File
}

// Decode reads data into the value and returns the file for later questions about lines. Name is used in errors only.
func Decode(name string, data []byte, into any) (*File, error) {
	tree, err := parser.ParseBytes(data, 0)
	if err != nil {
		return nil, located(name, err)
	}
	decoder := yaml.NewDecoder(bytes.NewReader(data), yaml.Strict())
	if err := decoder.Decode(into); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("%s: the file is empty", name)
		}
		return nil, located(name, err)
	}
	if len(tree.Docs) > 1 {
		return nil, fmt.Errorf("%s: the file has %d documents; one is expected", name, len(tree.Docs))
	}
	return &File{name: name, tree: tree}, nil
}

// located turns a library error into file:line: message, without the excerpt of the source.
func located(name string, err error) error {
	var at yaml.Error
	if !errors.As(err, &at) || at.GetToken() == nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return fmt.Errorf("%s:%d: %s", name, at.GetToken().Position.Line, at.GetMessage())
}

// Errorf makes an error about the value at a YAML path ("$.causes.x[0]"). A path that is not there gives its nearest
// parent's line.
func (f *File) Errorf(path, format string, args ...any) error {
	message := fmt.Sprintf(format, args...)
	for ; path != ""; path = parent(path) {
		if line, ok := f.line(path); ok {
			return fmt.Errorf("%s:%d: %s", f.name, line, message)
		}
	}
	return fmt.Errorf("%s: %s", f.name, message)
}

func (f *File) line(path string) (int, bool) {
	p, err := yaml.PathString(path)
	if err != nil {
		return 0, false
	}
	node, err := p.FilterFile(f.tree)
	if err != nil || node == nil || node.GetToken() == nil {
		return 0, false
	}
	return node.GetToken().Position.Line, true
}

func parent(path string) string {
	for i := len(path) - 1; i > 0; i-- {
		if path[i] == '.' || path[i] == '[' {
			return path[:i]
		}
	}
	return ""
}

// Quoted makes one step of a YAML path from a key that may hold dots or dashes.
func Quoted(key string) string { return ".'" + key + "'" }
