// Package rules holds the Prometheus rule files that every target runs, local and Kubernetes alike. They are plain
// files, to be read and changed as such; rule tests for promtool are in testdata.
package rules

import "embed"

// FS holds the rule files, *.rules.yml, at its root.
//
//go:embed *.rules.yml
var FS embed.FS
