package rules_test

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/faultline-lab/faultline/slo/rules"
)

// promtool finds the real promtool, or skips: the rules are only worth what the real engine says of them.
func promtool(t *testing.T) string {
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

func TestPromtoolFindsNoFaultInTheRuleFiles(t *testing.T) {
	tool := promtool(t)
	files, err := fs.Glob(rules.FS, "*.rules.yml")
	if err != nil || len(files) == 0 {
		t.Fatalf("embedded rule files: %v, %v", files, err)
	}
	for _, name := range files {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			data, err := rules.FS.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			// The embedded copy is what targets get; so it is that which is checked.
			path := filepath.Join(t.TempDir(), name)
			if err := os.WriteFile(path, data, 0o600); err != nil {
				t.Fatal(err)
			}
			run(t, tool, "check", "rules", "--lint=all", "--lint-fatal", path)
		})
	}
}

func TestTheRulesFireAndStaySilentAsTheirTestsSay(t *testing.T) {
	tool := promtool(t)
	files, err := filepath.Glob("testdata/*.test.yml")
	if err != nil || len(files) == 0 {
		t.Fatalf("rule tests: %v, %v", files, err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			run(t, tool, "test", "rules", file)
		})
	}
}

// A rule test that names no case of a rule file would let that file pass untested.
func TestEveryRuleFileHasARuleTest(t *testing.T) {
	files, err := fs.Glob(rules.FS, "*.rules.yml")
	if err != nil {
		t.Fatal(err)
	}
	tests, err := filepath.Glob("testdata/*.test.yml")
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, test := range tests {
		data, err := os.ReadFile(test)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(data)
	}
	for _, file := range files {
		if !strings.Contains(all.String(), "../"+file) {
			t.Errorf("no file in testdata names %s", file)
		}
	}
}

func run(t *testing.T, tool string, args ...string) {
	t.Helper()
	output, err := exec.CommandContext(t.Context(), tool, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("promtool %s: %v\n%s", strings.Join(args, " "), err, output)
	}
}
