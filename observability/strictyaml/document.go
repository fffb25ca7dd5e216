package strictyaml

import (
	"errors"
	"fmt"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// Place is a position in a file; line and column count from 1.
type Place struct {
	File         string
	Line, Column int
}

func (p Place) String() string { return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column) }

// Document is one YAML document, or one item of a document that is a list.
type Document struct {
	file string
	root ast.Node
}

// Parse splits a file into its documents; empty ones are left out. File is used in errors only.
func Parse(file string, data []byte) (documents []Document, err error) {
	defer survive(file, &err)
	for _, part := range split(string(data)) {
		parsed, err := parser.ParseBytes([]byte(part), 0)
		if err != nil {
			return nil, (Document{file: file}).placed(err)
		}
		var bodies []ast.Node
		for _, doc := range parsed.Docs {
			if doc.Body != nil && doc.Body.Type() != ast.NullType {
				bodies = append(bodies, doc.Body)
			}
		}
		switch {
		case len(bodies) == 1:
			documents = append(documents, Document{file: file, root: bodies[0]})
		case len(bodies) > 1 || !blank(part):
			line := strings.Count(part, "\n") - strings.Count(strings.TrimLeft(part, "\n"), "\n") + 1
			return nil, fmt.Errorf("%s:%d:1: cannot be read as one YAML document: separate documents by lines of ---", file, line)
		}
	}
	return documents, nil
}

// split cuts a file at its lines of --- and ..., because the library drops what follows an empty document. Each part has as
// many empty lines before it as it takes to stand on its own lines.
func split(text string) []string {
	var parts []string
	var part strings.Builder
	lines := strings.SplitAfter(text, "\n")
	for i, line := range lines {
		if marker, rest, ends := documentMarker(line); ends {
			parts = append(parts, part.String())
			part.Reset()
			part.WriteString(strings.Repeat("\n", i))
			line = strings.Repeat(" ", len(marker)) + rest
		}
		part.WriteString(line)
	}
	return append(parts, part.String())
}

func documentMarker(line string) (marker, rest string, found bool) {
	for _, marker := range []string{"---", "..."} {
		rest, found := strings.CutPrefix(line, marker)
		if found && (rest == "" || strings.ContainsAny(rest[:1], " \t\r\n")) {
			return marker, rest, true
		}
	}
	return "", "", false
}

// blank says that there is nothing but white space and comments.
func blank(part string) bool {
	for line := range strings.SplitSeq(part, "\n") {
		if trimmed := strings.TrimSpace(line); trimmed != "" && trimmed[0] != '#' && trimmed != "null" && trimmed != "~" {
			return false
		}
	}
	return true
}

// survive turns a panic of the YAML library, which does not survive some tags, into an error: whoever edits the file must
// not see its stack.
func survive(file string, err *error) {
	if cause := recover(); cause != nil {
		*err = fmt.Errorf("%s:1:1: cannot be read as YAML: %v", file, cause)
	}
}

// Items are the items of a document that is a list; another document is its own only item.
func (d Document) Items() []Document {
	list, is := d.root.(*ast.SequenceNode)
	if !is {
		return []Document{d}
	}
	var items []Document
	for _, item := range list.Values {
		items = append(items, Document{file: d.file, root: item})
	}
	return items
}

// Within is a part of the document, as its type kept it while it was read, for whoever knows later what is in it.
func (d Document) Within(part ast.Node) Document { return Document{file: d.file, root: part} }

// Decode reads the document into a struct with yaml tags. A key that the struct does not have, one that is there twice and a
// value of another type are errors; of unknown keys all are reported.
func (d Document) Decode(into any) (err error) {
	defer survive(d.file, &err)
	if problems := d.unknownKeys(into); problems != nil {
		return problems
	}
	return d.placed(yaml.NodeToValue(d.root, into, yaml.Strict()))
}

// Peek reads what a struct has of the document and passes over all else: to find out what sort of document it is.
func (d Document) Peek(into any) (err error) {
	defer survive(d.file, &err)
	return d.placed(yaml.NodeToValue(d.root, into))
}

// Has says whether a path, like $.spec.objectives[0].target, is in the document.
func (d Document) Has(path string) bool { return d.find(path) != nil }

// Place is where the value of a path stands, or the nearest one above it that there is.
func (d Document) Place(path string) Place {
	for at := path; len(at) > 1; at = at[:max(strings.LastIndexAny(at, ".["), 1)] {
		if node := d.find(at); node != nil {
			return d.at(start(node))
		}
	}
	return d.at(start(d.root))
}

// Errorf is an error at the place of a path.
func (d Document) Errorf(path, format string, args ...any) error {
	return fmt.Errorf("%s: %s", d.Place(path), fmt.Sprintf(format, args...))
}

// Key makes one step of a path from a key that may hold dots and slashes.
func Key(name string) string { return ".'" + name + "'" }

func (d Document) find(path string) (node ast.Node) {
	defer func() { // a path through what is no mapping
		if recover() != nil {
			node = nil
		}
	}()
	parsed, err := yaml.PathString(path)
	if err != nil {
		return nil
	}
	node, err = parsed.FilterNode(d.root)
	if err != nil {
		return nil
	}
	return node
}

// ValueError is a value that a type refuses while it is read.
type ValueError struct {
	Node    ast.Node
	Message string
}

func (e *ValueError) Error() string { return e.Message }

// placed gives an error of the YAML library, or of a type, its place.
func (d Document) placed(err error) error {
	var value *ValueError
	var positioned yaml.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &value):
		return fmt.Errorf("%s: %s", d.at(start(value.Node)), value.Message)
	case errors.As(err, &positioned):
		return fmt.Errorf("%s: %s", d.at(positioned.GetToken()), positioned.GetMessage())
	default:
		return fmt.Errorf("%s:1:1: %w", d.file, err)
	}
}

func (d Document) at(tk *token.Token) Place {
	if tk == nil || tk.Position == nil {
		return Place{d.file, 1, 1}
	}
	return Place{d.file, tk.Position.Line, tk.Position.Column}
}

// start is where a node begins for a person; the library's own idea of a mapping's place is its first colon.
func start(node ast.Node) *token.Token {
	switch n := node.(type) {
	case nil:
		return nil
	case *ast.MappingNode:
		if len(n.Values) > 0 {
			return n.Values[0].Key.GetToken()
		}
	case *ast.MappingValueNode:
		return n.Key.GetToken()
	}
	return node.GetToken()
}
