package slapd

import "syscall"

// dieWithParent makes the kernel end the server if this program is killed, and keeps
// Ctrl-C from it, which the program answers itself.
func dieWithParent() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
}
