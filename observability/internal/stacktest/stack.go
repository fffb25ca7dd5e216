package stacktest

import (
	"net"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/faultline-lab/faultline/observability/stackconfig"
)

// Prometheus starts one; Interval and the like come from params.
func Prometheus(t *testing.T, params stackconfig.PrometheusParams) Process {
	t.Helper()
	binary, port := Binary(t, "prometheus"), FreePorts(t, 1)[0]
	config, err := stackconfig.Prometheus(params)
	args := stackconfig.PrometheusArgs(write(t, "prometheus.yml", config, err), t.TempDir(), local(port))
	return Start(t, binary, args, nil, "/-/ready", port, port)
}

// Alertmanager starts one.
func Alertmanager(t *testing.T, params stackconfig.AlertmanagerParams) Process {
	t.Helper()
	binary, port := Binary(t, "alertmanager"), FreePorts(t, 1)[0]
	config, err := stackconfig.Alertmanager(params)
	args := stackconfig.AlertmanagerArgs(write(t, "alertmanager.yml", config, err), t.TempDir(), local(port))
	return Start(t, binary, args, nil, "/-/ready", port, port)
}

// Loki starts one.
func Loki(t *testing.T) Process {
	t.Helper()
	binary, ports := Binary(t, "loki"), FreePorts(t, 2)
	config, err := stackconfig.Loki(stackconfig.LokiParams{HTTPPort: ports[0], GRPCPort: ports[1], DataDir: t.TempDir()})
	args := stackconfig.LokiArgs(write(t, "loki.yml", config, err))
	return Start(t, binary, args, stackconfig.LokiEnv(), "/ready", ports[0], ports...)
}

// Jaeger starts one. Its first port is the query API's, its second that of OTLP over HTTP.
func Jaeger(t *testing.T) Process {
	t.Helper()
	binary, ports := Binary(t, "jaeger"), FreePorts(t, 6)
	config, err := stackconfig.Jaeger(stackconfig.JaegerParams{
		QueryHTTPPort: ports[0], OTLPHTTPPort: ports[1], OTLPGRPCPort: ports[2], QueryGRPCPort: ports[3],
		MetricsPort: ports[4], HealthPort: ports[5],
	})
	args := stackconfig.JaegerArgs(write(t, "jaeger.yml", config, err))
	return Start(t, binary, args, stackconfig.JaegerEnv(), "/status", ports[5], ports...)
}

func write(t *testing.T, name string, config []byte, err error) string {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, config, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func local(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }
