module github.com/faultline-lab/faultline/postmortems

go 1.26.0

require (
	github.com/faultline-lab/faultline/autoheal v0.0.0
	github.com/faultline-lab/faultline/observability v0.0.0
	github.com/rogpeppe/go-internal v1.16.0
)

require (
	github.com/alecthomas/kong v1.17.0 // indirect
	github.com/json-iterator/go v1.1.12 // indirect
	github.com/modern-go/concurrent v0.0.0-20180306012644-bacd9c7ef1dd // indirect
	github.com/modern-go/reflect2 v1.0.3-0.20250322232337-35a7c28c31ee // indirect
	github.com/prometheus/client_golang v1.25.0 // indirect
	github.com/prometheus/client_model v0.6.3 // indirect
	github.com/prometheus/common v0.73.1 // indirect
	golang.org/x/sys v0.49.0 // indirect
	golang.org/x/tools v0.52.0 // indirect
	google.golang.org/protobuf v1.36.12 // indirect
)

// Siblings come from this checkout: go mod tidy does not read go.work.
replace (
	github.com/faultline-lab/faultline/autoheal => ../autoheal
	github.com/faultline-lab/faultline/observability => ../observability
	github.com/faultline-lab/faultline/slo => ../slo
)
