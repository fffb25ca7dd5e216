package engine

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/faultline-lab/faultline/deploy/toolchain/progress"
)

func TestWhetherTheMachineGivesCapSysResource(t *testing.T) {
	for name, test := range map[string]struct {
		status string
		lacks  bool
		fails  bool
	}{
		"all capabilities": {"CapEff:\t0000000000000000\nCapBnd:\t000001ffffffffff\n", false, false},
		"all but that":     {"CapBnd:\t000001fffeffffff\n", true, false},
		"nothing is said":  {"Name:\tinit\n", false, true},
		"nonsense":         {"CapBnd:\tmany\n", false, true},
	} {
		lacks, err := lacksResource(test.status)
		if (err != nil) != test.fails || err == nil && lacks != test.lacks {
			t.Errorf("%s: got %v, %v", name, lacks, err)
		}
	}
}

func TestAConfigurationThatIsNotOursStaysAsItIs(t *testing.T) {
	s := &setup{root: t.TempDir(), line: progress.New(nil)}
	path := s.at(configuration)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	const theirs = `{"data-root": "/srv/docker"}`
	if err := os.WriteFile(path, []byte(theirs), 0o644); err != nil {
		t.Fatal(err)
	}
	err := s.writeRuntime()
	if err == nil || !strings.Contains(err.Error(), "not ours") || !strings.Contains(err.Error(), runtimeName) {
		t.Errorf("got %v", err)
	}
	if text, _ := os.ReadFile(path); string(text) != theirs {
		t.Errorf("it is now %s", text)
	}
	if _, err := os.Stat(s.at(runtimePath)); err == nil {
		t.Error("the runtime was written")
	}
}

func TestOursIsWrittenAndWrittenAgain(t *testing.T) {
	s := &setup{root: t.TempDir(), line: progress.New(nil)}
	for range 2 {
		if err := s.writeRuntime(); err != nil {
			t.Fatal(err)
		}
		if len(s.changes) != 2 {
			t.Errorf("told was %v, want each file once", s.changes)
		}
	}
	info, err := os.Stat(s.at(runtimePath))
	if err != nil || info.Mode().Perm() != 0o755 {
		t.Errorf("the runtime: %v, %v", info, err)
	}
	if text, err := os.ReadFile(s.at(configuration)); err != nil || !strings.Contains(string(text), `"default-runtime": "faultline-runc"`) {
		t.Errorf("the configuration: %s, %v", text, err)
	}
}

// TestTheRuntimeTakesTheCapabilityOut runs the script with a runc that shows what it was given.
func TestTheRuntimeTakesTheCapabilityOut(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string, mode os.FileMode) string {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	wrapper := write(runtimeName, runc, 0o755)
	write("runc", "#!/bin/sh\necho \"$@\"\n", 0o755)
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	const all = `["CAP_CHOWN","CAP_SYS_RESOURCE","CAP_KILL"] ["CAP_SYS_RESOURCE","CAP_KILL"] ["CAP_KILL","CAP_SYS_RESOURCE"]`
	const rest = `["CAP_CHOWN","CAP_KILL"] ["CAP_KILL"] ["CAP_KILL"]`
	bundle, process := write("bundle/config.json", all, 0o644), write("process.json", all, 0o644)
	for file, args := range map[string][]string{
		bundle: {"create", "--bundle", filepath.Dir(bundle), "id"}, process: {"exec", "--process", process, "id"},
	} {
		output, err := exec.Command(wrapper, args...).Output()
		if err != nil || strings.TrimSpace(string(output)) != strings.Join(args, " ") {
			t.Errorf("runc was given %q, %v", output, err)
		}
		if text, err := os.ReadFile(file); err != nil || string(text) != rest {
			t.Errorf("%s is %s, %v", file, text, err)
		}
	}
}

func TestLimitsThatAreHighEnoughStay(t *testing.T) {
	s := &setup{root: t.TempDir(), uid: 1000}
	dir := s.at("proc/sys/fs/inotify")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	set := func(instances string) {
		for name, value := range map[string]string{"max_user_instances": instances, "max_user_watches": "1000000"} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(value+"\n"), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	set("2048")
	if err := s.inotify(); err != nil || len(s.changes) != 0 {
		t.Errorf("high enough: %v, %v", s.changes, err)
	}
	set("128")
	if err := s.inotify(); err == nil || !strings.Contains(err.Error(), "as root") {
		t.Errorf("an ordinary user: %v", err)
	}
}

func TestLimitsThatAreTooLowAreRaised(t *testing.T) {
	s := &setup{root: t.TempDir(), uid: 0}
	dir := s.at("proc/sys/fs/inotify")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for name := range watches {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("128\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	s.line = progress.New(nil)
	if err := s.inotify(); err != nil {
		t.Fatal(err)
	}
	if text, _ := os.ReadFile(filepath.Join(dir, "max_user_instances")); string(text) != "1024" {
		t.Errorf("it is %s", text)
	}
	if len(s.changes) != 2 || !strings.Contains(s.changes[0].Undo, "=128") {
		t.Errorf("told was %v", s.changes)
	}
}
