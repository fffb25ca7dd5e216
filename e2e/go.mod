module github.com/faultline-lab/faultline/e2e

go 1.26.0

require (
	github.com/alecthomas/kong v1.17.0
	github.com/faultline-lab/faultline/apps v0.0.0
	github.com/faultline-lab/faultline/autoheal v0.0.0
	github.com/faultline-lab/faultline/chaos v0.0.0
	github.com/faultline-lab/faultline/deploy v0.0.0
	github.com/faultline-lab/faultline/observability v0.0.0
	github.com/faultline-lab/faultline/postmortems v0.0.0
	github.com/faultline-lab/faultline/slo v0.0.0
	github.com/goccy/go-yaml v1.19.2
	github.com/google/uuid v1.6.0
	github.com/rogpeppe/go-internal v1.16.0
	golang.org/x/sync v0.24.0
	golang.org/x/term v0.47.0
)

// Siblings come from this checkout: go mod tidy does not read go.work.
replace (
	github.com/faultline-lab/faultline/apps => ../apps
	github.com/faultline-lab/faultline/autoheal => ../autoheal
	github.com/faultline-lab/faultline/chaos => ../chaos
	github.com/faultline-lab/faultline/deploy => ../deploy
	github.com/faultline-lab/faultline/observability => ../observability
	github.com/faultline-lab/faultline/postmortems => ../postmortems
	github.com/faultline-lab/faultline/slo => ../slo
)
