package docker

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// fake puts a docker command on PATH that is a shell script.
func fake(t *testing.T, script string) Engine {
	t.Helper()
	dir := t.TempDir()
	path := filepath.Join(dir, "docker")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+script), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	return Engine{cli: path}
}

func TestAnEngineThatDoesNotAnswerSaysWhatToDo(t *testing.T) {
	fake(t, "echo 'Cannot connect to the Docker daemon' >&2; exit 1")
	_, err := Find(t.Context())
	if !errors.Is(err, ErrNoEngine) {
		t.Fatalf("got %v", err)
	}
	for _, want := range []string{"stack airgap engine", "DOCKER_HOST", "Cannot connect"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in: %v", want, err)
		}
	}
}

func TestAnEngineThatIsNotForThisUserSaysSo(t *testing.T) {
	fake(t, "echo 'permission denied while trying to connect' >&2; exit 1")
	if _, err := Find(t.Context()); !errors.Is(err, ErrNoEngine) || !strings.Contains(err.Error(), "the group docker") {
		t.Errorf("got %v", err)
	}
}

func TestAMachineWithoutDockerSaysWhatToDo(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	if _, err := Find(t.Context()); !errors.Is(err, ErrNoEngine) || !strings.Contains(err.Error(), "stack airgap engine") {
		t.Errorf("got %v", err)
	}
}

func TestAnEngineThatAnswersHasAVersionAndImages(t *testing.T) {
	fake(t, `case $1 in version) echo 20.10.24 ;; *) printf 'a:1\nb/c:2\n' ;; esac`)
	engine, err := Find(t.Context())
	if err != nil || engine.Version != "20.10.24" {
		t.Fatalf("got %+v, %v", engine, err)
	}
	images, err := engine.Images(t.Context())
	if err != nil || len(images) != 2 || !images["b/c:2"] {
		t.Errorf("got %v, %v", images, err)
	}
}

func TestAPipeEndsWithTheErrorOfTheSideThatFailed(t *testing.T) {
	engine := fake(t, `case $1 in
save) yes text ;;
save-fails) echo no such image >&2; exit 1 ;;
run) cat >/dev/null ;;
run-fails) echo no room >&2; exit 1 ;;
esac`)
	for name, test := range map[string]struct{ from, to, says string }{
		"the reader": {"save", "run-fails", "docker run-fails: exit status 1: no room"},
		"the writer": {"save-fails", "run", "docker save-fails: exit status 1: no such image"},
	} {
		err := engine.Pipe(t.Context(), []string{test.from}, []string{test.to})
		if err == nil || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}
