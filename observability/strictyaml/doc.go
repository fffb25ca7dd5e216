// Package strictyaml reads YAML that people write: several documents a file, every unknown key an error that lists the keys
// there are, every error with file:line:column.
package strictyaml
