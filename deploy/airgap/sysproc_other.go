//go:build !linux

package airgap

import "syscall"

// ownMounts is not to be had here, and neither is debootstrap.
func ownMounts() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
