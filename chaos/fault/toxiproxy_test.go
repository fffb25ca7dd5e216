package fault_test

import (
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// toxiproxy starts a real one on ports of its own, with the proxy orders-db before a server that echoes.
func toxiproxy(t *testing.T) (api, proxy string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				_, _ = io.Copy(conn, conn)
			}()
		}
	}()
	port := freePort(t)
	process := exec.Command(toxiproxyBinary(t), "-host", "127.0.0.1", "-port", port)
	process.Env = append(os.Environ(), "LOG_LEVEL=error")
	if err := process.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = process.Process.Kill(); _ = process.Wait() })
	api = "http://127.0.0.1:" + port
	eventually(t, "toxiproxy answers", func() bool {
		response, err := http.Get(api + "/version")
		if err == nil {
			_ = response.Body.Close()
		}
		return err == nil
	})
	post(t, api+"/proxies", `{"name":"orders-db","listen":"127.0.0.1:0","upstream":"`+listener.Addr().String()+`","enabled":true}`)
	return api, proxyAddress(t, api)
}

func toxiproxyBinary(t *testing.T) string {
	t.Helper()
	if dir := os.Getenv("FAULTLINE_TOOLS_DIR"); dir != "" {
		path := filepath.Join(dir, "toxiproxy")
		if _, err := os.Stat(path); err == nil {
			return path
		}
	}
	path, err := exec.LookPath("toxiproxy-server")
	if err == nil {
		return path
	}
	if os.Getenv("CI") == "true" {
		t.Fatal("no toxiproxy: set FAULTLINE_TOOLS_DIR to the folder that holds it; in CI a real one is a must")
	}
	t.Skip("NOT TESTED: what toxics do on a real Toxiproxy. `make tools` builds one; FAULTLINE_TOOLS_DIR says where it is.")
	return ""
}

func freePort(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	_, port, err := net.SplitHostPort(listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}

func post(t *testing.T, url, body string) {
	t.Helper()
	response, err := http.Post(url, "application/json", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode/100 != 2 {
		text, _ := io.ReadAll(response.Body)
		t.Fatalf("POST %s: %s: %s", url, response.Status, text)
	}
}

func proxyAddress(t *testing.T, api string) string {
	t.Helper()
	response, err := http.Get(api + "/proxies/orders-db")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var proxy struct {
		Listen string `json:"listen"`
	}
	if err := json.NewDecoder(response.Body).Decode(&proxy); err != nil {
		t.Fatal(err)
	}
	return proxy.Listen
}
