package beside

import "syscall"

// bound makes a child that does not outlive us: in a process group of its own, so that a Ctrl-C at the terminal does not
// reach it before we are done with it, and signalled by the kernel when we die.
func bound(onDeath syscall.Signal) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: onDeath}
}
