package airgap

import "syscall"

// ownMounts gives a child a process group, and mounts that end with it.
func ownMounts() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Unshareflags: syscall.CLONE_NEWNS}
}
