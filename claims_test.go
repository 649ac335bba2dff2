package roster_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/rostertest"
)

// Who claims the address of another sees the same, whether that one has an
// account, gets one, or not: at every time, and however often they claim it.
func TestClaimsTellNothing(t *testing.T) {
	ctx := context.Background()
	for _, again := range []time.Duration{0, time.Hour, 6*24*time.Hour + 23*time.Hour, 7 * 24 * time.Hour, 7*24*time.Hour + time.Hour} {
		seen := map[string]string{} // by what the owner does: what the spy saw
		for _, owner := range []string{"nobody", "activated before", "activates meanwhile"} {
			env := rostertest.New(t)
			spy := env.MustRegister("spy")
			if owner == "activated before" {
				env.MustRegister("ann")
			}
			claim := func() {
				_, err := env.AddEmail(ctx, spy.ID, "ann@example.org")
				must(t, err)
			}
			claim()
			if owner == "activates meanwhile" {
				env.MustRegister("ann")
			}
			env.Clock.Advance(again)
			claim()
			for range 40 {
				env.Clock.Advance(6 * time.Hour)
				_, err := env.Prune(ctx, roster.Budget{})
				must(t, err)
				emails, err := env.Emails(ctx, spy.ID)
				must(t, err)
				for _, e := range emails {
					seen[owner] += fmt.Sprintf("%v %v %v\n", e.Address, e.Primary, e.IsActivated())
				}
				seen[owner] += "\n"
			}
			healthy(t, env)
		}
		for owner, saw := range seen {
			if saw != seen["nobody"] {
				t.Errorf("claimed again after %v, the address of one who %s: saw\n%s\nand not\n%s", again, owner, saw, seen["nobody"])
			}
		}
	}
}

// An address that waited in vain and is claimed again waits as a new one does.
func TestClaimedAnew(t *testing.T) {
	ctx := context.Background()
	env := rostertest.New(t)
	ann := env.MustRegister("ann")
	_, err := env.AddEmail(ctx, ann.ID, "new@example.org")
	must(t, err)
	env.Clock.Advance(8 * 24 * time.Hour)
	_, err = env.AddEmail(ctx, ann.ID, "new@example.org")
	must(t, err)
	env.Clock.Advance(23 * time.Hour)
	_, err = env.Prune(ctx, roster.Budget{})
	must(t, err)
	_, err = env.Activate(ctx, env.Mail.MustCode(t, "new@example.org"))
	must(t, err)
	wantEmails(t, env, ann.ID, "ann@example.org* new@example.org")
	healthy(t, env)
}
