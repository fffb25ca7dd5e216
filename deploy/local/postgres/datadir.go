package postgres

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"syscall"

	"github.com/faultline-lab/faultline/deploy/local/runas"
)

// privateName is the name of a data folder's parent in the system's temporary folder.
var privateName = regexp.MustCompile(`^faultline-[0-9a-f]{16}$`)

// DataDirFor is where the server of the stack in runDir keeps its data: inside runDir when the user who runs PostgreSQL
// can reach it, else below the system's temporary folder, in a private folder whose name comes from runDir, so that the
// next run finds it again. It makes nothing.
func DataDirFor(runDir string) (string, error) {
	user, err := runas.Unprivileged()
	if err != nil {
		return "", err
	}
	absolute, err := filepath.Abs(runDir)
	if err != nil {
		return "", err
	}
	inside := filepath.Join(absolute, "data")
	reachable, err := user.Reaches(inside)
	if err != nil || reachable {
		return inside, err
	}
	temp, err := temporary(user)
	if err != nil {
		return "", err
	}
	hash := sha256.Sum256([]byte(absolute))
	return filepath.Join(temp, "faultline-"+hex.EncodeToString(hash[:8]), "data"), nil
}

// temporaryFolders are the places for temporary files, best first: root's TMPDIR may be closed to others.
func temporaryFolders() []string {
	return []string{filepath.Clean(os.TempDir()), "/tmp", "/var/tmp"}
}

// temporary is the first of them that the user can reach.
func temporary(user *runas.User) (string, error) {
	for _, dir := range temporaryFolders() {
		if reachable, err := user.Reaches(dir); err == nil && reachable {
			return dir, nil
		}
	}
	return "", fmt.Errorf("the user %s, who runs PostgreSQL, can reach none of %v: set TMPDIR to a folder that every "+
		"user may enter", user.Name, temporaryFolders())
}

// privateParent is the folder that DataDirFor put around dataDir, if it did.
func privateParent(dataDir string) (parent string, ok bool) {
	parent = filepath.Dir(dataDir)
	return parent, privateName.MatchString(filepath.Base(parent)) &&
		slices.Contains(temporaryFolders(), filepath.Dir(parent))
}

// makeDataDir makes an empty folder that belongs to the user. It fails when there is something in it already.
func makeDataDir(dataDir string, user *runas.User) error {
	if parent, ok := privateParent(dataDir); ok {
		if err := makePrivate(parent, user); err != nil {
			return err
		}
	}
	if err := os.MkdirAll(dataDir, 0o700); err != nil {
		return fmt.Errorf("data folder: %w", err)
	}
	entries, err := os.ReadDir(dataDir)
	if err != nil {
		return fmt.Errorf("data folder: %w", err)
	}
	if len(entries) > 0 {
		return fmt.Errorf("data folder %s is not empty: a server is running on it, or one was killed; "+
			"`make down` clears it", dataDir)
	}
	if err := os.Chmod(dataDir, 0o700); err != nil {
		return fmt.Errorf("data folder: %w", err)
	}
	return user.Own(dataDir)
}

// makePrivate makes a folder where others may write too, so somebody could have put one of that name there before, or a
// link: then it fails.
func makePrivate(dir string, user *runas.User) error {
	err := os.Mkdir(dir, 0o700)
	if err == nil {
		return user.Own(dir)
	}
	if !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("data folder: %w", err)
	}
	info, err := os.Lstat(dir)
	if err != nil {
		return fmt.Errorf("data folder: %w", err)
	}
	owner := uint32(os.Geteuid())
	if user != nil {
		owner = user.UID
	}
	if !info.IsDir() || ownerOf(info) != owner || info.Mode().Perm() != 0o700 {
		return fmt.Errorf("data folder: %s is in the way and is not ours: remove it", dir)
	}
	return nil
}

func ownerOf(info fs.FileInfo) uint32 { return info.Sys().(*syscall.Stat_t).Uid }

// Remove removes a data folder, and the private folder around it when DataDirFor put one there. It refuses a folder that
// holds something else than a PostgreSQL server's data. Nothing there is no error.
func Remove(dataDir string) error {
	entries, err := os.ReadDir(dataDir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if _, private := privateParent(dataDir); private {
		return discard(dataDir) // named by us, for nothing else
	}
	ours := func(entry fs.DirEntry) bool {
		return entry.Name() == "PG_VERSION" || entry.Name() == "pg_wal" // the latter is there first
	}
	if len(entries) > 0 && !slices.ContainsFunc(entries, ours) {
		return fmt.Errorf("%s holds something else than a PostgreSQL server's data: not removed", dataDir)
	}
	return discard(dataDir)
}

// discard removes a data folder whatever is in it, and the private folder around it.
func discard(dataDir string) error {
	if parent, ok := privateParent(dataDir); ok {
		return os.RemoveAll(parent)
	}
	return os.RemoveAll(dataDir)
}
