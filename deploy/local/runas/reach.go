package runas

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// Reaches says whether the user can open path: whether every folder above it lets the user through. What does not
// exist yet is taken to be made reachable by whoever makes it, so only the part that exists is judged. It reads the
// permission bits only; an access control list that grants or denies more is not seen. On a nil User it is true.
func (u *User) Reaches(path string) (bool, error) {
	if u == nil {
		return true, nil
	}
	absolute, err := filepath.Abs(path)
	if err != nil {
		return false, err
	}
	return u.traverses(absolute)
}

// traverses checks absolute and the folders above it, and, where absolute goes through a symbolic link, the
// folders above the link's target as well.
func (u *User) traverses(absolute string) (bool, error) {
	existing, err := deepestExisting(absolute)
	if err != nil {
		return false, err
	}
	resolved, err := filepath.EvalSymlinks(existing)
	if err != nil {
		return false, err
	}
	for _, chain := range []string{existing, resolved} {
		for dir := chain; ; dir = filepath.Dir(dir) {
			through, err := u.mayEnter(dir)
			if err != nil || !through {
				return false, err
			}
			if dir == filepath.Dir(dir) {
				break
			}
		}
	}
	return true, nil
}

// deepestExisting is path, or its nearest ancestor that exists.
func deepestExisting(path string) (string, error) {
	for {
		_, err := os.Stat(path)
		if err == nil {
			return path, nil
		}
		if !errors.Is(err, fs.ErrNotExist) || path == filepath.Dir(path) {
			return "", err
		}
		path = filepath.Dir(path)
	}
}

// mayEnter looks at one folder; a file at the end of a path needs no permission to be passed through.
func (u *User) mayEnter(dir string) (bool, error) {
	info, err := os.Stat(dir)
	if err != nil {
		return false, err
	}
	if !info.IsDir() {
		return true, nil
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return false, errors.New("this system does not say who owns " + dir)
	}
	return mayTraverse(info.Mode().Perm(), stat.Uid, stat.Gid, u.UID, u.GID), nil
}

// mayTraverse is the kernel's rule: the first class that fits decides, even when a later one would allow more.
func mayTraverse(mode fs.FileMode, ownerUID, ownerGID, uid, gid uint32) bool {
	switch {
	case ownerUID == uid:
		return mode&0o100 != 0
	case ownerGID == gid:
		return mode&0o010 != 0
	default:
		return mode&0o001 != 0
	}
}
