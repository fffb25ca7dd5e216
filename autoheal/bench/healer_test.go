package bench

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

const secret = "secret"

// healer is an autoheal of its own process with nobody around it: what it asks for evidence is away, so that each incident ends
// with a person.
type healer struct {
	url, storePath string
	process        *exec.Cmd
}

var listening = regexp.MustCompile(`"address":"(127\.0\.0\.1:\d+)"`)

func start(b *testing.B) *healer {
	b.Helper()
	dir := b.TempDir()
	program, tokens := filepath.Join(dir, "autoheal"), filepath.Join(dir, "token")
	if out, err := exec.CommandContext(b.Context(), "go", "build", "-o", program, "../cmd/autoheal").CombinedOutput(); err != nil {
		b.Fatalf("%v: %s", err, out)
	}
	if err := os.WriteFile(tokens, []byte(secret), 0o600); err != nil {
		b.Fatal(err)
	}
	away := nowhere(b)
	h := &healer{storePath: filepath.Join(dir, "store.db")}
	h.process = exec.CommandContext(b.Context(), program, "serve", "--listen=127.0.0.1:0", "--store="+h.storePath,
		"--webhook-token-file="+tokens, "--control-token-file="+tokens, "--control-url=http://"+away, "--prometheus-url=http://"+away,
		"--edge-metrics-url=http://"+away+"/metrics", "--database-admin-url=postgres://u@"+away+"/db")
	out, err := h.process.StdoutPipe()
	if err == nil {
		err = h.process.Start()
	}
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = h.process.Process.Kill() }) // where it has not ended by itself
	lines := bufio.NewScanner(out)
	for h.url == "" && lines.Scan() {
		if found := listening.FindStringSubmatch(lines.Text()); found != nil {
			h.url = "http://" + found[1]
		}
	}
	if h.url == "" {
		b.Fatal("it ended before it listened")
	}
	go func() { _, _ = io.Copy(io.Discard, out) }() // a full pipe would hold it up
	return h
}

// nowhere is an address at which nobody answers.
func nowhere(b *testing.B) string {
	b.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// ended waits until so many incidents are with a person.
func (h *healer) ended(b *testing.B, n int) {
	b.Helper()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		res, err := http.Get(h.url + "/metrics")
		if err != nil {
			b.Fatal(err)
		}
		page, err := io.ReadAll(res.Body)
		_ = res.Body.Close() // it is read to its end
		if err != nil {
			b.Fatal(err)
		}
		if strings.Contains(string(page), fmt.Sprintf(`autoheal_incidents_total{cause="inconclusive",outcome="handed-over"} %d`, n)) {
			return
		}
	}
	b.Fatal("the incident does not end")
}

// peak is the most memory that the process has had in RAM (VmHWM of Linux).
func (h *healer) peak(b *testing.B) int64 {
	b.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", h.process.Process.Pid))
	if err != nil {
		b.Skipf("only Linux says how much memory a process had at most: %v", err)
	}
	for line := range strings.Lines(string(status)) {
		if text, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kilobytes, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(text), " kB"), 10, 64)
			if err != nil {
				b.Fatal(err)
			}
			return kilobytes << 10
		}
	}
	b.Fatal("there is no VmHWM")
	return 0
}

// stop ends it in order; kill does not.
func (h *healer) stop(b *testing.B) {
	b.Helper()
	if err := h.process.Process.Signal(syscall.SIGTERM); err != nil {
		b.Fatal(err)
	}
	if err := h.process.Wait(); err != nil {
		b.Fatalf("it ended with %v", err)
	}
}

func (h *healer) kill(b *testing.B) {
	b.Helper()
	if err := h.process.Process.Kill(); err != nil {
		b.Fatal(err)
	}
	_ = h.process.Wait() // killed is how it should have ended
}
