package beside

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"

	"github.com/faultline-lab/faultline/deploy/toolchain/cache"
)

// Folder holds all files of one throwaway server; its lock is held as long as its maker lives.
type Folder struct {
	Path string
	lock *cache.Lock
}

// NewFolder makes one in the system's folder for temporary files, and removes those with the same prefix whose makers
// were killed.
func NewFolder(prefix string) (*Folder, error) {
	sweep(prefix)
	path, err := os.MkdirTemp("", prefix)
	if err != nil {
		return nil, err
	}
	lock, err := cache.TryAcquire(filepath.Join(path, "lock"), "its maker")
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(path))
	}
	return &Folder{Path: path, lock: lock}, nil
}

// Remove removes the folder with all that is in it.
func (f *Folder) Remove() error {
	return errors.Join(os.RemoveAll(f.Path), f.lock.Release())
}

// sweep removes the folders of ours that nobody holds. What cannot be removed is left to the next sweep.
func sweep(prefix string) {
	paths, _ := filepath.Glob(filepath.Join(os.TempDir(), prefix+"*")) // the only error is a malformed pattern
	for _, path := range paths {
		if !ours(path) {
			continue
		}
		if _, err := os.Stat(filepath.Join(path, "lock")); err != nil {
			continue // being made at this moment
		}
		lock, err := cache.TryAcquire(filepath.Join(path, "lock"), "a sweep")
		if err != nil {
			continue
		}
		_ = (&Folder{Path: path, lock: lock}).Remove()
	}
}

// ours says whether path is a folder, not a link, that belongs to the user we are.
func ours(path string) bool {
	info, err := os.Lstat(path)
	if err != nil || !info.IsDir() {
		return false
	}
	status, ok := info.Sys().(*syscall.Stat_t)
	return ok && status.Uid == uint32(os.Geteuid())
}
