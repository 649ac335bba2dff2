package acceptance

import (
	"context"
	"fmt"

	"github.com/go-roster/roster"
)

// sessionFlows are about who is signed in.
var sessionFlows = []flow{
	{verb: "SignIn", partial: true, run: func(ctx context.Context, w *world, c *cast) (any, error) {
		return one(w.SignIn(ctx, "ann", goodPassword))
	}},
	{verb: "SignIn", name: "with the wrong password", refused: roster.ErrCredentials, run: func(ctx context.Context, w *world, c *cast) (any, error) {
		return one(w.SignIn(ctx, "ann", "wrong password"))
	}},
	{verb: "StartSession", run: func(ctx context.Context, w *world, c *cast) (any, error) {
		return one(w.StartSession(ctx, c.ann))
	}},
	{verb: "StartSession", name: "after a change", refused: roster.ErrStale, prepare: func(w *world, c *cast) {
		w.must(w.SetPassword(context.Background(), c.ann.ID, otherPassword))
	}, run: func(ctx context.Context, w *world, c *cast) (any, error) {
		return one(w.StartSession(ctx, c.ann))
	}},
	{verb: "Session", prepare: signedIn, run: func(ctx context.Context, w *world, c *cast) (any, error) {
		return w.Session(ctx, c.code)
	}},
	{verb: "Session", name: "in which somebody else acts", prepare: impersonating, options: mayImpersonate, run: func(ctx context.Context, w *world, c *cast) (any, error) {
		return w.Session(ctx, c.code)
	}},
	{verb: "IsFresh", run: func(ctx context.Context, w *world, c *cast) (any, error) {
		w.IsFresh(&roster.Session{})
		return nil, nil
	}},
	{verb: "RequireFresh", refused: roster.ErrReauthenticate, run: func(ctx context.Context, w *world, c *cast) (any, error) {
		return nil, w.RequireFresh(&roster.Session{UserID: c.ann.ID})
	}},
	{verb: "RenewSession", prepare: signedIn, run: func(ctx context.Context, w *world, c *cast) (any, error) {
		return one(w.RenewSession(ctx, c.code))
	}},
	{verb: "Reauthenticate", prepare: signedIn, run: func(ctx context.Context, w *world, c *cast) (any, error) {
		return one(w.Reauthenticate(ctx, c.code, goodPassword))
	}},
	{verb: "ChangePasswordIn", prepare: signedIn, run: func(ctx context.Context, w *world, c *cast) (any, error) {
		return one(w.ChangePasswordIn(ctx, c.code, goodPassword, otherPassword))
	}},
	{verb: "Sessions", prepare: signedIn, run: func(ctx context.Context, w *world, c *cast) (any, error) {
		return w.Sessions(ctx, c.ann.ID)
	}},
	{verb: "EndSession", prepare: signedIn, run: func(ctx context.Context, w *world, c *cast) (any, error) {
		all, err := w.Users.Sessions(context.Background(), c.ann.ID)
		if err != nil || len(all) == 0 {
			return nil, fmt.Errorf("no session: %w", err)
		}
		return nil, w.EndSession(ctx, c.ann.ID, all[0].ID)
	}, partial: true},
	{verb: "EndOtherSessions", prepare: func(w *world, c *cast) {
		signedIn(w, c)
		signedIn(w, c)
	}, run: func(ctx context.Context, w *world, c *cast) (any, error) {
		return w.EndOtherSessions(ctx, c.code)
	}},
	{verb: "EndSessions", prepare: signedIn, run: func(ctx context.Context, w *world, c *cast) (any, error) {
		return nil, w.EndSessions(ctx, c.ann.ID)
	}},
	{verb: "SignOut", prepare: signedIn, run: func(ctx context.Context, w *world, c *cast) (any, error) {
		return nil, w.SignOut(ctx, c.code)
	}},
	{verb: "Impersonate", prepare: signedIn, options: mayImpersonate, run: func(ctx context.Context, w *world, c *cast) (any, error) {
		return one(w.Impersonate(ctx, c.code, c.cid.ID))
	}},
	{verb: "Impersonate", name: "a user who is disabled", refused: roster.ErrForbidden, prepare: signedIn, options: mayImpersonate, run: func(ctx context.Context, w *world, c *cast) (any, error) {
		return one(w.Impersonate(ctx, c.code, c.eve.ID))
	}},
	{verb: "StopImpersonating", prepare: impersonating, options: mayImpersonate, run: func(ctx context.Context, w *world, c *cast) (any, error) {
		return one(w.StopImpersonating(ctx, c.code))
	}},
}
