//go:build race

package acceptance

// raced says that the race detector is on. SQLite, which is compiled to Go, is
// then ten times as slow.
const raced = true
