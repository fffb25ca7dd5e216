module github.com/faultline-lab/faultline/chaos

go 1.26.0

require (
	github.com/Shopify/toxiproxy/v2 v2.12.0
	github.com/alecthomas/kong v1.17.0
	github.com/faultline-lab/faultline/observability v0.0.0
	github.com/goccy/go-yaml v1.19.2
	github.com/google/uuid v1.6.0
	github.com/rogpeppe/go-internal v1.16.0
	golang.org/x/sync v0.24.0
)

// Siblings come from this checkout: go mod tidy does not read go.work.
replace github.com/faultline-lab/faultline/observability => ../observability
