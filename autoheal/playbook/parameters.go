package playbook

import (
	"fmt"

	"github.com/goccy/go-yaml/ast"

	"github.com/faultline-lab/faultline/observability/strictyaml"
)

// parameters are a remedy's own; what they mean, and which there are, the remedy knows. Numbers and words are both taken as
// they are written.
type parameters map[string]string

// UnmarshalYAML reads a mapping of single values.
func (p *parameters) UnmarshalYAML(node ast.Node) error {
	mapping, is := node.(ast.MapNode)
	if !is {
		return &strictyaml.ValueError{Node: node, Message: "parameters are written as a mapping, such as {by: 2}"}
	}
	*p = parameters{}
	for entries := mapping.MapRange(); entries.Next(); {
		key, value := entries.Key().GetToken().Value, entries.Value()
		if _, twice := (*p)[key]; twice {
			return &strictyaml.ValueError{Node: value, Message: fmt.Sprintf("the parameter %q is there twice", key)}
		}
		if _, single := value.(ast.ScalarNode); !single || value.Type() == ast.NullType {
			return &strictyaml.ValueError{Node: value, Message: fmt.Sprintf("the parameter %q is no single value: write a number or a word", key)}
		}
		(*p)[key] = value.GetToken().Value
	}
	return nil
}
