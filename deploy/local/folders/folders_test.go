package folders

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestTheRootIsTheNearestFolderWithAWorkspace(t *testing.T) {
	outer := t.TempDir()
	inner := filepath.Join(outer, "a", "inner")
	if err := os.MkdirAll(filepath.Join(inner, "b", "c"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, root := range []string{outer, inner} {
		if err := os.WriteFile(filepath.Join(root, "go.work"), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for start, want := range map[string]string{
		outer: outer, filepath.Join(outer, "a"): outer, inner: inner, filepath.Join(inner, "b", "c"): inner,
	} {
		if got, err := FindRoot(start); err != nil || got != want {
			t.Errorf("from %s: %s (%v), want %s", start, got, err, want)
		}
	}
}

func TestOutsideACheckoutTheErrorSaysWhatToDo(t *testing.T) {
	if _, err := FindRoot(t.TempDir()); err == nil || !strings.Contains(err.Error(), "--root") {
		t.Errorf("got %v", err)
	}
}

func TestWipeTakesWhatBelongsToTheLastRunAndNothingElse(t *testing.T) {
	paths, err := In(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if err := paths.Make(); err != nil {
		t.Fatal(err)
	}
	lastTrial := filepath.Join(paths.Root, ".faultline", "last-trial.json")
	gone := []string{
		filepath.Join(paths.State, "autoheal-1", "autoheal.db"), paths.Log("orders-3"), paths.Log(GuardLog),
		paths.Stack, filepath.Join(paths.Chaos, "a.json"), paths.ControlToken, paths.WebhookToken,
	}
	stays := []string{paths.Lock, paths.Log(UpLog), lastTrial}
	for _, file := range append(gone, stays...) {
		if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o700), os.WriteFile(file, nil, 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 { // where there is nothing to wipe, that is no error
		if err := paths.Wipe(); err != nil {
			t.Fatal(err)
		}
	}
	for _, file := range gone {
		if _, err := os.Stat(file); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s is still there (%v)", file, err)
		}
	}
	for _, file := range append(stays, paths.State) {
		if _, err := os.Stat(file); err != nil {
			t.Error(err)
		}
	}
}
