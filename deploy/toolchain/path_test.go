package toolchain

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// onPath is a PATH of one folder, plus go where that is wanted.
func onPath(dir string, withGo bool) func(string) (string, error) {
	return func(name string) (string, error) {
		if name == "go" && withGo {
			return exec.LookPath("go")
		}
		path := filepath.Join(dir, name)
		if _, err := os.Stat(path); err != nil {
			return "", &exec.Error{Name: name, Err: exec.ErrNotFound}
		}
		return path, nil
	}
}

// program puts a program on that PATH which prints its version.
func program(t *testing.T, dir, name, output string) {
	t.Helper()
	text := "#!/bin/sh\necho '" + output + "'\n"
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
}

func TestAProgramOnPathThatServesIsTaken(t *testing.T) {
	dir := t.TempDir()
	program(t, dir, "prometheus", "prometheus, version 3.5.0 (branch: HEAD)")
	program(t, dir, "toxiproxy-server", "toxiproxy-server version 2.9.0")
	found, err := Ensure(t.Context(), Options{CacheDir: t.TempDir(), LookPath: onPath(dir, false)}, Prometheus, Toxiproxy)
	if err != nil {
		t.Fatal(err)
	}
	for name, version := range map[Name]string{Prometheus: "3.5.0", Toxiproxy: "2.9.0"} {
		tool := found[name]
		if tool.Origin != FromPath || tool.Version != version || filepath.Dir(tool.Path) != dir {
			t.Errorf("got %+v", tool)
		}
	}
}

func TestWithoutGoTheErrorNamesTheWaysOut(t *testing.T) {
	dir := t.TempDir()
	program(t, dir, "prometheus", "prometheus, version 2.42.0+ds (branch: debian/sid)")
	var progress bytes.Buffer
	_, err := Ensure(t.Context(), Options{CacheDir: t.TempDir(), LookPath: onPath(dir, false), Progress: &progress},
		Prometheus, Loki)
	if !errors.Is(err, ErrNoGo) {
		t.Fatalf("got %v", err)
	}
	for _, want := range []string{"prometheus 3.0.0 or later", "loki 3.0.0 or later", "Install Go", "package manager"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in:\n%v", want, err)
		}
	}
	if want := "version 2.42.0, and 3.0.0 or later is needed"; !strings.Contains(progress.String(), want) {
		t.Errorf("%q was not said; said was: %s", want, progress.String())
	}
}

func TestAProgramOfTheClusterIsNeverTakenFromPath(t *testing.T) {
	dir := t.TempDir()
	program(t, dir, "etcd", "etcd Version: 3.6.5")
	_, err := Ensure(t.Context(), Options{CacheDir: t.TempDir(), LookPath: onPath(dir, false)}, Etcd)
	if !errors.Is(err, ErrNoGo) || !strings.Contains(err.Error(), "etcd 3.6.5, which is only ever built") {
		t.Errorf("got %v", err)
	}
}

func TestAnUnknownProgramIsAnError(t *testing.T) {
	if _, err := Ensure(t.Context(), Options{CacheDir: t.TempDir()}, "grafana"); err == nil {
		t.Error("no error")
	}
}

func TestAnEndedContextIsAnErrorAndNotAnEmptyAnswer(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Ensure(ctx, Options{CacheDir: t.TempDir()}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestListShowsWhatIsThereAndWhatWouldBeBuilt(t *testing.T) {
	dir := t.TempDir()
	program(t, dir, "loki", "loki, version 3.5.1 (branch: x)")
	program(t, dir, "jaeger", "{}")
	var out bytes.Buffer
	if err := List(t.Context(), Options{CacheDir: t.TempDir(), LookPath: onPath(dir, true)}, &out); err != nil {
		t.Fatal(err)
	}
	rows := map[string]string{}
	for line := range strings.Lines(out.String()) {
		if fields := strings.Fields(line); len(fields) > 0 {
			rows[fields[0]] = strings.Join(fields, " ")
		}
	}
	for first, want := range map[string]string{
		"loki":       "loki 3.5.1 PATH " + filepath.Join(dir, "loki"),
		"prometheus": "prometheus 3.16.0 to be built github.com/prometheus/prometheus@v0.316.0",
		"jaeger:":    "jaeger: " + filepath.Join(dir, "jaeger") + ` is not used: it does not say its version: "{}"`,
	} {
		if rows[first] != want {
			t.Errorf("got  %q\nwant %q", rows[first], want)
		}
	}
}

func TestGoEnvironmentKeepsTheCallersAndDropsWhatChangesTheBuild(t *testing.T) {
	got := map[string]string{}
	for _, entry := range goEnvironment([]string{
		"HOME=/home/me", "GOPROXY=https://example.org", "GOWORK=/w/go.work", "GOOS=plan9",
		"GOFLAGS=-mod=vendor -overlay=x.json", "GOAMD64=v3",
	}) {
		name, value, _ := strings.Cut(entry, "=")
		got[name] = value
	}
	for name, want := range map[string]string{
		"HOME": "/home/me", "GOPROXY": "https://example.org", "GOWORK": "off", "GOFLAGS": "", "GOAMD64": "", "CGO_ENABLED": "0",
	} {
		if got[name] != want {
			t.Errorf("%s is %q, want %q", name, got[name], want)
		}
	}
	if got["GOOS"] == "plan9" {
		t.Error("GOOS is the caller's")
	}
	if _, set := got["GOSUMDB"]; set {
		t.Error("GOSUMDB is set")
	}
}
