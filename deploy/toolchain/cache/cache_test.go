package cache

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"
)

func TestDir(t *testing.T) {
	home := t.TempDir()
	t.Setenv("HOME", home)
	t.Setenv("XDG_CACHE_HOME", filepath.Join(home, "xdg"))
	for name, test := range map[string]struct{ explicit, variable, base string }{
		"what is asked for comes first":         {"/a", "/b", "/a"},
		"then the variable":                     {"", "/b", "/b"},
		"then a folder in the user's own cache": {"", "", "faultline"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv(Variable, test.variable)
			got, err := Dir(test.explicit)
			if err != nil {
				t.Fatal(err)
			}
			if got != test.base && filepath.Base(got) != test.base {
				t.Errorf("got %s", got)
			}
		})
	}
	t.Run("a user without a home is told what to set", func(t *testing.T) {
		t.Setenv(Variable, "")
		t.Setenv("HOME", "")
		t.Setenv("XDG_CACHE_HOME", "")
		if _, err := Dir(""); err == nil {
			t.Error("no error")
		}
	})
}

func TestLockIsHeldByOneAtATime(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new", "lock")
	first, err := Acquire(t.Context(), path, "the first", nil)
	if err != nil {
		t.Fatal(err)
	}
	var held *HeldError
	if _, err := TryAcquire(path, "the second"); !errors.As(err, &held) || held.Holder != "the first" {
		t.Errorf("got %v", err)
	}

	waiting, cancel := context.WithCancelCause(t.Context())
	impatient := errors.New("enough")
	if _, err := Acquire(waiting, path, "the second", func(string) { cancel(impatient) }); !errors.Is(err, impatient) {
		t.Errorf("one that gave up waiting got %v", err)
	}

	second, err := Acquire(t.Context(), path, "the second", func(holder string) {
		if holder == "the first" && first != nil {
			if err := first.Release(); err != nil {
				t.Error(err)
			}
			first = nil
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := second.Release(); err != nil {
		t.Error(err)
	}
}

func TestAFolderThatCannotBeMadeIsAnErrorThatNamesTheVariable(t *testing.T) {
	_, err := Acquire(t.Context(), "/dev/null/cache/lock", "me", nil)
	if err == nil || !strings.Contains(err.Error(), Variable) {
		t.Errorf("got %v", err)
	}
}
