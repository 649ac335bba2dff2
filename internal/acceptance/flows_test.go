package acceptance

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/rostertest"
)

// flow is one call of a verb, on accounts that prepare brings into a state.
type flow struct {
	verb    string // the method of Users
	name    string // what is special
	prepare func(w *world, c *cast)
	run     func(ctx context.Context, w *world, c *cast) (any, error)

	// partial says that the verb is not one transaction: a fault may leave a
	// part of its effect, or be passed over.
	partial bool

	// swallows says that the program goes on after an error inside.
	swallows bool

	// model says that the verb takes a model, which a panic may leave in any
	// state.
	model bool

	// refused is what the verb answers where nothing goes wrong; nil is
	// success.
	refused error

	options func(*roster.Options)
}

func (f flow) String() string {
	if f.name == "" {
		return f.verb
	}
	return f.verb + " " + f.name
}

// cast is who there is before a flow.
type cast struct {
	ann *roster.User // active; ann@ primary, ann-2@ proven, ann-3@ pending
	ben *roster.User // pending; ben@, and shared@
	cid *roster.User // active; cid@, and a claim on shared@
	dan *roster.User // deleted; dan@
	eve *roster.User // disabled, eve@
	fay *roster.User // active, without a password
	gus *roster.User // active, with a hash of former parameters

	codes map[string]string         // the newest by address
	email map[string]roster.EmailID // by address

	code  string       // what prepare leaves for run
	model *roster.User // the same
}

// world is accounts with the options of the flow.
func (f flow) world(t testing.TB, store roster.Store) *world {
	return newWorld(t, store, func(o *roster.Options) {
		if f.options != nil {
			f.options(o)
		}
	})
}

// names are the name keys that a dump asks for, besides those of the users.
var names = []string{"ann", "ben", "cid", "dan", "eve", "fay", "gus", "nina", "anna", "dan2"}

func newCast(w *world) *cast {
	ctx := context.Background()
	c := &cast{codes: map[string]string{}, email: map[string]roster.EmailID{}}
	c.ann = w.active("ann", "ann@example.org")
	w.proven(c.ann.ID, "ann-2@example.org")
	w.claimed(c.ann.ID, "ann-3@example.org")
	c.ben = w.pending("ben", "ben@example.org")
	w.claimed(c.ben.ID, "shared@example.org")
	c.codes["shared@example.org of ben"] = w.post.code(w.t, "shared@example.org")
	c.cid = w.active("cid", "cid@example.org")
	w.claimed(c.cid.ID, "shared@example.org")
	c.dan = w.active("dan", "dan@example.org")
	w.must(w.Delete(ctx, c.dan.ID))
	c.eve = w.active("eve", "eve@example.org")
	w.must(w.Disable(ctx, c.eve.ID))
	c.fay = &roster.User{Name: "fay", ActivatedAt: w.clock.Now()}
	w.must(w.Create(ctx, c.fay))
	c.gus = w.active("gus", "gus@example.org")
	w.must(w.store.PutCredential(ctx, &roster.Credential{
		UserID: c.gus.ID, Hash: roster.NewSecret("former$" + goodPassword), CreatedAt: w.clock.Now(),
	}))
	for _, m := range w.post.take() {
		if !m.Code.IsZero() {
			c.codes[m.To] = m.Code.Reveal()
		}
	}
	rows, err := readRows(ctx, w.store)
	w.must(err)
	for _, e := range rows.emails {
		c.email[e.Address] = e.ID
	}
	return c
}

const otherPassword = "another good password"

// flows has every verb of Users, with every way through it that makes other
// calls of the store.
var flows = []flow{
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
		prepare: func(w *world, c *cast) { w.clock.Advance(8 * 24 * time.Hour) },
		run: func(ctx context.Context, w *world, c *cast) (any, error) {
			_, err := w.Prune(ctx, roster.Budget{})
			return nil, err // what was removed comes beside the error
		},
	},
	{verb: "Check", run: func(ctx context.Context, w *world, c *cast) (any, error) {
		_, err := w.Check(ctx)
		return nil, err
	}},
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

// one leaves the token out of what a verb returns.
func one(s *roster.Session, _ roster.Secret, err error) (any, error) { return s, err }

// signedIn leaves the token of a session of ann, and impersonating of one in
// which ann acts as cid. They are a second old.
func signedIn(w *world, c *cast) {
	w.clock.Advance(-time.Second)
	defer w.clock.Advance(time.Second)
	_, token, err := w.SignIn(context.Background(), "ann", goodPassword)
	w.must(err)
	c.code = token.Reveal()
}

func impersonating(w *world, c *cast) {
	signedIn(w, c)
	_, token, err := w.Impersonate(context.Background(), c.code, c.cid.ID)
	w.must(err)
	c.code = token.Reveal()
}

func mayImpersonate(o *roster.Options) {
	o.MayImpersonate = func(context.Context, *roster.User, *roster.User) error { return nil }
}

func walk(users iter.Seq2[*roster.User, error]) error {
	for _, err := range users {
		if err != nil {
			return err
		}
	}
	return nil
}

func signIn(name, login, password string, refused error) flow {
	return flow{
		verb: "Authenticate", name: name, refused: refused, partial: true,
		options: func(o *roster.Options) { o.Hasher = twoHashers{} },
		run: func(ctx context.Context, w *world, c *cast) (any, error) {
			ctx = roster.WithClient(ctx, roster.Client{Addr: netip.MustParseAddr("192.0.2.1")})
			return w.Authenticate(ctx, login, password)
		},
	}
}

// twoHashers makes hashes of today's form and knows a former one.
type twoHashers struct{}

func (twoHashers) Hash(ctx context.Context, password string) (string, error) {
	return "today$" + password, ctx.Err()
}

func (twoHashers) Verify(ctx context.Context, hash, password string) (ok, rehash bool, err error) {
	form, of, _ := strings.Cut(hash, "$")
	switch form {
	case "today":
		return of == password, false, ctx.Err()
	case "former":
		return of == password, of == password, ctx.Err()
	case "dummy":
		return false, false, ctx.Err()
	}
	return false, false, errors.New("unknown hash")
}

func (twoHashers) Dummy() string { return "dummy$" }

func (twoHashers) Memory(string) int64 { return 0 }

// wrapping takes no time and wraps the hash of a weak kind.
type wrapping struct{ rostertest.Hasher }

const weakHash = "weak$"

func (h wrapping) Verify(ctx context.Context, hash, password string) (ok, rehash bool, err error) {
	if rest, weak := strings.CutPrefix(hash, weakHash); weak {
		return rest == password, rest == password, ctx.Err()
	}
	return h.Hasher.Verify(ctx, hash, password)
}

func (h wrapping) Format(hash string) (string, error) {
	if strings.HasPrefix(hash, weakHash) {
		return "weak", nil
	}
	return h.Hasher.Format(hash)
}

func (h wrapping) Wrap(ctx context.Context, hash string) (string, error) {
	if rest, weak := strings.CutPrefix(hash, weakHash); weak {
		return h.Hash(ctx, rest)
	}
	return h.Hasher.Wrap(ctx, hash)
}

func mayWrap(o *roster.Options) { o.Hasher = wrapping{} }

func (twoHashers) Format(string) (string, error) { return "two", nil }

func (twoHashers) Wrap(ctx context.Context, hash string) (string, error) { return hash, ctx.Err() }

// TestFlowsAreComplete fails when Users has a verb that no flow calls.
func TestFlowsAreComplete(t *testing.T) {
	var verbs []string
	for _, f := range flows {
		verbs = append(verbs, f.verb)
	}
	users := reflect.TypeFor[*roster.Users]()
	for i := range users.NumMethod() {
		if name := users.Method(i).Name; !slices.Contains(verbs, name) {
			t.Errorf("no flow calls Users.%s: add one", name)
		}
	}
}
