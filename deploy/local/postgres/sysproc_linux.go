package postgres

import "syscall"

// sysProcAttr lets a short-lived program run as the user, if one is given.
func sysProcAttr(credential *syscall.Credential) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Credential: credential}
}

// bound makes a child that does not outlive us: in a process group of its own, so that a Ctrl-C at the terminal does not
// reach it before we are done with it, and signalled by the kernel when we die.
func bound(credential *syscall.Credential, onDeath syscall.Signal) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Credential: credential, Setpgid: true, Pdeathsig: onDeath}
}
