// Package stacktest starts the real Prometheus, Alertmanager, Loki and Jaeger for a test, with the configuration that
// stackconfig renders, on free ports, and ends them with the test.
package stacktest

import (
	"context"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"
)

// Binary finds a program in FAULTLINE_TOOLS_DIR or on PATH. Without it the test is skipped, or fails in CI.
func Binary(t *testing.T, name string) string {
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
	if os.Getenv("CI") == "true" {
		t.Fatalf("no %s: set FAULTLINE_TOOLS_DIR to the folder that holds it", name)
	}
	t.Skipf("NOT TESTED: %s against the real %s, which is not on PATH. `make test` provides it, "+
		"or set FAULTLINE_TOOLS_DIR to the folder that holds it.", t.Name(), name)
	return ""
}

// Process is one running program.
type Process struct {
	PID   int
	Ports []int  // where it was told to listen, all on 127.0.0.1
	URL   string // of its first port
}

// Start runs a program until the test ends, and waits until ready (a path on its first port) answers 200.
func Start(t *testing.T, path string, args, env []string, ready string, readyPort int, ports ...int) Process {
	t.Helper()
	logs, err := os.Create(filepath.Join(t.TempDir(), filepath.Base(path)+".log"))
	if err != nil {
		t.Fatal(err)
	}
	command := exec.CommandContext(context.WithoutCancel(t.Context()), path, args...) // ended by the clean-up
	command.Stdout, command.Stderr = logs, logs
	command.Env = append(os.Environ(), env...)
	// Its own process group, so that Ctrl-C at the test does not end it before the test has.
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { defer close(ended); _ = command.Wait() }()
	t.Cleanup(func() {
		_ = command.Process.Signal(syscall.SIGTERM)
		select {
		case <-ended:
		case <-time.After(20 * time.Second):
			t.Errorf("%s did not end after SIGTERM", path)
			_ = command.Process.Kill()
			<-ended
		}
		logs.Close()
	})
	address := "http://127.0.0.1:" + strconv.Itoa(readyPort) + ready
	for deadline := time.Now().Add(60 * time.Second); !answers(address); time.Sleep(20 * time.Millisecond) {
		select {
		case <-ended:
		default:
			if time.Now().Before(deadline) {
				continue
			}
		}
		text, _ := os.ReadFile(logs.Name())
		t.Fatalf("%s did not become ready at %s:\n%s", path, address, text)
	}
	return Process{PID: command.Process.Pid, Ports: ports, URL: "http://127.0.0.1:" + strconv.Itoa(ports[0])}
}

func answers(url string) bool {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return false
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return false
	}
	response.Body.Close()
	return response.StatusCode == http.StatusOK
}

// FreePorts finds ports that nobody listens on, below the range from which the kernel takes ports for outgoing
// connections, so that none is taken between now and the program's start.
func FreePorts(t *testing.T, count int) []int {
	t.Helper()
	var ports []int
	for len(ports) < count {
		port := 20000 + rand.IntN(12000)
		if !slices.Contains(ports, port) && free(t, port) {
			ports = append(ports, port)
		}
	}
	return ports
}

func free(t *testing.T, port int) bool {
	t.Helper()
	var config net.ListenConfig
	listener, err := config.Listen(t.Context(), "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		return false
	}
	return listener.Close() == nil
}
