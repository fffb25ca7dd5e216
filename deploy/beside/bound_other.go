//go:build !linux

package beside

import "syscall"

// bound makes a child in a process group of its own, so that a Ctrl-C at the terminal does not reach it before we are
// done with it. Outside Linux the kernel does not tell children of their parent's death: after a SIGKILL of ours a server
// stays until it is stopped by hand.
func bound(syscall.Signal) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true}
}
