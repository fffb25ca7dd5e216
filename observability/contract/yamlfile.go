package contract

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// source is a parsed file: it knows on which line each value stands.
type source struct {
	name string
	tree *ast.File
}

// decode reads data strictly: an unknown key, a key that is there twice and a wrong type are errors with a line.
func decode(name string, data []byte, into any) (_ *source, err error) {
	defer func() { // the library does not survive some tags; whoever edits the file must not see its stack
		if cause := recover(); cause != nil {
			err = fmt.Errorf("%s: cannot be read: %v", name, cause)
		}
	}()
	tree, err := parser.ParseBytes(data, 0)
	if err != nil {
		return nil, located(name, err)
	}
	if err := yaml.NewDecoder(bytes.NewReader(data), yaml.Strict()).Decode(into); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("%s: the file is empty", name)
		}
		return nil, located(name, err)
	}
	if len(tree.Docs) > 1 {
		return nil, fmt.Errorf("%s: the file has %d documents; one is expected", name, len(tree.Docs))
	}
	return &source{name: name, tree: tree}, nil
}

// located turns a library error into file:line: message, without the excerpt of the source.
func located(name string, err error) error {
	var at yaml.Error
	if !errors.As(err, &at) || at.GetToken() == nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return fmt.Errorf("%s:%d: %s", name, at.GetToken().Position.Line, at.GetMessage())
}

// errorf makes an error about the value at a YAML path ("$.metrics[0].unit"). A path that is not there gives its
// nearest parent's line.
func (s *source) errorf(path, format string, args ...any) error {
	message := fmt.Sprintf(format, args...)
	for ; path != ""; path = parentPath(path) {
		if line, ok := s.line(path); ok {
			return fmt.Errorf("%s:%d: %s", s.name, line, message)
		}
	}
	return fmt.Errorf("%s: %s", s.name, message)
}

func (s *source) line(path string) (int, bool) {
	p, err := yaml.PathString(path)
	if err != nil {
		return 0, false
	}
	node, err := p.FilterFile(s.tree)
	if err != nil || node == nil || node.GetToken() == nil {
		return 0, false
	}
	// A mapping's own token is a colon, which may stand behind its first key only.
	return node.GetToken().Position.Line, true
}

func parentPath(path string) string {
	for i := len(path) - 1; i > 0; i-- {
		if path[i] == '.' || path[i] == '[' {
			return path[:i]
		}
	}
	return ""
}
