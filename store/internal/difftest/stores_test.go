package difftest

import (
	"testing"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/store/memory"
)

// target is a store that scripts run on.
type target struct {
	name string
	open func(t *testing.T) roster.Store
}

// targets are the stores that are there. The others are compared with the
// first.
func targets(*testing.T) []target {
	open := func(*testing.T) roster.Store { return memory.New() }
	return []target{{"memory", open}, {"memory again", open}}
}
