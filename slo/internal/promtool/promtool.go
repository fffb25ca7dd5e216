// Package promtool finds the real promtool for tests: rules are only worth what the real engine says of them.
package promtool

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// Find is the path of promtool, from FAULTLINE_TOOLS_DIR or PATH. Without one the test is skipped, in CI it fails.
func Find(t *testing.T) string {
	t.Helper()
	if dir := os.Getenv("FAULTLINE_TOOLS_DIR"); dir != "" {
		path := filepath.Join(dir, "promtool")
		if _, err := os.Stat(path); err != nil {
			t.Fatalf("FAULTLINE_TOOLS_DIR is set, but: %v", err)
		}
		return path
	}
	path, err := exec.LookPath("promtool")
	if err == nil {
		return path
	}
	if os.Getenv("CI") == "true" {
		t.Fatal("no promtool: set FAULTLINE_TOOLS_DIR to the folder that holds it")
	}
	t.Skip("NOT TESTED: that the alert rules fire and stay silent when they should. There is no promtool on PATH; " +
		"`make test` provides it, or set FAULTLINE_TOOLS_DIR to the folder that holds it.")
	return ""
}
