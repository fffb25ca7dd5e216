//go:build !linux

package postgres

import "syscall"

// sysProcAttr lets a short-lived program run as the user, if one is given.
func sysProcAttr(credential *syscall.Credential) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Credential: credential}
}

// bound makes a child in a process group of its own, so that a Ctrl-C at the terminal does not reach it before we are
// done with it. Outside Linux the kernel does not tell children of their parent's death: after a SIGKILL of ours the
// server stays until it is stopped by hand.
func bound(credential *syscall.Credential, _ syscall.Signal) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Credential: credential, Setpgid: true}
}
