package experiment

import "github.com/goccy/go-yaml/ast"

// Parameters are the fault's own keys, kept as written until the driver that knows them asks.
type Parameters struct {
	node   ast.Node
	source *source
}

// UnmarshalYAML keeps the node.
func (p *Parameters) UnmarshalYAML(node ast.Node) error {
	p.node = node
	return nil
}

// Decode reads the parameters into a struct with yaml tags, as strictly as the rest of the file: an unknown key is an
// error with its place and a list of the keys there are. Parameters that are not in the file keep the value that the
// struct has already.
func (p Parameters) Decode(into any) error {
	if p.node == nil {
		return nil
	}
	return p.source.Within(p.node).Decode(into)
}
