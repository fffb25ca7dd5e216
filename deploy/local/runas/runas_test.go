package runas

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
)

func TestMayTraverse(t *testing.T) {
	const me, mine, other = 1000, 100, 7
	for name, test := range map[string]struct {
		mode     fs.FileMode
		uid, gid uint32
		want     bool
	}{
		"an open folder of somebody else":                       {0o755, other, other, true},
		"root's home":                                           {0o700, 0, 0, false},
		"my own private folder":                                 {0o700, me, mine, true},
		"my group's folder":                                     {0o710, other, mine, true},
		"a folder that may be entered and not listed":           {0o711, other, other, true},
		"a folder that may be listed and not entered":           {0o744, other, other, false},
		"the owner's bits decide even where others may do more": {0o077, me, mine, false},
		"the group's bits decide even where others may do more": {0o707, other, mine, false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := mayTraverse(test.mode, test.uid, test.gid, me, mine); got != test.want {
				t.Errorf("got %v", got)
			}
		})
	}
}

// TestReachesAgreesWithTheKernel asks the kernel too, by a process of that user.
func TestReachesAgreesWithTheKernel(t *testing.T) {
	user, err := Unprivileged()
	if err != nil {
		t.Fatal(err)
	}
	if user == nil {
		t.Skip("NOT TESTED: only root can become somebody else")
	}
	root, err := os.MkdirTemp("", "faultline-test-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(root) })
	open, closed := filepath.Join(root, "open"), filepath.Join(root, "closed")
	for dir, mode := range map[string]fs.FileMode{open: 0o755, closed: 0o700, filepath.Join(closed, "inner"): 0o755} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(dir, mode); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(root, 0o755); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(open, "link")
	if err := os.Symlink(filepath.Join(closed, "inner"), link); err != nil {
		t.Fatal(err)
	}
	for name, path := range map[string]string{
		"an open folder":                           open,
		"a closed folder":                          closed,
		"an open folder in a closed one":           filepath.Join(closed, "inner"),
		"an open link to a folder in a closed one": link,
		"the root of all":                          "/",
	} {
		t.Run(name, func(t *testing.T) {
			got, err := user.Reaches(path)
			if err != nil {
				t.Fatal(err)
			}
			cmd := exec.Command("/bin/sh", "-c", `cd "$0"`, path)
			cmd.Dir = "/"
			cmd.SysProcAttr = &syscall.SysProcAttr{Credential: user.Credential()}
			if kernel := cmd.Run() == nil; got != kernel {
				t.Errorf("got %v, the kernel says %v", got, kernel)
			}
		})
	}
	t.Run("what does not exist yet is judged by what does", func(t *testing.T) {
		for path, want := range map[string]bool{filepath.Join(open, "a", "b"): true, filepath.Join(closed, "a", "b"): false} {
			if got, err := user.Reaches(path); err != nil || got != want {
				t.Errorf("%s: got %v, %v", path, got, err)
			}
		}
	})
}

func TestOwnChangesTheLinkAndNotItsTarget(t *testing.T) {
	user, err := Unprivileged()
	if err != nil {
		t.Fatal(err)
	}
	if user == nil {
		t.Skip("NOT TESTED: only root can give files away")
	}
	root := t.TempDir()
	target, given := filepath.Join(root, "target"), filepath.Join(root, "given")
	if err := os.Mkdir(given, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(target, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(given, "link")
	if err := os.Symlink(target, link); err != nil {
		t.Fatal(err)
	}
	if err := user.Own(given); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]uint32{given: user.UID, link: user.UID, target: 0} {
		info, err := os.Lstat(path)
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Sys().(*syscall.Stat_t).Uid; got != want {
			t.Errorf("%s belongs to %d, want %d", path, got, want)
		}
	}
}

func TestNobodyToDropToMeansWhoeverWeAre(t *testing.T) {
	var user *User
	if user.Credential() != nil {
		t.Error("a credential")
	}
	if reached, err := user.Reaches("/there/is/nothing"); err != nil || !reached {
		t.Errorf("got %v, %v", reached, err)
	}
	if err := user.Own("/there/is/nothing"); err != nil {
		t.Error(err)
	}
}

func TestLookupRefusesRoot(t *testing.T) {
	if _, err := Lookup("root"); err == nil {
		t.Error("no error")
	}
}
