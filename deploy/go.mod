module github.com/faultline-lab/faultline/deploy

go 1.26.0

require (
	github.com/cenkalti/backoff/v5 v5.0.3
	github.com/faultline-lab/faultline/observability v0.0.0
	github.com/faultline-lab/faultline/slo v0.0.0
	github.com/go-chi/chi/v5 v5.5.0
	github.com/google/uuid v1.6.0
	github.com/jackc/pgx/v5 v5.12.0
	github.com/oklog/run v1.2.0
	github.com/rogpeppe/go-internal v1.16.0
	golang.org/x/sync v0.24.0
	golang.org/x/sys v0.49.0
	golang.org/x/term v0.47.0
)

require (
	github.com/alecthomas/kong v1.17.0 // indirect
	github.com/jackc/pgpassfile v1.0.0 // indirect
	github.com/jackc/pgservicefile v0.0.0-20240606120523-5a60cdf6a761 // indirect
	github.com/prometheus/client_model v0.6.3 // indirect
	github.com/prometheus/common v0.73.1 // indirect
	golang.org/x/text v0.43.0 // indirect
	golang.org/x/tools v0.51.0 // indirect
	google.golang.org/protobuf v1.36.12 // indirect
)

// Siblings come from this checkout: go mod tidy does not read go.work.
replace (
	github.com/faultline-lab/faultline/observability => ../observability
	github.com/faultline-lab/faultline/slo => ../slo
)
