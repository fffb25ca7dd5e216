// Package promtest gives tests a real Prometheus that is filled with a history whose every figure is known.
package promtest

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Series is one series, a sample a second. Its value at a second is given by Value; false means that nobody scraped.
type Series struct {
	Name  string // with its labels: requests_total{code="200"}
	Value func(second int) (float64, bool)
}

// Counter is a series that grows by so much a second, from one second up to another.
func Counter(name string, perSecond float64, from, to int) Series {
	return Series{name, func(second int) (float64, bool) {
		return perSecond * float64(second-from), second >= from && second <= to
	}}
}

// Gauge is a series that always has one value.
func Gauge(name string, value float64) Series {
	return Series{name, func(int) (float64, bool) { return value, true }}
}

// Filled starts a Prometheus over the seconds 0 to last of the series, and returns its URL and when second 0 was. Without
// one in FAULTLINE_TOOLS_DIR or PATH the test is skipped; in CI that is a failure.
func Filled(t *testing.T, last int, series ...Series) (url string, start time.Time) {
	t.Helper()
	prometheus, promtool := tool(t, "prometheus"), tool(t, "promtool")
	dir := t.TempDir()
	text, blocks, config := filepath.Join(dir, "history.om"), filepath.Join(dir, "blocks"), filepath.Join(dir, "prometheus.yml")
	start = time.Now().Add(-time.Duration(last)*time.Second - time.Hour).Truncate(time.Minute).UTC()
	for path, content := range map[string][]byte{text: openMetrics(start, last, series), config: []byte("global: {scrape_interval: 1h}\n")} {
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	out, err := exec.CommandContext(t.Context(), promtool, "tsdb", "create-blocks-from", "openmetrics", text, blocks).CombinedOutput()
	if err != nil {
		t.Fatalf("promtool: %v\n%s", err, out)
	}
	address := freeAddress(t)
	var log bytes.Buffer
	command := exec.CommandContext(t.Context(), prometheus, "--config.file="+config, "--storage.tsdb.path="+blocks,
		"--web.listen-address="+address, "--log.level=warn")
	command.Stdout, command.Stderr = &log, &log
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	exited := make(chan struct{})
	go func() { _ = command.Wait(); close(exited) }()
	t.Cleanup(func() { _ = command.Process.Kill(); <-exited })
	for deadline := time.Now().Add(time.Minute); !ready(t, "http://"+address); time.Sleep(50 * time.Millisecond) {
		select {
		case <-exited:
			t.Fatalf("prometheus ended:\n%s", log.String())
		default:
		}
		if time.Now().After(deadline) {
			t.Fatal("prometheus is not ready after a minute")
		}
	}
	return "http://" + address, start
}

func openMetrics(start time.Time, last int, series []Series) []byte {
	var out bytes.Buffer
	for _, one := range series {
		for second := range last + 1 {
			if value, scraped := one.Value(second); scraped {
				fmt.Fprintf(&out, "%s %g %d\n", one.Name, value, start.Unix()+int64(second))
			}
		}
	}
	out.WriteString("# EOF\n")
	return out.Bytes()
}

func ready(t *testing.T, url string) bool {
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url+"/-/ready", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return false
	}
	_ = response.Body.Close()
	return response.StatusCode == http.StatusOK
}

func tool(t *testing.T, name string) string {
	t.Helper()
	if dir := os.Getenv("FAULTLINE_TOOLS_DIR"); dir != "" {
		path := filepath.Join(dir, name)
		if _, err := os.Stat(path); err != nil {
			t.Fatalf("FAULTLINE_TOOLS_DIR is set, but: %v", err)
		}
		return path
	}
	path, err := exec.LookPath(name)
	if err == nil {
		return path
	}
	text := fmt.Sprintf("NOT TESTED: reading figures from a real Prometheus. There is no %s on PATH; `make test` provides it, "+
		"or set FAULTLINE_TOOLS_DIR to the folder that holds it.", name)
	if strings.EqualFold(os.Getenv("CI"), "true") {
		t.Fatal(text)
	}
	t.Skip(text)
	return ""
}

func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}
