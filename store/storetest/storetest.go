// Package storetest checks that a [roster.Store] keeps what it promises. The
// stores of roster pass it, and a store of a host's own can be held to the same:
//
//	func TestStore(t *testing.T) {
//		storetest.Run(t, func(t *testing.T) roster.Store {
//			store, err := mystore.Open(t.Context(), filepath.Join(t.TempDir(), "test.db"))
//			if err != nil {
//				t.Fatal(err)
//			}
//			t.Cleanup(func() { store.Close() })
//			return store
//		})
//	}
//
// Run it with the race detector.
package storetest

import (
	"os"
	"testing"

	"github.com/go-roster/roster"
)

// Run checks every promise, each in a subtest with a store of its own. A case
// that fails prints the rule that was broken.
//
// newStore returns an empty store that shares nothing with those it returned
// before, and closes it with t.Cleanup. It keeps plain users: what the suite
// writes are *[roster.User] values.
//
// With ROSTER_SOAK=1 in the environment the races run many times as long.
func Run(t *testing.T, newStore func(t *testing.T) roster.Store) { run(t, cases(), newStore) }

func run(t *testing.T, cases []testCase, newStore func(t *testing.T) roster.Store) {
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Cleanup(func() {
				if t.Failed() {
					t.Logf("the rule: %s", c.rule)
				}
			})
			s := newStore(t)
			switch {
			case c.waits != nil:
				t.Parallel()
				c.waits(t, s)
			case c.pair != nil:
				c.pair(t, s, newStore(t))
			default:
				c.run(t, s)
			}
		})
	}
}

// testCase is one promise. One of the functions is set.
type testCase struct {
	name string
	rule string // what the store promises, in a sentence

	run   func(t *testing.T, s roster.Store)
	pair  func(t *testing.T, s, other roster.Store) // with two stores
	waits func(t *testing.T, s roster.Store)        // sleeps rather than works, so beside others
}

func cases() []testCase {
	var all []testCase
	for _, noun := range [][]testCase{
		userCases, updateCases, pageCases, searchCases, purgeCases, nameCases,
		emailCases, emailStateCases, activationCases, credentialCases, undoCases, loginCases, outboxCases, limitCases,
		sessionCases, identityCases, eventCases, groupCases, grantCases,
		copyCases, txCases, afterCommitCases, doomCases, contextCases, silenceCases, raceCases, raceRowCases, lockCases,
	} {
		all = append(all, noun...)
	}
	return all
}

// rounds is how often a race is run: few, or many in a soak.
func rounds(few, many int) int {
	if os.Getenv("ROSTER_SOAK") == "1" {
		return many
	}
	return few
}
