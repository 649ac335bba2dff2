package roster_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/go-roster/roster"
)

// denials reads what was logged of refused verbs, and forgets it.
func (o *office) denials(t testing.TB) (verbs []string) {
	t.Helper()
	for line := range strings.Lines(o.log.String()) {
		var entry struct {
			Msg, Verb   string
			Actor, Real roster.UserID
		}
		if err := json.Unmarshal([]byte(line), &entry); err != nil {
			t.Fatal(err)
		}
		if entry.Msg == "denied" {
			if entry.Actor != o.ben.ID || entry.Real != 0 {
				t.Errorf("refused to %d as %d", entry.Real, entry.Actor)
			}
			verbs = append(verbs, entry.Verb)
		}
	}
	o.log.Reset()
	return verbs
}

// What is refused is recorded once, whatever becomes of the transaction, and
// nothing else is.
func TestDenialsAreRecorded(t *testing.T) {
	o := newOffice(t)
	ctx := t.Context()
	hers := o.For(roster.Actor{User: o.ben.ID})
	check := func(what string, want ...string) {
		t.Helper()
		if got := strings.Join(o.denials(t), " "); got != strings.Join(want, " ") {
			t.Errorf("%s: recorded %q, not %q", what, got, want)
		}
	}
	if err := hers.Disable(ctx, o.ada.ID); !errors.Is(err, roster.ErrForbidden) {
		t.Error(err)
	}
	check("a verb that changes", "Disable")
	if _, err := hers.ByID(ctx, o.ada.ID); !errors.Is(err, roster.ErrForbidden) {
		t.Error(err)
	}
	check("a look-up", "ByID")
	if _, err := hers.GeneratePassword(ctx, o.ada.ID, roster.Generated{}); !errors.Is(err, roster.ErrForbidden) {
		t.Error(err)
	}
	check("a verb that asks before its transaction, too", "GeneratePassword")
	if _, err := hers.ByID(ctx, o.ben.ID); err != nil {
		t.Error(err)
	}
	if err := hers.EndSessions(ctx, o.ben.ID); err != nil {
		t.Error(err)
	}
	check("what was allowed")

	tries := 0
	for _, us := range []*roster.Users{o.Users, hers} {
		err := us.Atomic(ctx, func(ctx context.Context) error {
			if tries++; tries == 1 {
				_ = hers.Purge(ctx, o.ada.ID)
			}
			return errors.Join(hers.Delete(ctx, o.ada.ID), hers.Atomic(ctx, func(ctx context.Context) error {
				return hers.Enable(ctx, o.ada.ID)
			}))
		})
		if !errors.Is(err, roster.ErrForbidden) {
			t.Error(err)
		}
	}
	check("two that were rolled back", "Purge", "Delete", "Enable", "Delete", "Enable")
	err := o.Atomic(ctx, func(ctx context.Context) error {
		_ = hers.Delete(ctx, o.ada.ID)
		return o.Disable(ctx, o.ada.ID)
	})
	if err != nil {
		t.Error(err)
	}
	check("one that was committed", "Delete")
}
