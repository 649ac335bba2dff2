//go:build !linux

package slapd

import "syscall"

func dieWithParent() *syscall.SysProcAttr { return nil }
