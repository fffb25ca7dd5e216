package stackconfig_test

import (
	"encoding/hex"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/faultline-lab/faultline/observability/internal/stacktest"
	"github.com/faultline-lab/faultline/observability/stackconfig"
)

// Each of the four is started for real: a key that a version does not know, or a port that nobody asked for, shows here.
func TestTheProgramsStartAndListenOnlyWhereTheyWereTold(t *testing.T) {
	for name, start := range map[string]func(t *testing.T) stacktest.Process{
		"prometheus": func(t *testing.T) stacktest.Process {
			return stacktest.Prometheus(t, stackconfig.PrometheusParams{
				DiscoveryURL: "http://127.0.0.1:1/v1/discovery", RuleFiles: []string{"/nowhere/*.rules.yml"},
				AlertmanagerAddress: "127.0.0.1:1",
				StackTargets:        []stackconfig.StackTarget{{Job: "loki", Address: "127.0.0.1:1"}},
			})
		},
		"alertmanager": func(t *testing.T) stacktest.Process {
			return stacktest.Alertmanager(t, stackconfig.AlertmanagerParams{
				WebhookURL: "http://127.0.0.1:1/webhook/alertmanager", WebhookTokenFile: "/nowhere/token",
			})
		},
		"loki":   stacktest.Loki,
		"jaeger": stacktest.Jaeger,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			process := start(t)
			if runtime.GOOS != "linux" {
				t.Skip("NOT TESTED: which ports are open. That is read from /proc, which only Linux has.")
			}
			var want []string
			for _, port := range process.Ports {
				want = append(want, fmt.Sprintf("127.0.0.1:%d", port))
			}
			slices.Sort(want)
			if got := listening(t, process.PID); !slices.Equal(got, want) {
				t.Errorf("listens on %v, was told %v", got, want)
			}
		})
	}
}

// listening reads a process's TCP listeners from /proc (proc(5), /proc/net/tcp).
func listening(t *testing.T, pid int) []string {
	t.Helper()
	mine := map[string]bool{}
	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if target, err := os.Readlink(file); err == nil {
			mine[strings.TrimSuffix(strings.TrimPrefix(target, "socket:["), "]")] = true
		}
	}
	var addresses []string
	for _, table := range []string{"tcp", "tcp6"} {
		data, err := os.ReadFile(fmt.Sprintf("/proc/%d/net/%s", pid, table))
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(data)) {
			fields := strings.Fields(line)
			if len(fields) > 9 && fields[3] == "0A" && mine[fields[9]] {
				addresses = append(addresses, address(t, fields[1]))
			}
		}
	}
	slices.Sort(addresses)
	return addresses
}

// address turns "0100007F:1F90" into 127.0.0.1:8080; each four bytes are in the machine's order, which is little-endian
// wherever this runs.
func address(t *testing.T, text string) string {
	t.Helper()
	host, port, _ := strings.Cut(text, ":")
	ip, err := hex.DecodeString(host)
	if err != nil {
		t.Fatal(err)
	}
	for word := range slices.Chunk(ip, 4) {
		slices.Reverse(word)
	}
	number, err := strconv.ParseUint(port, 16, 16)
	if err != nil {
		t.Fatal(err)
	}
	return net.JoinHostPort(net.IP(ip).String(), strconv.FormatUint(number, 10))
}

// The path of an alert, with real parts from the rule to the webhook and its token.
func TestAnAlertReachesTheWebhookWithItsToken(t *testing.T) {
	token := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(token, []byte("s3cret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	rule := filepath.Join(t.TempDir(), "test.rules.yml")
	if err := os.WriteFile(rule, []byte(
		"groups:\n- name: g\n  rules:\n  - alert: Always\n    expr: vector(1)\n    labels: {workload: orders}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	said := make(chan string, 10)
	webhook := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case said <- r.Header.Get("Authorization"):
		default:
		}
	}))
	defer webhook.Close()
	alertmanager := stacktest.Alertmanager(t, stackconfig.AlertmanagerParams{WebhookURL: webhook.URL, WebhookTokenFile: token})
	stacktest.Prometheus(t, stackconfig.PrometheusParams{
		RuleFiles: []string{rule}, AlertmanagerAddress: strings.TrimPrefix(alertmanager.URL, "http://"),
	})
	select {
	case got := <-said:
		if got != "Bearer s3cret" {
			t.Errorf("the webhook was called with %q", got)
		}
	case <-time.After(time.Minute):
		t.Fatal("the webhook was not called")
	}
}
