package roster_test

import (
	"testing"
	"time"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/rostertest"
)

// What is remembered of a grant ends when the grant does, and not when it is forgotten.
func TestCachedGrantEnds(t *testing.T) {
	env := rostertest.New(t, declare("vote"), func(o *roster.Options) { o.PermissionCache = time.Minute })
	ann := env.MustRegister("ann")
	now := env.Clock.Now()
	must(t, env.GrantDuring(t.Context(), roster.ToUser(ann.ID), 7, roster.Period{From: now.Add(10 * time.Second), Until: now.Add(30 * time.Second)}, "vote"))
	for _, want := range []bool{false, true, true, false} { // at 0, 10, 20 and 30 seconds
		answers(t, env.Users, want, ann.ID, "vote", 7, roster.Either)
		env.Clock.Advance(10 * time.Second)
	}
}
