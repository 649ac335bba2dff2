package acceptance

import (
	"context"
	"slices"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/rostertest"
)

// byGoogle is what a provider that vouches for addresses says, byTwitter what one
// that does not.
func byGoogle(subject string, emails ...string) roster.Identity {
	return roster.Identity{
		Provider: "google", Subject: subject, Name: "nina", RealName: "Nina New", Emails: emails, EmailsVerified: true, Locale: "de",
		Data: roster.Data{"picture": []byte(`"1.png"`)},
	}
}

func byTwitter(subject string, emails ...string) roster.Identity {
	id := byGoogle(subject, emails...)
	id.Provider, id.EmailsVerified = "twitter", false
	return id
}

// with is a call of AuthenticateWith, by itself and with a session.
func with(name string, id roster.Identity, prepare func(w *world, c *cast), refused error) []flow {
	return []flow{
		{
			verb: "AuthenticateWith", name: name, prepare: prepare, refused: refused, partial: true,
			run: func(ctx context.Context, w *world, c *cast) (any, error) { return w.AuthenticateWith(ctx, id) },
		},
		{
			verb: "SignInWith", name: name, prepare: prepare, refused: refused, partial: true,
			run: func(ctx context.Context, w *world, c *cast) (any, error) { return one(w.SignInWith(ctx, id)) },
		},
	}
}

func linked(w *world, c *cast) {
	w.must(w.LinkIdentity(context.Background(), c.ann.ID, byGoogle("1")))
	w.must(w.LinkIdentity(context.Background(), c.ann.ID, byGoogle("2")))
}

// waiting signs nina up by a provider that vouches for nothing.
func waiting(w *world, c *cast) {
	_, err := w.AuthenticateWith(context.Background(), byTwitter("1", "nina@example.org"))
	if err == nil {
		w.t.Fatal("signed in")
	}
	c.code = w.post.code(w.t, "nina@example.org")
}

// identityFlows sign in by outside identities, and give and take them.
var identityFlows = slices.Concat(
	with("somebody new", byGoogle("1", "nina@example.org", "nina-2@example.org"), nil, nil),
	with("somebody new without a free name", byGoogle("1", "shared@example.org"), func(w *world, c *cast) {
		w.must(w.Create(context.Background(), &roster.User{Name: "nina"}))
	}, nil),
	with("by an address", byGoogle("1", "ann-2@example.org"), nil, nil),
	with("again", byGoogle("1", "elsewhere@example.org"), linked, nil),
	with("somebody disabled", byGoogle("1"), func(w *world, c *cast) {
		linked(w, c)
		w.must(w.Disable(context.Background(), c.ann.ID))
	}, roster.ErrCredentials),
	[]flow{
		{
			verb: "AuthenticateWith", name: "somebody who has yet to prove an address", partial: true,
			options: func(o *roster.Options) { o.SkipActivation = true },
			run: func(ctx context.Context, w *world, c *cast) (any, error) {
				return w.AuthenticateWith(ctx, byTwitter("1", "nina@example.org"))
			},
		},
		{verb: "LinkIdentity", run: func(ctx context.Context, w *world, c *cast) (any, error) {
			return nil, w.LinkIdentity(ctx, c.ann.ID, byGoogle("1"))
		}},
		{verb: "LinkIdentity", name: "of somebody else", prepare: linked, refused: roster.ErrConflict, run: func(ctx context.Context, w *world, c *cast) (any, error) {
			return nil, w.LinkIdentity(ctx, c.cid.ID, byGoogle("1"))
		}},
		{verb: "UnlinkIdentity", prepare: linked, run: func(ctx context.Context, w *world, c *cast) (any, error) {
			return nil, w.UnlinkIdentity(ctx, c.ann.ID, "google", "1")
		}},
		{verb: "Identities", prepare: linked, run: func(ctx context.Context, w *world, c *cast) (any, error) {
			return w.Identities(ctx, c.ann.ID)
		}},
		{verb: "ActivateWithIdentity", prepare: waiting, options: strict, run: func(ctx context.Context, w *world, c *cast) (any, error) {
			return w.ActivateWithIdentity(ctx, c.code, byTwitter("1"))
		}},
		{verb: "ActivateWithIdentity", name: "of the owner of the mailbox", prepare: waiting, options: strict, run: func(ctx context.Context, w *world, c *cast) (any, error) {
			return w.ActivateWithIdentity(ctx, c.code, byGoogle("9"))
		}},
		{verb: "ActivateWithPassword", name: "in place of an identity", prepare: waiting, options: strict, run: func(ctx context.Context, w *world, c *cast) (any, error) {
			return w.ActivateWithPassword(ctx, c.code, goodPassword)
		}},
	},
)

// corp is a directory with nina, and with somebody whose name ann has.
func corp(o *roster.Options) {
	d := rostertest.NewDirectory("corp")
	d.Map(map[string]string{"cn=staff": "staff", "cn=admins": roster.GroupAdmin})
	d.Put(goodPassword, roster.Identity{
		Subject: "nina", DN: "uid=nina", Name: "nina", RealName: "Nina New", Emails: []string{"shared@example.org", "ann@example.org", "nina@example.org"},
		EmailsVerified: true, Groups: []string{"cn=admins", "cn=staff"},
	})
	d.Put(goodPassword, roster.Identity{Subject: "other", DN: "uid=ann", Name: "ann", RealName: "Another Ann", Emails: []string{"other@corp.example"}})
	o.Directories = []roster.Directory{d}
}

// grouped makes the one group that the directory's list names and that is there.
func grouped(w *world, _ *cast) {
	_, err := w.BuiltInGroup(context.Background(), roster.GroupAdmin)
	w.must(err)
}

// employed is nina after her first sign-in, with what has changed since.
func employed(w *world, c *cast) {
	grouped(w, c)
	_, err := w.Authenticate(context.Background(), "nina", goodPassword)
	w.must(err)
	u, err := w.ByName(context.Background(), "nina")
	w.must(err)
	w.must(w.Edit(context.Background(), u.ID, func(u *roster.User) error { u.RealName = "Changed Here"; return nil }))
	g, err := w.BuiltInGroup(context.Background(), roster.GroupAdmin)
	w.must(err)
	w.must(w.AddMember(context.Background(), g.ID, c.ann.ID, "")) // an administrator has to stay
	w.must(w.RemoveMember(context.Background(), g.ID, u.ID))
	c.model, err = w.ByName(context.Background(), "nina")
	w.must(err)
}

// directoryFlows sign in through a directory, and follow it.
var directoryFlows = []flow{
	{
		verb: "Authenticate", name: "somebody new through a directory", options: corp, prepare: grouped, partial: true,
		run: func(ctx context.Context, w *world, c *cast) (any, error) {
			return w.Authenticate(ctx, "nina", goodPassword)
		},
	},
	{
		verb: "Authenticate", name: "somebody of a directory again", options: corp, prepare: employed, partial: true,
		run: func(ctx context.Context, w *world, c *cast) (any, error) {
			return w.Authenticate(ctx, "nina", goodPassword)
		},
	},
	{
		verb: "Authenticate", name: "somebody whose name is taken", options: corp, prepare: grouped, partial: true, refused: roster.ErrCredentials,
		run: func(ctx context.Context, w *world, c *cast) (any, error) {
			return w.Authenticate(ctx, "other@corp.example", goodPassword)
		},
	},
	{
		verb: "Authenticate", name: "with a wrong password of a directory", options: corp, prepare: grouped, partial: true, refused: roster.ErrCredentials,
		run: func(ctx context.Context, w *world, c *cast) (any, error) {
			return w.Authenticate(ctx, "nina", otherPassword)
		},
	},
	{
		verb: "CheckPassword", name: "of a directory", options: corp, prepare: employed, partial: true,
		run: func(ctx context.Context, w *world, c *cast) (any, error) {
			return nil, w.CheckPassword(ctx, c.model.ID, goodPassword)
		},
	},
	{
		verb: "LinkDirectory", options: corp, run: func(ctx context.Context, w *world, c *cast) (any, error) {
			return nil, w.LinkDirectory(ctx, c.ann.ID, "corp", "other")
		},
	},
	{
		verb: "UnlinkDirectory", options: corp, prepare: employed, run: func(ctx context.Context, w *world, c *cast) (any, error) {
			return nil, w.UnlinkDirectory(ctx, c.model.ID)
		},
	},
	{
		verb: "PlanSync", options: corp, prepare: employed, run: func(ctx context.Context, w *world, c *cast) (any, error) {
			return w.PlanSync(ctx, "corp", roster.Brake{})
		},
	},
	{
		verb: "ApplySync", name: "nina", options: corp, prepare: grouped, partial: true, run: func(ctx context.Context, w *world, c *cast) (any, error) {
			p, err := w.PlanSync(ctx, "corp", roster.Brake{})
			if err != nil {
				return nil, err
			}
			_, err = w.ApplySync(ctx, p)
			return nil, err // what was done comes beside the error
		},
	},
}
