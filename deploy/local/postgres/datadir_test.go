package postgres

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/faultline-lab/faultline/deploy/local/runas"
)

func TestDataDirFor(t *testing.T) {
	t.Run("a folder that the user can reach holds the data itself", func(t *testing.T) {
		run := reachableDir(t)
		got, err := DataDirFor(run)
		if err != nil {
			t.Fatal(err)
		}
		if want := filepath.Join(run, "data"); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	})
	t.Run("a folder below root's private one sends the data to the temporary folder, always to the same place", func(t *testing.T) {
		if os.Geteuid() != 0 {
			t.Skip("only root runs PostgreSQL as somebody else")
		}
		run := filepath.Join(reachableDir(t), "private", "run")
		if err := os.MkdirAll(run, 0o700); err != nil {
			t.Fatal(err)
		}
		first, err := DataDirFor(run)
		if err != nil {
			t.Fatal(err)
		}
		again, err := DataDirFor(run)
		if err != nil || again != first {
			t.Errorf("got %s and %s (%v)", first, again, err)
		}
		if parent, ok := privateParent(first); !ok || strings.HasPrefix(first, run) {
			t.Errorf("got %s, whose parent %s is not a private folder", first, parent)
		}
	})
}

func TestInitAndRemove(t *testing.T) {
	found := installation(t)
	run := filepath.Join(reachableDir(t), "run")
	if err := os.Mkdir(run, 0o700); err != nil { // as root: closed to the user
		t.Fatal(err)
	}
	dataDir, err := DataDirFor(run)
	if err != nil {
		t.Fatal(err)
	}
	cfg := Config{Installation: found, DataDir: dataDir, Port: 1, Passwords: NewPasswords()}
	if err := Init(t.Context(), cfg); err != nil {
		t.Fatal(err)
	}
	if err := Init(t.Context(), cfg); err == nil || !strings.Contains(err.Error(), "not empty") {
		t.Errorf("a second server in one folder: got %v", err)
	}
	if _, err := os.Stat(filepath.Join(dataDir, "PG_VERSION")); err != nil {
		t.Errorf("the refused Init touched the folder: %v", err)
	}
	for range 2 {
		if err := Remove(dataDir); err != nil {
			t.Fatal(err)
		}
	}
	for _, gone := range []string{dataDir, filepath.Dir(dataDir)} {
		if gone == run {
			continue
		}
		if _, err := os.Stat(gone); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s is still there (%v)", gone, err)
		}
	}
}

func TestAFailedInitLeavesNoFolder(t *testing.T) {
	root := reachableDir(t)
	fake := fakeInstallation(t, root, "18", "18.0") // its initdb fails
	dataDir := filepath.Join(root, "data")
	err := Init(t.Context(), Config{
		Installation: Installation{BinDir: fake}, DataDir: dataDir, Port: 1, Passwords: NewPasswords(),
	})
	if err == nil || !strings.Contains(err.Error(), "initdb failed") {
		t.Errorf("got %v", err)
	}
	if _, err := os.Stat(dataDir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the folder is still there (%v)", err)
	}
}

func TestRemoveRefusesWhatIsNotAServersData(t *testing.T) {
	dir := t.TempDir()
	precious := filepath.Join(dir, "thesis.txt")
	if err := os.WriteFile(precious, []byte("years of work"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := Remove(dir); err == nil {
		t.Error("no error")
	}
	if _, err := os.Stat(precious); err != nil {
		t.Error(err)
	}
}

func TestAPrivateFolderOfSomebodyElseIsRefused(t *testing.T) {
	user, err := runas.Unprivileged()
	if err != nil {
		t.Fatal(err)
	}
	root := reachableDir(t)
	link := filepath.Join(root, "link")
	open := filepath.Join(root, "open")
	if err := errors.Join(os.Symlink(root, link), os.Mkdir(open, 0o755), os.Chmod(open, 0o755)); err != nil {
		t.Fatal(err)
	}
	for name, dir := range map[string]string{
		"a link":                       link,
		"a folder that others can see": open,
	} {
		t.Run(name, func(t *testing.T) {
			if err := makePrivate(dir, user); err == nil {
				t.Error("no error")
			}
		})
	}
}

func TestConfigNamesWhatIsMissing(t *testing.T) {
	whole := Config{Installation: Installation{BinDir: "/b"}, DataDir: "/d", Port: 5433, Passwords: NewPasswords()}
	for name, change := range map[string]func(*Config){
		"installation": func(c *Config) { c.Installation = Installation{} },
		"data folder":  func(c *Config) { c.DataDir = "" },
		"port":         func(c *Config) { c.Port = 0 },
		"password":     func(c *Config) { c.Passwords = Passwords{} },
	} {
		t.Run(name, func(t *testing.T) {
			cfg := whole
			change(&cfg)
			if _, err := cfg.prepared(); err == nil || !strings.Contains(err.Error(), name) {
				t.Errorf("got %v", err)
			}
		})
	}
	if _, err := whole.prepared(); err != nil {
		t.Errorf("nothing is missing: %v", err)
	}
}

func TestURLCarriesTheRolesOwnPassword(t *testing.T) {
	cfg := Config{Port: 5433, Passwords: Passwords{Orders: "p@ss/word"}}
	want := "postgres://orders:p%40ss%2Fword@127.0.0.1:5433/orders?sslmode=disable"
	if got := URL(cfg, Orders, Orders); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
