module github.com/faultline-lab/faultline/e2e

go 1.26.0

require (
	github.com/faultline-lab/faultline/autoheal v0.0.0
	github.com/faultline-lab/faultline/chaos v0.0.0
	github.com/faultline-lab/faultline/deploy v0.0.0
	github.com/faultline-lab/faultline/observability v0.0.0
	github.com/faultline-lab/faultline/slo v0.0.0
	github.com/goccy/go-yaml v1.19.2
	golang.org/x/term v0.47.0
)

require (
	github.com/alecthomas/kong v1.17.0 // indirect
	github.com/google/uuid v1.6.0 // indirect
	github.com/jackc/pgpassfile v1.0.0 // indirect
	github.com/jackc/pgservicefile v0.0.0-20240606120523-5a60cdf6a761 // indirect
	github.com/jackc/pgx/v5 v5.12.0 // indirect
	github.com/json-iterator/go v1.1.12 // indirect
	github.com/modern-go/concurrent v0.0.0-20180306012644-bacd9c7ef1dd // indirect
	github.com/modern-go/reflect2 v1.0.2 // indirect
	github.com/prometheus/client_golang v1.25.0 // indirect
	github.com/prometheus/client_model v0.6.3 // indirect
	github.com/prometheus/common v0.73.1 // indirect
	golang.org/x/sys v0.49.0 // indirect
	golang.org/x/text v0.43.0 // indirect
	google.golang.org/protobuf v1.36.12 // indirect
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
