package toolchain

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// withHome makes a folder count as Grafana's.
func withHome(t *testing.T, home string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Join(home, "conf"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(home, "conf", "defaults.ini"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
}

func folder(t *testing.T, parts ...string) string {
	t.Helper()
	dir := filepath.Join(parts...)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestAGrafanaIsTakenWithItsHome(t *testing.T) {
	for name, c := range map[string]struct{ bin, home, path string }{
		"of an archive":                               {"bin", ".", "bin/grafana"},
		"of a package":                                {"sbin", "share/grafana", "sbin/grafana"},
		"of a package whose command is a script":      {"usr/sbin", "usr/share/grafana", "usr/share/grafana/bin/grafana"},
		"of a package manager with a folder for each": {"cellar/grafana/11/bin", "cellar/grafana/11/share/grafana", "cellar/grafana/11/bin/grafana"},
	} {
		t.Run(name, func(t *testing.T) {
			root, err := filepath.EvalSymlinks(t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			dir := folder(t, root, c.bin)
			program(t, dir, "grafana", "grafana version 11.2.0")
			withHome(t, filepath.Join(root, c.home))
			program(t, folder(t, root, filepath.Dir(c.path)), "grafana", "grafana version 11.2.0")
			found, err := FindGrafana(t.Context(), Options{LookPath: onPath(dir, false)})
			if err != nil || found == nil {
				t.Fatalf("%v, %v", found, err)
			}
			if found.Home != filepath.Join(root, c.home) || found.Path != filepath.Join(root, c.path) || found.Version != "11.2.0" {
				t.Errorf("got %+v", *found)
			}
		})
	}
}

func TestAGrafanaThatDoesNotServeIsPassedOverWithTheReason(t *testing.T) {
	for name, c := range map[string]struct {
		version string
		home    bool
		says    string
	}{
		"because it is too old":          {"10.4.3", true, "version 10.4.3, and 11.0.0 or later is needed"},
		"because its home is not to see": {"11.2.0", false, "conf/defaults.ini"},
	} {
		t.Run(name, func(t *testing.T) {
			root := t.TempDir()
			dir := folder(t, root, "bin")
			program(t, dir, "grafana", "grafana version "+c.version)
			if c.home {
				withHome(t, root)
			}
			var progress bytes.Buffer
			found, err := FindGrafana(t.Context(), Options{LookPath: onPath(dir, false), Progress: &progress})
			if err != nil || found != nil || !strings.Contains(progress.String(), c.says) {
				t.Errorf("found %v, %v; said: %s", found, err, progress.String())
			}
		})
	}
}

func TestThatThereIsNoGrafanaIsNoError(t *testing.T) {
	var progress bytes.Buffer
	found, err := FindGrafana(t.Context(), Options{LookPath: onPath(t.TempDir(), false), Progress: &progress})
	if err != nil || found != nil || progress.Len() > 0 {
		t.Errorf("found %v, %v; said: %s", found, err, progress.String())
	}
}
