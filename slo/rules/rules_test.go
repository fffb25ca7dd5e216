package rules_test

import (
	"bytes"
	"flag"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/faultline-lab/faultline/slo/internal/promtool"
	"github.com/faultline-lab/faultline/slo/model"
	"github.com/faultline-lab/faultline/slo/profile"
	"github.com/faultline-lab/faultline/slo/rulefile"
	"github.com/faultline-lab/faultline/slo/rules"
	"github.com/faultline-lab/faultline/slo/specs"
)

var update = flag.Bool("update", false, "rewrite the rule files that are generated")

// profiles are what the overlays use, each with the folder of its rule tests.
var profiles = []struct {
	name     string
	interval time.Duration
	tests    string
}{
	{rules.Demo, time.Second, "testdata"},
	{rules.Production, 5 * time.Second, "testdata/production-5s"},
}

// rendered writes a profile's files into a folder of their own.
func rendered(t *testing.T, profile string, interval time.Duration) (dir string, names []string) {
	t.Helper()
	files, err := rules.Files(profile, interval)
	if err != nil {
		t.Fatal(err)
	}
	dir = t.TempDir()
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir, slices.Sorted(maps.Keys(files))
}

// What targets get is what is checked.
func TestPromtoolFindsNoFaultInTheRuleFiles(t *testing.T) {
	tool := promtool.Find(t)
	for _, profile := range profiles {
		dir, names := rendered(t, profile.name, profile.interval)
		for _, name := range names {
			t.Run(profile.name+" "+name, func(t *testing.T) {
				t.Parallel()
				run(t, tool, "check", "rules", "--lint=all", "--lint-fatal", filepath.Join(dir, name))
			})
		}
	}
}

// The tests name the rule files that lie beside them, so they are copied to where those were rendered.
func TestTheRulesFireAndStaySilentAsTheirTestsSay(t *testing.T) {
	tool := promtool.Find(t)
	for _, profile := range profiles {
		dir, _ := rendered(t, profile.name, profile.interval)
		for name, content := range ruleTests(t, profile.tests) {
			t.Run(profile.name+" "+name, func(t *testing.T) {
				t.Parallel()
				path := filepath.Join(dir, name)
				if err := os.WriteFile(path, content, 0o600); err != nil {
					t.Fatal(err)
				}
				run(t, tool, "test", "rules", path)
			})
		}
	}
}

// A rule file that no rule test names would pass untested. That the alerts of the SLOs fire when the formula says, in both
// profiles, is tested in slo/detection; here it is what they are about.
func TestEveryRuleFileHasARuleTest(t *testing.T) {
	for _, profile := range profiles {
		_, names := rendered(t, profile.name, profile.interval)
		var all strings.Builder
		for _, content := range ruleTests(t, profile.tests) {
			all.Write(content)
		}
		for _, name := range names {
			if profile.name == rules.Production && !slices.Contains([]string{"pool.rules.yml", "slo-checkout.rules.yml"}, name) {
				continue // the same expressions as in the demo profile, over other windows
			}
			if !regexp.MustCompile(`rule_files: \[.*` + regexp.QuoteMeta(name)).MatchString(all.String()) {
				t.Errorf("no file in %s names %s", profile.tests, name)
			}
		}
	}
}

func ruleTests(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, "*.test.yml"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("rule tests in %s: %v, %v", dir, paths, err)
	}
	tests := map[string][]byte{}
	for _, path := range paths {
		if tests[filepath.Base(path)], err = os.ReadFile(path); err != nil {
			t.Fatal(err)
		}
	}
	return tests
}

// What is committed is what the specs and the template give: for each profile of the SLOs, and for the pool at 1 s.
func TestTheCommittedFilesAreWhatIsGenerated(t *testing.T) {
	for name, folder := range map[string]string{rules.Demo: ".", rules.Production: "production"} {
		want := generated(t, name)
		if *update {
			replace(t, folder, want)
			continue
		}
		got := map[string][]byte{}
		for _, path := range found(t, folder) {
			content, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			got[filepath.Base(path)] = content
		}
		if !slices.Equal(slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(want))) {
			t.Errorf("%s has %v; the specs give %v: make generate", folder, slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(want)))
		}
		for file, content := range want {
			if !bytes.Equal(got[file], content) {
				t.Errorf("%s is stale: make generate", filepath.Join(folder, file))
			}
		}
	}
}

func generated(t *testing.T, name string) map[string][]byte {
	t.Helper()
	all, err := specs.Load()
	if err != nil {
		t.Fatal(err)
	}
	p, err := profile.Get(name)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{}
	for _, slo := range all {
		if files[rulefile.Name(slo)], err = rulefile.Render(slo, p, slo.Places.Of(model.AtName).File); err != nil {
			t.Fatal(err)
		}
	}
	if name == rules.Demo {
		shipped, err := rules.Files(rules.Demo, time.Second)
		if err != nil {
			t.Fatal(err)
		}
		for _, templated := range []string{"pool.rules.yml", "capacity.rules.yml"} {
			files[templated] = shipped[templated]
		}
	}
	return files
}

func found(t *testing.T, folder string) []string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(folder, "*.rules.yml"))
	if err != nil {
		t.Fatal(err)
	}
	return paths
}

func replace(t *testing.T, folder string, files map[string][]byte) {
	t.Helper()
	for _, path := range found(t, folder) {
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(folder, name), content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAProfileThatItsScrapesCannotFeedIsRefused(t *testing.T) {
	for name, test := range map[string]struct {
		profile  string
		interval time.Duration
		want     string
	}{
		"a profile that there is not":                   {"staging", time.Second, "use one of: demo, production"},
		"no interval":                                   {rules.Demo, 0, "use whole seconds"},
		"part of a second":                              {rules.Production, 1500 * time.Millisecond, "use whole seconds"},
		"two scrapes in the demo's window of 5 s":       {rules.Demo, 2 * time.Second, "scrape every 1s or more often"},
		"three scrapes in production's window of 5 min": {rules.Production, 76 * time.Second, "scrape every 1m15s or more often"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := rules.Files(test.profile, test.interval); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v; want ...%s...", err, test.want)
			}
		})
	}
}

func run(t *testing.T, tool string, args ...string) {
	t.Helper()
	output, err := exec.CommandContext(t.Context(), tool, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("promtool %s: %v\n%s", strings.Join(args, " "), err, output)
	}
}
