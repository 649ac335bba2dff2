// Package roster is the account core of a Go program.
package roster
