package airgap

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestWhatTheBaseNeedsIsSaidBeforeItIsBegun(t *testing.T) {
	none := func(string) (string, error) { return "", exec.ErrNotFound }
	there := func(name string) (string, error) { return "/usr/sbin/" + name, nil }
	keyring := filepath.Join(t.TempDir(), "keyring.gpg")
	if err := canBootstrap(0, there, keyring); err == nil || !strings.Contains(err.Error(), "debian-archive-keyring") {
		t.Errorf("no keys: %v", err)
	}
	if err := os.WriteFile(keyring, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := canBootstrap(1000, there, keyring); !errors.Is(err, ErrNeedsRoot) || !strings.Contains(err.Error(), "once as root") {
		t.Errorf("an ordinary user: %v", err)
	}
	if err := canBootstrap(0, none, keyring); err == nil || !strings.Contains(err.Error(), "apt-get install debootstrap") {
		t.Errorf("no debootstrap: %v", err)
	}
	if err := canBootstrap(0, there, keyring); err != nil {
		t.Error(err)
	}
}

func TestOnlyGoIsTakenFromPath(t *testing.T) {
	if _, err := onlyGo("go"); err != nil {
		t.Error(err)
	}
	if path, err := onlyGo("sh"); err == nil {
		t.Errorf("%s was taken", path)
	}
}
