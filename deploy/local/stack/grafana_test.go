package stack

import (
	"context"
	"encoding/json"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/faultline-lab/faultline/deploy/local/hostproc"
	"github.com/faultline-lab/faultline/deploy/local/ports"
	"github.com/faultline-lab/faultline/deploy/local/process"
	"github.com/faultline-lab/faultline/deploy/local/supervisor"
	dashboards "github.com/faultline-lab/faultline/observability/grafana"
)

func TestMain(m *testing.M) {
	if os.Getenv("GF_PATHS_DATA") != "" {
		standInForGrafana()
	}
	os.Exit(m.Run())
}

// given is what a Grafana was started with.
type given struct {
	Args, Env, Files []string
}

// standInForGrafana is no Grafana: it answers where one would, and tells what it was given. It shows that the process is
// started as it should be, and nothing of what Grafana makes of that.
func standInForGrafana() {
	provisioning := os.Getenv("GF_PATHS_PROVISIONING")
	got := given{Args: os.Args[1:], Env: os.Environ()}
	_ = filepath.WalkDir(provisioning, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			path, err = filepath.Rel(provisioning, path)
			got.Files = append(got.Files, path)
		}
		return err
	})
	mux := http.NewServeMux()
	mux.HandleFunc("/api/health", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("/given", func(w http.ResponseWriter, _ *http.Request) { _ = json.NewEncoder(w).Encode(got) })
	server := http.Server{
		Addr:    net.JoinHostPort(os.Getenv("GF_SERVER_HTTP_ADDR"), os.Getenv("GF_SERVER_HTTP_PORT")),
		Handler: mux, ReadHeaderTimeout: time.Second,
	}
	_ = server.ListenAndServe()
	os.Exit(1)
}

type nobody struct{}

func (nobody) Started(hostproc.ID, syscall.Signal) error { return nil }
func (nobody) Ended(hostproc.ID)                         {}

// withGrafana is a configuration in which this test's own program stands in for one.
func withGrafana(t *testing.T) Config {
	t.Helper()
	cfg := config(t)
	var err error
	if cfg.Ports, err = ports.Free(t.Context()); err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cfg.Tools.Grafana = &Grafana{Binary: self, Home: "/opt/grafana"}
	return cfg
}

func TestAGrafanaIsRunWithItsFilesAndSettingsAndNobodyWaitsForIt(t *testing.T) {
	cfg := withGrafana(t)
	var two []supervisor.Part
	for name, part := range parts(t, cfg) {
		if name == "configuration" || name == "grafana" {
			two = append(two, part)
		}
		if slices.Contains(part.Needs, "grafana") {
			t.Errorf("%s needs it", name)
		}
	}
	launcher, err := process.NewLauncher(nobody{})
	if err != nil {
		t.Fatal(err)
	}
	defer launcher.Close()
	overseer, err := supervisor.New(supervisor.Config{
		Parts: two, Starter: launcher, NewID: uuid.NewString, StateDir: cfg.Folders.State, LogDir: t.TempDir(),
		Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := overseer.Stop(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	}()
	if err := overseer.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	checkGiven(t, cfg, ask(t, cfg.Ports.URL(ports.Grafana)+"/given"))
}

// ask asks until there is an answer.
func ask(t *testing.T, url string) given {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			if time.Now().After(deadline) {
				t.Fatal(err)
			}
			continue
		}
		defer response.Body.Close()
		var got given
		if err := json.NewDecoder(response.Body).Decode(&got); err != nil {
			t.Fatal(err)
		}
		return got
	}
}

func checkGiven(t *testing.T, cfg Config, got given) {
	t.Helper()
	if want := []string{"server", "--homepath=/opt/grafana"}; !slices.Equal(got.Args, want) {
		t.Errorf("its arguments are %q, want %q", got.Args, want)
	}
	state := filepath.Join(cfg.Folders.State, "grafana")
	for _, setting := range []string{
		"GF_PATHS_DATA=" + filepath.Join(state, "data"), "GF_PATHS_PROVISIONING=" + filepath.Join(state, "provisioning"),
		"GF_SERVER_HTTP_ADDR=127.0.0.1", testMark,
	} {
		if !slices.Contains(got.Env, setting) {
			t.Errorf("it is not told %s", setting)
		}
	}
	for _, board := range dashboards.Dashboards() {
		if !slices.Contains(got.Files, "dashboards/"+board.File) {
			t.Errorf("it finds no %s among %q", board.File, got.Files)
		}
	}
	sources, err := os.ReadFile(filepath.Join(state, "provisioning", "datasources", "faultline.yaml"))
	if err != nil || !strings.Contains(string(sources), cfg.Ports.URL(ports.Loki)) {
		t.Errorf("its data sources (%v) do not lead to this stack:\n%s", err, sources)
	}
	if info, err := os.Stat(filepath.Join(state, "data")); err != nil || !info.IsDir() {
		t.Errorf("it has no folder for its data: %v", err)
	}
}

func TestWithoutAGrafanaThereIsNoneAndNobodyIsSentToIt(t *testing.T) {
	cfg := config(t)
	if _, there := parts(t, cfg)["grafana"]; there || Address(cfg).Endpoints.Grafana != "" {
		t.Errorf("a part: %v, its address: %q", there, Address(cfg).Endpoints.Grafana)
	}
	if got := Address(withGrafana(t)).Endpoints.Grafana; got == "" {
		t.Error("where there is one, its address is not said")
	}
}
