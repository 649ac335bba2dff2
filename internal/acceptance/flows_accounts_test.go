package acceptance

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/go-roster/roster"
)

// accountFlows change and find accounts and their addresses.
var accountFlows = []flow{
	{verb: "ActivateUser", run: func(ctx context.Context, w *world, c *cast) (any, error) {
		return nil, w.ActivateUser(ctx, c.ben.ID)
	}},
	{verb: "Disable", run: func(ctx context.Context, w *world, c *cast) (any, error) {
		return nil, w.Disable(ctx, c.ann.ID)
	}},
	{verb: "Enable", run: func(ctx context.Context, w *world, c *cast) (any, error) {
		return nil, w.Enable(ctx, c.eve.ID)
	}},
	{verb: "Delete", run: func(ctx context.Context, w *world, c *cast) (any, error) {
		return nil, w.Delete(ctx, c.ann.ID)
	}},
	{verb: "Restore", run: func(ctx context.Context, w *world, c *cast) (any, error) {
		return nil, w.Restore(ctx, c.dan.ID)
	}},
	{
		verb: "Restore", name: "when the address is somebody else's",
		prepare: func(w *world, c *cast) {
			_, err := w.AddActivatedEmail(context.Background(), c.cid.ID, "dan@example.org")
			w.must(err)
		},
		run: func(ctx context.Context, w *world, c *cast) (any, error) { return nil, w.Restore(ctx, c.dan.ID) },
	},
	{verb: "Purge", run: func(ctx context.Context, w *world, c *cast) (any, error) {
		return nil, w.Purge(ctx, c.ann.ID)
	}},
	{verb: "Edit", run: func(ctx context.Context, w *world, c *cast) (any, error) {
		return nil, w.Edit(ctx, c.ann.ID, func(u *roster.User) error {
			u.RealName, u.Locale = "Ann Example", "fr"
			return counter.Set(u, counter.Get(u)+1)
		})
	}},
	{verb: "Edit", name: "of the name", run: func(ctx context.Context, w *world, c *cast) (any, error) {
		return nil, w.Edit(ctx, c.ann.ID, func(u *roster.User) error { u.Name = "Anna"; return nil })
	}},
	{verb: "Edit", name: "of the name of a deleted user", run: func(ctx context.Context, w *world, c *cast) (any, error) {
		return nil, w.Edit(ctx, c.dan.ID, func(u *roster.User) error { u.Name = "dan2"; return nil })
	}},
	{verb: "Edit", name: "to link a directory", run: func(ctx context.Context, w *world, c *cast) (any, error) {
		return nil, w.Edit(ctx, c.ann.ID, func(u *roster.User) error { u.DirectoryID = "theirs"; return nil })
	}},
	{verb: "Edit", name: "to ban", run: func(ctx context.Context, w *world, c *cast) (any, error) {
		return nil, w.Edit(ctx, c.ann.ID, func(u *roster.User) error { u.Flags |= roster.FlagBanned; return nil })
	}},
	{
		verb: "Save", model: true,
		prepare: func(w *world, c *cast) {
			u, err := w.ByID(context.Background(), c.ann.ID)
			w.must(err)
			u.RealName, u.Name = "Ann Example", "Anna"
			c.model = u
		},
		run: func(ctx context.Context, w *world, c *cast) (any, error) { return nil, w.Save(ctx, c.model) },
	},
	{verb: "AddEmail", run: func(ctx context.Context, w *world, c *cast) (any, error) {
		return w.AddEmail(ctx, c.ann.ID, "ann-5@example.org")
	}},
	{verb: "AddEmail", name: "for the second time", run: func(ctx context.Context, w *world, c *cast) (any, error) {
		return w.AddEmail(ctx, c.ann.ID, "ann-3@example.org")
	}},
	{verb: "AddEmail", name: "of somebody else's", run: func(ctx context.Context, w *world, c *cast) (any, error) {
		return w.AddEmail(ctx, c.ann.ID, "cid@example.org")
	}},
	{verb: "ChangeEmail", run: func(ctx context.Context, w *world, c *cast) (any, error) {
		return w.ChangeEmail(ctx, c.ann.ID, "ann-5@example.org")
	}},
	{verb: "ChangeEmail", name: "to one that is activated", run: func(ctx context.Context, w *world, c *cast) (any, error) {
		return w.ChangeEmail(ctx, c.ann.ID, "ann-2@example.org")
	}},
	{verb: "AddActivatedEmail", run: func(ctx context.Context, w *world, c *cast) (any, error) {
		return w.AddActivatedEmail(ctx, c.ben.ID, "vouched@example.org")
	}},
	{verb: "AddActivatedEmail", name: "with rivals", run: func(ctx context.Context, w *world, c *cast) (any, error) {
		return w.AddActivatedEmail(ctx, c.ann.ID, "shared@example.org")
	}},
	{verb: "SetPrimaryEmail", run: func(ctx context.Context, w *world, c *cast) (any, error) {
		return nil, w.SetPrimaryEmail(ctx, c.ann.ID, c.email["ann-2@example.org"])
	}},
	{verb: "RemoveEmail", run: func(ctx context.Context, w *world, c *cast) (any, error) {
		return nil, w.RemoveEmail(ctx, c.ann.ID, c.email["ann-2@example.org"])
	}},
	{verb: "RemoveEmail", name: "that is primary and pending", run: func(ctx context.Context, w *world, c *cast) (any, error) {
		return nil, w.RemoveEmail(ctx, c.ben.ID, c.email["ben@example.org"])
	}},
	{verb: "RemoveEmail", name: "of a deleted user", run: func(ctx context.Context, w *world, c *cast) (any, error) {
		return nil, w.RemoveEmail(ctx, c.dan.ID, c.email["dan@example.org"])
	}},
	{verb: "Emails", run: func(ctx context.Context, w *world, c *cast) (any, error) { return w.Emails(ctx, c.ann.ID) }},
	{verb: "EmailsOf", run: func(ctx context.Context, w *world, c *cast) (any, error) {
		return w.EmailsOf(ctx, c.ann.ID, c.ben.ID)
	}},
	{verb: "PrimaryEmail", run: func(ctx context.Context, w *world, c *cast) (any, error) {
		return w.PrimaryEmail(ctx, c.ann.ID)
	}},
	{verb: "EmailInUse", run: func(ctx context.Context, w *world, c *cast) (any, error) {
		return w.EmailInUse(ctx, "ann@example.org")
	}},
	{verb: "ByID", run: func(ctx context.Context, w *world, c *cast) (any, error) { return w.ByID(ctx, c.ann.ID) }},
	{verb: "ByUUID", run: func(ctx context.Context, w *world, c *cast) (any, error) { return w.ByUUID(ctx, c.ann.UUID) }},
	{verb: "ByName", run: func(ctx context.Context, w *world, c *cast) (any, error) { return w.ByName(ctx, "ＡＮＮ") }},
	{verb: "ByEmail", run: func(ctx context.Context, w *world, c *cast) (any, error) {
		return w.ByEmail(ctx, "ann@EXAMPLE.org")
	}},
	{verb: "ByAddress", run: func(ctx context.Context, w *world, c *cast) (any, error) {
		return w.ByAddress(ctx, "Ann <ann@example.org>")
	}},
	{verb: "ByIDs", run: func(ctx context.Context, w *world, c *cast) (any, error) {
		return w.ByIDs(ctx, c.ann.ID, c.dan.ID)
	}},
	{verb: "Search", run: func(ctx context.Context, w *world, c *cast) (any, error) {
		return w.Search(ctx, roster.Query{Pattern: "ann"})
	}},
	{verb: "Count", run: func(ctx context.Context, w *world, c *cast) (any, error) { return w.Count(ctx, roster.Query{}) }},
	{verb: "All", run: func(ctx context.Context, w *world, c *cast) (any, error) { return nil, walk(w.All(ctx)) }},
	{verb: "Each", name: "page by page", run: func(ctx context.Context, w *world, c *cast) (any, error) {
		return nil, walk(w.Each(ctx, roster.Query{Limit: 1, State: roster.StateLive}))
	}},
	{
		verb: "Prune", partial: true,
		prepare: func(w *world, c *cast) { w.clock.Advance(9 * 24 * time.Hour) },
		run: func(ctx context.Context, w *world, c *cast) (any, error) {
			_, err := w.Prune(ctx, roster.Budget{})
			return nil, err // what was removed comes beside the error
		},
	},
	{verb: "Check", run: func(ctx context.Context, w *world, c *cast) (any, error) {
		_, err := w.Check(ctx)
		return nil, err
	}},
	{verb: "Atomic", name: "of several verbs", run: func(ctx context.Context, w *world, c *cast) (any, error) {
		return nil, w.Atomic(ctx, func(ctx context.Context) error {
			u := &roster.User{Name: "nina"}
			if err := w.Create(ctx, u); err != nil {
				return err
			}
			if _, err := w.AddEmail(ctx, u.ID, "nina@example.org"); err != nil {
				return err
			}
			if err := w.Delete(ctx, c.ann.ID); err != nil {
				return err
			}
			if _, err := w.ByID(ctx, c.ann.ID); !errors.Is(err, roster.ErrNotFound) {
				return fmt.Errorf("a deleted user is found in the transaction: %w", err)
			}
			return w.Edit(ctx, c.ben.ID, func(u *roster.User) error { u.RealName = "Ben"; return nil })
		})
	}},
	{verb: "Atomic", name: "that swallows errors", swallows: true, run: func(ctx context.Context, w *world, c *cast) (any, error) {
		return nil, w.Atomic(ctx, func(ctx context.Context) error {
			_ = w.Create(ctx, &roster.User{Name: "nina"})
			_ = w.Disable(ctx, c.ann.ID)
			return nil
		})
	}},
}
