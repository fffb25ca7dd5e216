package contract

import _ "embed"

// FileName is the contract's, for errors.
const FileName = "telemetry.yaml"

//go:embed telemetry.yaml
var file []byte

// Load parses the contract that this program was built with.
func Load() (Contract, error) { return Parse(FileName, file) }
