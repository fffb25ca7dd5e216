package stackconfig

import (
	"errors"
	"fmt"
)

// JaegerParams are what differs between one Jaeger and another.
type JaegerParams struct {
	Host                         string // empty means 127.0.0.1
	OTLPGRPCPort, OTLPHTTPPort   int
	QueryHTTPPort, QueryGRPCPort int
	MetricsPort, HealthPort      int
	// MaxTraces bounds the memory store; 0 means DefaultMaxTraces.
	MaxTraces int
}

// DefaultMaxTraces is how many traces Jaeger keeps.
const DefaultMaxTraces = 4000

// Jaeger renders jaeger.yml.
func Jaeger(p JaegerParams) ([]byte, error) {
	if p.Host == "" {
		p.Host = "127.0.0.1"
	}
	if p.MaxTraces == 0 {
		p.MaxTraces = DefaultMaxTraces
	}
	if p.MaxTraces < 0 {
		return nil, fmt.Errorf("stackconfig: Jaeger: MaxTraces is %d: without a bound its memory grows for ever", p.MaxTraces)
	}
	if err := errors.Join(
		validPort("Jaeger's OTLPGRPCPort", p.OTLPGRPCPort), validPort("Jaeger's OTLPHTTPPort", p.OTLPHTTPPort),
		validPort("Jaeger's QueryHTTPPort", p.QueryHTTPPort), validPort("Jaeger's QueryGRPCPort", p.QueryGRPCPort),
		validPort("Jaeger's MetricsPort", p.MetricsPort), validPort("Jaeger's HealthPort", p.HealthPort)); err != nil {
		return nil, err
	}
	return render("jaeger.yml.tmpl", p)
}

// JaegerArgs are Jaeger's flags.
func JaegerArgs(configFile string) []string {
	return []string{"--config=" + configFile}
}

// JaegerEnv is Jaeger's environment: a Go heap that is collected early, because the trace store is long-lived and each
// percent of GOGC is a percent of it.
func JaegerEnv() []string { return []string{"GOGC=40", "GOMEMLIMIT=150MiB"} }
