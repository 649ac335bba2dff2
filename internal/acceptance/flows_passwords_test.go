package acceptance

import (
	"context"
	"time"

	"github.com/go-roster/roster"
)

// passwordFlows set passwords, and check them.
var passwordFlows = []flow{
	{verb: "SetPassword", run: func(ctx context.Context, w *world, c *cast) (any, error) {
		return nil, w.SetPassword(ctx, c.ann.ID, otherPassword)
	}},
	{verb: "SetPassword", name: "the first one", run: func(ctx context.Context, w *world, c *cast) (any, error) {
		return nil, w.SetPassword(ctx, c.fay.ID, otherPassword)
	}},
	{verb: "ImportPassword", run: func(ctx context.Context, w *world, c *cast) (any, error) {
		return nil, w.ImportPassword(ctx, c.fay.ID, "weak$"+otherPassword)
	}, options: mayWrap},
	{verb: "ImportPassword", name: "over another one", refused: roster.ErrConflict, run: func(ctx context.Context, w *world, c *cast) (any, error) {
		return nil, w.ImportPassword(ctx, c.ann.ID, "weak$"+otherPassword)
	}, options: mayWrap},
	{verb: "PasswordFormats", run: func(ctx context.Context, w *world, c *cast) (any, error) {
		return w.PasswordFormats(ctx)
	}},
	{
		verb: "WrapPasswords", partial: true, options: mayWrap,
		prepare: func(w *world, c *cast) {
			if err := w.ImportPassword(context.Background(), c.fay.ID, "weak$"+otherPassword); err != nil {
				panic(err)
			}
		},
		run: func(ctx context.Context, w *world, c *cast) (any, error) {
			_, err := w.WrapPasswords(ctx, "", roster.Budget{})
			return nil, err // what was wrapped comes beside the error
		},
	},
	{verb: "GeneratePassword", run: func(ctx context.Context, w *world, c *cast) (any, error) {
		return w.GeneratePassword(ctx, c.ann.ID, roster.Generated{})
	}},
	{verb: "RequirePasswordChange", run: func(ctx context.Context, w *world, c *cast) (any, error) {
		return nil, w.RequirePasswordChange(ctx, c.ann.ID, time.Hour)
	}},
	{verb: "RequirePasswordReset", run: func(ctx context.Context, w *world, c *cast) (any, error) {
		return nil, w.RequirePasswordReset(ctx, c.ann.ID)
	}},
	{verb: "RemovePassword", run: func(ctx context.Context, w *world, c *cast) (any, error) {
		return nil, w.RemovePassword(ctx, c.ann.ID)
	}},
	{verb: "RemovePassword", name: "of somebody without one", run: func(ctx context.Context, w *world, c *cast) (any, error) {
		return nil, w.RemovePassword(ctx, c.fay.ID)
	}},
	{
		verb:    "RenewPassword",
		prepare: func(w *world, c *cast) { w.must(w.RequirePasswordChange(context.Background(), c.ann.ID, time.Hour)) },
		run: func(ctx context.Context, w *world, c *cast) (any, error) {
			return w.RenewPassword(ctx, "ann", goodPassword, otherPassword)
		},
	},
	{
		verb: "RenewPassword", name: "with one that has expired", refused: roster.ErrCredentials,
		prepare: func(w *world, c *cast) {
			w.must(w.store.PutCredential(context.Background(), &roster.Credential{
				UserID: c.ann.ID, Hash: roster.NewSecret("today$" + goodPassword), MustChange: true, ExpiresAt: w.clock.Now(),
			}))
		},
		run: func(ctx context.Context, w *world, c *cast) (any, error) {
			return w.RenewPassword(ctx, "ann", goodPassword, otherPassword)
		},
	},
	{
		verb: "Authenticate", name: "with one that must be changed", refused: roster.ErrMustChangePassword,
		prepare: func(w *world, c *cast) { w.must(w.RequirePasswordChange(context.Background(), c.ann.ID, time.Hour)) },
		run: func(ctx context.Context, w *world, c *cast) (any, error) {
			return w.Authenticate(ctx, "ann", goodPassword)
		},
	},
	{
		verb: "SignIn", name: "with one that must be changed", refused: roster.ErrMustChangePassword,
		prepare: func(w *world, c *cast) { w.must(w.RequirePasswordChange(context.Background(), c.ann.ID, time.Hour)) },
		run: func(ctx context.Context, w *world, c *cast) (any, error) {
			_, _, err := w.SignIn(ctx, "ann", goodPassword)
			return nil, err
		},
	},
	{verb: "ChangePassword", run: func(ctx context.Context, w *world, c *cast) (any, error) {
		return nil, w.ChangePassword(ctx, c.ann.ID, goodPassword, otherPassword)
	}},
	{verb: "ChangePassword", name: "with a wrong one", refused: roster.ErrCredentials, run: func(ctx context.Context, w *world, c *cast) (any, error) {
		return nil, w.ChangePassword(ctx, c.ann.ID, otherPassword, otherPassword)
	}},
	{verb: "CheckPassword", run: func(ctx context.Context, w *world, c *cast) (any, error) {
		return nil, w.CheckPassword(ctx, c.ann.ID, goodPassword)
	}},
	{verb: "CheckPassword", name: "with a wrong one", refused: roster.ErrCredentials, run: func(ctx context.Context, w *world, c *cast) (any, error) {
		return nil, w.CheckPassword(ctx, c.ann.ID, otherPassword)
	}},
	{verb: "CheckPassword", name: "of somebody without one", refused: roster.ErrCredentials, run: func(ctx context.Context, w *world, c *cast) (any, error) {
		return nil, w.CheckPassword(ctx, c.fay.ID, goodPassword)
	}},
	signIn("by name", "ann", goodPassword, nil),
	signIn("by address", "ann-2@example.org", goodPassword, nil),
	signIn("with a rehash", "gus", goodPassword, nil),
	signIn("with a wrong password", "ann", otherPassword, roster.ErrCredentials),
	signIn("of nobody", "nobody", goodPassword, roster.ErrCredentials),
	signIn("by a pending address", "ann-3@example.org", goodPassword, roster.ErrCredentials),
	signIn("of a disabled user", "eve", goodPassword, roster.ErrCredentials),
	signIn("of a deleted user", "dan", goodPassword, roster.ErrCredentials),
	signIn("of a pending user", "ben", goodPassword, roster.ErrNotActivated),
	signIn("of a pending user with a wrong password", "ben", otherPassword, roster.ErrCredentials),
	signIn("of somebody without a password", "fay", goodPassword, roster.ErrCredentials),
}
