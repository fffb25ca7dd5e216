package experiment

import (
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
)

// unknownKeys compares the keys of a document with the yaml tags of the type it will be read into. The YAML library
// can refuse unknown keys too, but stops at the first and cannot say which keys there are.
func (s *source) unknownKeys(node ast.Node, into any) error {
	var problems []error
	s.compare(node, reflect.TypeOf(into), "the file", &problems)
	return errors.Join(problems...)
}

func (s *source) compare(node ast.Node, kind reflect.Type, where string, problems *[]error) {
	for kind.Kind() == reflect.Pointer {
		kind = kind.Elem()
	}
	if reflect.PointerTo(kind).Implements(reflect.TypeFor[yaml.NodeUnmarshaler]()) {
		return
	}
	switch kind.Kind() {
	case reflect.Slice:
		if list, ok := node.(*ast.SequenceNode); ok {
			for _, item := range list.Values {
				s.compare(item, kind.Elem(), where, problems)
			}
		}
	case reflect.Struct:
		if mapping, ok := node.(ast.MapNode); ok {
			s.compareMapping(mapping, kind, where, problems)
		}
	}
}

func (s *source) compareMapping(mapping ast.MapNode, kind reflect.Type, where string, problems *[]error) {
	fields, names := keysOf(kind)
	for entries := mapping.MapRange(); entries.Next(); {
		key := entries.Key().GetToken()
		field, ok := fields[key.Value]
		if !ok {
			*problems = append(*problems, s.at(key,
				fmt.Sprintf("unknown key %q in %s; the keys there are: %s", key.Value, where, strings.Join(names, ", "))))
			continue
		}
		s.compare(entries.Value(), field, key.Value, problems)
	}
}

// keysOf lists the keys of a struct in the order they are declared.
func keysOf(kind reflect.Type) (map[string]reflect.Type, []string) {
	fields, names := map[string]reflect.Type{}, []string{}
	for _, field := range reflect.VisibleFields(kind) {
		if key := field.Tag.Get("yaml"); key != "" {
			fields[key] = field.Type
			names = append(names, key)
		}
	}
	return fields, names
}
