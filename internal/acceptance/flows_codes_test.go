package acceptance

import (
	"context"

	"github.com/go-roster/roster"
)

// codeFlows sign people up, and redeem what was mailed to them.
var codeFlows = []flow{
	{verb: "Register", run: func(ctx context.Context, w *world, c *cast) (any, error) {
		return w.Register(ctx, roster.NewUser{
			Name: "nina", Email: "nina@example.org", Password: goodPassword, Locale: "de", Timezone: "Europe/Berlin",
		})
	}},
	{verb: "Register", name: "with the address of somebody else", run: func(ctx context.Context, w *world, c *cast) (any, error) {
		return w.Register(ctx, roster.NewUser{Name: "nina", Email: "ann@example.org", Password: goodPassword})
	}},
	{verb: "Register", name: "with a name that is taken", refused: roster.ErrConflict, run: func(ctx context.Context, w *world, c *cast) (any, error) {
		return w.Register(ctx, roster.NewUser{Name: "ANN", Email: "nina@example.org", Password: goodPassword})
	}},
	{verb: "Register", name: "with a name that is held back", refused: roster.ErrConflict, run: func(ctx context.Context, w *world, c *cast) (any, error) {
		return w.Register(ctx, roster.NewUser{Name: "dan", Email: "nina@example.org", Password: goodPassword})
	}},
	{verb: "CheckNewUser", run: func(ctx context.Context, w *world, c *cast) (any, error) {
		return nil, w.CheckNewUser(roster.NewUser{Name: "nina", Email: "nina@example.org", Password: goodPassword})
	}},
	{
		verb: "Create", model: true,
		prepare: func(w *world, c *cast) { c.model = &roster.User{Name: "nina", RealName: "New One"} },
		run:     func(ctx context.Context, w *world, c *cast) (any, error) { return nil, w.Create(ctx, c.model) },
	},
	{
		verb: "Create", name: "without a name", model: true,
		prepare: func(w *world, c *cast) { c.model = &roster.User{RealName: "Nameless"} },
		run:     func(ctx context.Context, w *world, c *cast) (any, error) { return nil, w.Create(ctx, c.model) },
	},
	{verb: "Activate", name: "an account", run: func(ctx context.Context, w *world, c *cast) (any, error) {
		return w.Activate(ctx, c.codes["ben@example.org"])
	}},
	{verb: "Activate", name: "one more address", run: func(ctx context.Context, w *world, c *cast) (any, error) {
		return w.Activate(ctx, c.codes["ann-3@example.org"])
	}},
	{verb: "Activate", name: "an address with a rival", run: func(ctx context.Context, w *world, c *cast) (any, error) {
		return w.Activate(ctx, c.codes["shared@example.org"])
	}},
	{
		verb: "Activate", name: "an address that is the rival's primary one",
		prepare: func(w *world, c *cast) {
			w.claimed(c.cid.ID, "ben@example.org")
			c.code = w.post.code(w.t, "ben@example.org")
		},
		run: func(ctx context.Context, w *world, c *cast) (any, error) { return w.Activate(ctx, c.code) },
	},
	{
		verb: "Activate", name: "a change of the primary address",
		prepare: func(w *world, c *cast) {
			_, err := w.ChangeEmail(context.Background(), c.ann.ID, "ann-4@example.org")
			w.must(err)
			c.code = w.post.code(w.t, "ann-4@example.org")
		},
		run: func(ctx context.Context, w *world, c *cast) (any, error) { return w.Activate(ctx, c.code) },
	},
	{
		verb: "Activate", name: "with a used code", refused: roster.ErrActivation,
		prepare: func(w *world, c *cast) {
			_, err := w.Activate(context.Background(), c.codes["ben@example.org"])
			w.must(err)
		},
		run: func(ctx context.Context, w *world, c *cast) (any, error) {
			return w.Activate(ctx, c.codes["ben@example.org"])
		},
	},
	{
		// The claim is dropped together with its code.
		verb: "Activate", name: "when somebody else was quicker", refused: roster.ErrActivation,
		prepare: func(w *world, c *cast) {
			_, err := w.Activate(context.Background(), c.codes["shared@example.org"])
			w.must(err)
		},
		run: func(ctx context.Context, w *world, c *cast) (any, error) {
			return w.Activate(ctx, c.codes["shared@example.org of ben"])
		},
	},
	{
		verb: "Activate", name: "without the password", refused: roster.ErrPasswordRequired, options: strict,
		run: func(ctx context.Context, w *world, c *cast) (any, error) {
			return w.Activate(ctx, c.codes["ben@example.org"])
		},
	},
	{
		verb: "ActivateWithPassword", name: "that the account has", options: strict,
		run: func(ctx context.Context, w *world, c *cast) (any, error) {
			return w.ActivateWithPassword(ctx, c.codes["ben@example.org"], goodPassword)
		},
	},
	{
		verb: "ActivateWithPassword", name: "that is another", options: strict,
		run: func(ctx context.Context, w *world, c *cast) (any, error) {
			return w.ActivateWithPassword(ctx, c.codes["ben@example.org"], otherPassword)
		},
	},
	{
		verb: "ActivateWithPassword", name: "of an invitation",
		prepare: func(w *world, c *cast) {
			_, err := w.Invite(context.Background(), roster.NewUser{Name: "nina", Email: "nina@example.org"})
			w.must(err)
			c.code = w.post.code(w.t, "nina@example.org")
		},
		run: func(ctx context.Context, w *world, c *cast) (any, error) {
			return w.ActivateWithPassword(ctx, c.code, otherPassword)
		},
	},
	{
		verb: "ActivateWithPassword", name: "after the first proof", refused: roster.ErrActivation,
		run: func(ctx context.Context, w *world, c *cast) (any, error) {
			return w.ActivateWithPassword(ctx, c.codes["ann-3@example.org"], otherPassword)
		},
	},
	{verb: "Invite", run: func(ctx context.Context, w *world, c *cast) (any, error) {
		return w.Invite(ctx, roster.NewUser{Email: "nina@example.org"})
	}},
	{verb: "Invite", name: "with a name that is taken", refused: roster.ErrConflict, run: func(ctx context.Context, w *world, c *cast) (any, error) {
		return w.Invite(ctx, roster.NewUser{Name: "ann", Email: "nina@example.org"})
	}},
	{verb: "Peek", name: "where a password is needed", options: strict, run: func(ctx context.Context, w *world, c *cast) (any, error) {
		return w.Peek(ctx, c.codes["ben@example.org"])
	}},
	{verb: "Peek", run: func(ctx context.Context, w *world, c *cast) (any, error) {
		return w.Peek(ctx, c.codes["ben@example.org"])
	}},
	{verb: "ResendActivation", name: "by name", run: func(ctx context.Context, w *world, c *cast) (any, error) {
		return nil, w.ResendActivation(ctx, "ben")
	}},
	{verb: "ResendActivation", name: "by address", run: func(ctx context.Context, w *world, c *cast) (any, error) {
		return nil, w.ResendActivation(ctx, "ann-3@example.org")
	}},
	{verb: "ResendActivation", name: "for nobody", run: func(ctx context.Context, w *world, c *cast) (any, error) {
		return nil, w.ResendActivation(ctx, "nobody@example.net")
	}},
	{verb: "RequestPasswordReset", name: "by name", run: func(ctx context.Context, w *world, c *cast) (any, error) {
		return nil, w.RequestPasswordReset(ctx, "ann")
	}},
	{verb: "RequestPasswordReset", name: "by address", run: func(ctx context.Context, w *world, c *cast) (any, error) {
		return nil, w.RequestPasswordReset(ctx, "ben@example.org")
	}},
	{verb: "RequestPasswordReset", name: "for nobody", run: func(ctx context.Context, w *world, c *cast) (any, error) {
		return nil, w.RequestPasswordReset(ctx, "nobody@example.net")
	}},
	{
		verb: "ResetPassword",
		prepare: func(w *world, c *cast) {
			w.must(w.RequestPasswordReset(context.Background(), "ann"))
			c.code = w.post.code(w.t, "ann@example.org")
		},
		run: func(ctx context.Context, w *world, c *cast) (any, error) {
			return w.ResetPassword(ctx, c.code, otherPassword)
		},
	},
	{
		verb: "ResetPassword", name: "of an account that is pending, with a rival",
		prepare: func(w *world, c *cast) {
			w.claimed(c.cid.ID, "gil@example.org")
			w.pending("gil", "gil@example.org")
			w.must(w.RequestPasswordReset(context.Background(), "gil"))
			c.code = w.post.code(w.t, "gil@example.org")
		},
		run: func(ctx context.Context, w *world, c *cast) (any, error) {
			return w.ResetPassword(ctx, c.code, otherPassword)
		},
	},
	{verb: "ResetPassword", name: "with a code for something else", refused: roster.ErrActivation, run: func(ctx context.Context, w *world, c *cast) (any, error) {
		return w.ResetPassword(ctx, c.codes["ben@example.org"], otherPassword)
	}},
	{
		verb: "UndoChange",
		prepare: func(w *world, c *cast) {
			w.must(w.SetPrimaryEmail(context.Background(), c.ann.ID, c.email["ann-2@example.org"]))
			c.code = w.post.code(w.t, "ann@example.org")
			w.must(w.SetPassword(context.Background(), c.ann.ID, goodPassword)) // a code for the other one
		},
		run: func(ctx context.Context, w *world, c *cast) (any, error) {
			return w.UndoChange(ctx, c.code, otherPassword)
		},
	},
	{
		verb: "UndoChange", name: "of an address that was removed, with a rival",
		prepare: func(w *world, c *cast) {
			ctx := context.Background()
			w.must(w.SetPrimaryEmail(ctx, c.ann.ID, c.email["ann-2@example.org"]))
			w.must(w.RemoveEmail(ctx, c.ann.ID, c.email["ann@example.org"]))
			c.code = w.post.code(w.t, "ann@example.org")
			w.claimed(c.cid.ID, "ann@example.org")
		},
		run: func(ctx context.Context, w *world, c *cast) (any, error) {
			return w.UndoChange(ctx, c.code, otherPassword)
		},
	},
	{verb: "UndoChange", name: "with a code for something else", refused: roster.ErrActivation, run: func(ctx context.Context, w *world, c *cast) (any, error) {
		return w.UndoChange(ctx, c.codes["ben@example.org"], otherPassword)
	}},
	{
		verb: "AcceptChange",
		prepare: func(w *world, c *cast) {
			w.must(w.SetPassword(context.Background(), c.ann.ID, goodPassword))
			c.code = w.post.code(w.t, "ann@example.org")
		},
		run: func(ctx context.Context, w *world, c *cast) (any, error) { return nil, w.AcceptChange(ctx, c.code) },
	},
	{
		verb: "Peek", name: "at the code of a notice",
		prepare: func(w *world, c *cast) {
			w.must(w.SetPassword(context.Background(), c.ann.ID, goodPassword))
			c.code = w.post.code(w.t, "ann@example.org")
		},
		run: func(ctx context.Context, w *world, c *cast) (any, error) { return w.Peek(ctx, c.code) },
	},
}
