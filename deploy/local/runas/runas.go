// Package runas finds the unprivileged user under whom root runs programs that refuse to be root (PostgreSQL), hands
// files over to that user, and says which paths that user can reach.
//
// A nil *User means "as whoever we are": every method works on it, so that callers need no second path.
package runas

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

// candidates are tried in order. postgres exists where the system's own PostgreSQL is installed; nobody exists
// everywhere.
func candidates() []string { return []string{"postgres", "nobody"} }

// User is an unprivileged user of this machine.
type User struct {
	Name string
	UID  uint32
	GID  uint32
}

// Unprivileged returns the user to drop to, or nil when this process is not root. It fails when this process is root
// and the machine has none of the users that it could drop to.
func Unprivileged() (*User, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	var tried []error
	for _, name := range candidates() {
		found, err := Lookup(name)
		if err == nil {
			return found, nil
		}
		tried = append(tried, err)
	}
	return nil, fmt.Errorf("running as root, and there is no unprivileged user to run PostgreSQL as; "+
		"create one (useradd --system postgres) or run as an ordinary user: %w", errors.Join(tried...))
}

// Lookup finds a user by name. Root is refused: dropping to root is no drop.
func Lookup(name string) (*User, error) {
	entry, err := user.Lookup(name)
	if err != nil {
		return nil, err
	}
	uid, err := strconv.ParseUint(entry.Uid, 10, 32)
	if err != nil {
		return nil, fmt.Errorf("user %s: uid: %w", name, err)
	}
	gid, err := strconv.ParseUint(entry.Gid, 10, 32)
	if err != nil {
		return nil, fmt.Errorf("user %s: gid: %w", name, err)
	}
	if uid == 0 {
		return nil, fmt.Errorf("user %s is root by another name", name)
	}
	return &User{Name: name, UID: uint32(uid), GID: uint32(gid)}, nil
}

// Credential is what a child process needs to run as the user, with no supplementary group; nil for a nil User.
func (u *User) Credential() *syscall.Credential {
	if u == nil {
		return nil
	}
	return &syscall.Credential{Uid: u.UID, Gid: u.GID}
}

// Own hands path and everything below it to the user. Symbolic links themselves change hands, never what they point
// at. On a nil User it does nothing.
func (u *User) Own(path string) error {
	if u == nil {
		return nil
	}
	return filepath.WalkDir(path, func(name string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Lchown(name, int(u.UID), int(u.GID))
	})
}
