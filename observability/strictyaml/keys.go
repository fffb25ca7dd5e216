package strictyaml

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
func (d Document) unknownKeys(into any) error {
	var problems []error
	d.compare(d.root, reflect.TypeOf(into), "the document", &problems)
	return errors.Join(problems...)
}

func (d Document) compare(node ast.Node, kind reflect.Type, where string, problems *[]error) {
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
				d.compare(item, kind.Elem(), where, problems)
			}
		}
	case reflect.Map:
		if mapping, ok := node.(ast.MapNode); ok {
			for entries := mapping.MapRange(); entries.Next(); {
				d.compare(entries.Value(), kind.Elem(), entries.Key().GetToken().Value, problems)
			}
		}
	case reflect.Struct:
		if mapping, ok := node.(ast.MapNode); ok {
			d.compareMapping(mapping, kind, where, problems)
		}
	}
}

func (d Document) compareMapping(mapping ast.MapNode, kind reflect.Type, where string, problems *[]error) {
	fields, names := keysOf(kind)
	for entries := mapping.MapRange(); entries.Next(); {
		key := entries.Key().GetToken()
		field, ok := fields[key.Value]
		if !ok {
			*problems = append(*problems, fmt.Errorf("%s: unknown key %q in %s; the keys there are: %s",
				d.at(key), key.Value, where, strings.Join(names, ", ")))
			continue
		}
		d.compare(entries.Value(), field, key.Value, problems)
	}
}

// keysOf lists the keys of a struct in the order they are declared.
func keysOf(kind reflect.Type) (map[string]reflect.Type, []string) {
	fields, names := map[string]reflect.Type{}, []string{}
	for _, field := range reflect.VisibleFields(kind) {
		if key, _, _ := strings.Cut(field.Tag.Get("yaml"), ","); key != "" && key != "-" {
			fields[key] = field.Type
			names = append(names, key)
		}
	}
	return fields, names
}
