package acceptance

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/go-roster/roster"
)

// person is somebody to whom everything happens.
func (a *aviary) person(w *world, older *roster.Users, store *faultStore) {
	t := a.t
	t.Helper()
	a.people++
	name := a.personal.add("n" + a.text("x")[:15])
	address := func() string { return a.personal.add("a" + a.text("@example.org")) }
	home, second := address(), address()
	pass := a.password()

	// do runs one verb, one in three with a fault somewhere in it.
	do := func(run func(ctx context.Context) (any, error)) {
		t.Helper()
		a.verbs++
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		ctx = roster.WithClient(ctx, roster.Client{Addr: netip.MustParseAddr("2001:db8::1"), UserAgent: "canary"})
		kind := noFault
		if a.rng.IntN(3) == 0 {
			kind = []fault{failBefore, failAfter, cancelBefore, panicBefore}[a.rng.IntN(4)]
		}
		store.arm(kind, 1+a.rng.IntN(8), cancel)
		defer func() {
			if p := recover(); p != nil {
				if _, planted := p.(plantedPanic); !planted {
					t.Fatalf("it panicked by itself: %v", p)
				}
				a.leakPersonal("a panic", fmt.Sprintf("%+v", p))
			}
			if _, fired := store.disarm(); fired {
				a.faults++
			}
			for _, code := range w.post.codes() {
				a.secrets.add(a.clear.add(code))
				a.secrets.add(hashOf(code))
			}
		}()
		v, err := run(ctx)
		a.err(err)
		a.value(v)
	}
	code := func(to string) string {
		code := a.text("") // as long as a real one, but nobody's
		for _, m := range w.post.take() {
			a.value(m)
			if m.Code.IsZero() {
				continue
			}
			a.secrets.add(a.clear.add(m.Code.Reveal()))
			if m.To == to {
				code = m.Code.Reveal()
				if !strings.Contains(m.Link.Reveal(), code) {
					t.Fatal("the link lacks the code")
				}
			}
		}
		return code
	}
	user := func() (id roster.UserID) {
		if u, err := w.ByName(context.Background(), name); err == nil {
			id = u.ID
		}
		return id
	}

	do(func(ctx context.Context) (any, error) {
		return older.Register(ctx, roster.NewUser{Name: name, Email: home, Password: pass, RealName: "Ca Nary"})
	})
	if user() == 0 { // a fault kept it from happening
		_, err := older.Register(context.Background(), roster.NewUser{Name: name, Email: home, Password: pass})
		w.must(err)
	}
	id := user()
	do(func(ctx context.Context) (any, error) {
		return w.Register(ctx, roster.NewUser{Name: name, Email: second, Password: a.password()})
	})
	do(func(ctx context.Context) (any, error) { // everything in the wrong field
		return w.Register(ctx, roster.NewUser{
			Name: a.password(), Email: a.password(), Password: "\x00" + a.password(), Locale: a.password(), Timezone: a.password(),
			RealName: a.password() + "\n", Source: a.password() + "\xff",
		})
	})
	do(func(ctx context.Context) (any, error) { return nil, w.ResendActivation(ctx, home) })
	c := code(home)
	for range 2 {
		do(func(ctx context.Context) (any, error) { return w.Peek(ctx, c) })
		do(func(ctx context.Context) (any, error) { return w.ActivateWithPassword(ctx, c, a.password()+"\x07") })
		do(func(ctx context.Context) (any, error) { return w.Activate(ctx, c) })
	}
	do(func(ctx context.Context) (any, error) {
		return w.Invite(ctx, roster.NewUser{Email: address(), RealName: "Guest"})
	})
	do(func(ctx context.Context) (any, error) { return w.ActivateWithPassword(ctx, code(""), a.password()) })
	if u, _ := w.ByID(context.Background(), id); u != nil && !u.IsActivated() {
		w.must(w.ResendActivation(context.Background(), name))
		_, err := w.Activate(context.Background(), code(home))
		w.must(err)
	}
	do(func(ctx context.Context) (any, error) { return w.Activate(ctx, pass) })
	do(func(ctx context.Context) (any, error) { return w.Authenticate(ctx, name, a.password()) })
	do(func(ctx context.Context) (any, error) { return w.Authenticate(ctx, pass, pass) }) // typed in the wrong box
	do(func(ctx context.Context) (any, error) { return w.Authenticate(ctx, home, pass) })
	do(func(ctx context.Context) (any, error) { return w.Authenticate(ctx, name, pass) })
	do(func(ctx context.Context) (any, error) { return nil, w.CheckPassword(ctx, id, pass) })
	// Sessions: the token is in none of what comes back, but as a secret.
	token := a.text("")
	started := func(s *roster.Session, issued roster.Secret, err error) (any, error) {
		if !issued.IsZero() {
			token = a.secrets.add(a.clear.add(issued.Reveal()))
			a.secrets.add(hashOf(token))
		}
		a.value(issued)
		return s, err
	}
	do(func(ctx context.Context) (any, error) { return started(w.SignIn(ctx, name, pass)) })
	do(func(ctx context.Context) (any, error) { return started(w.SignIn(ctx, pass, a.password())) })
	if u, err := w.ByID(context.Background(), id); err == nil {
		do(func(ctx context.Context) (any, error) { return started(w.StartSession(ctx, u)) })
	}
	do(func(ctx context.Context) (any, error) { return w.Session(ctx, token) })
	do(func(ctx context.Context) (any, error) { return started(w.RenewSession(ctx, token)) })
	do(func(ctx context.Context) (any, error) { return started(w.Reauthenticate(ctx, token, pass)) })
	do(func(ctx context.Context) (any, error) { return started(w.Impersonate(ctx, token, id-1)) })
	do(func(ctx context.Context) (any, error) { return w.Session(ctx, token) })
	do(func(ctx context.Context) (any, error) { return started(w.StopImpersonating(ctx, token)) })
	do(func(ctx context.Context) (any, error) { return w.Sessions(ctx, id) })
	do(func(ctx context.Context) (any, error) { return w.EndOtherSessions(ctx, token) })
	do(func(ctx context.Context) (any, error) { return w.store.SessionsOf(ctx, id, 9) })
	if a.rng.IntN(2) == 0 {
		do(func(ctx context.Context) (any, error) { return nil, w.SignOut(ctx, token) })
	}
	do(func(ctx context.Context) (any, error) { return w.Session(ctx, token) }) // perhaps of nobody
	next := a.password()
	do(func(ctx context.Context) (any, error) { return nil, w.ChangePassword(ctx, id, pass, next) })
	do(func(ctx context.Context) (any, error) {
		return nil, w.ChangePassword(ctx, id, a.password(), a.password())
	})
	do(func(ctx context.Context) (any, error) { return nil, w.SetPassword(ctx, id, next) })
	do(func(ctx context.Context) (any, error) { return nil, w.SetPassword(ctx, id, a.password()+"\x07") })
	do(func(ctx context.Context) (any, error) {
		s, err := w.GeneratePassword(ctx, id, roster.Generated{})
		if err == nil {
			a.secrets.add(a.clear.add(s.Reveal()))
			_, err := w.RenewPassword(ctx, name, s.Reveal(), next)
			a.err(err)
		}
		return s, err
	})
	do(func(ctx context.Context) (any, error) { return w.RenewPassword(ctx, name, next, a.password()) })
	do(func(ctx context.Context) (any, error) { return w.RenewPassword(ctx, pass, a.password(), next+"\x07") })
	do(func(ctx context.Context) (any, error) { return nil, w.RequirePasswordChange(ctx, id, time.Hour) })
	do(func(ctx context.Context) (any, error) { return w.Authenticate(ctx, name, next) })
	do(func(ctx context.Context) (any, error) { return nil, w.RequirePasswordReset(ctx, id) })
	do(func(ctx context.Context) (any, error) { return nil, w.SetPassword(ctx, id, next) })
	do(func(ctx context.Context) (any, error) { return nil, w.RemovePassword(ctx, id) })
	do(func(ctx context.Context) (any, error) { return nil, w.SetPassword(ctx, id, next) })
	do(func(ctx context.Context) (any, error) { return w.AddEmail(ctx, id, second) })
	do(func(ctx context.Context) (any, error) { return w.AddEmail(ctx, id, "<"+second+">") })
	do(func(ctx context.Context) (any, error) { return w.ChangeEmail(ctx, id, second) })
	c = code(second)
	do(func(ctx context.Context) (any, error) { return w.Activate(ctx, c) })
	do(func(ctx context.Context) (any, error) { return w.Emails(ctx, id) })
	do(func(ctx context.Context) (any, error) { return w.EmailsOf(ctx, id) })
	do(func(ctx context.Context) (any, error) { return w.PrimaryEmail(ctx, id) })
	if emails, err := w.Emails(context.Background(), id); err == nil {
		for _, e := range emails {
			do(func(ctx context.Context) (any, error) { return nil, w.SetPrimaryEmail(ctx, id, e.ID) })
			do(func(ctx context.Context) (any, error) { return nil, w.RemoveEmail(ctx, id, e.ID) })
		}
	}
	do(func(ctx context.Context) (any, error) { return w.AddActivatedEmail(ctx, id, address()) })
	do(func(ctx context.Context) (any, error) { return nil, w.RequestPasswordReset(ctx, name) })
	if emails, err := w.Emails(context.Background(), id); err == nil && len(emails) > 0 {
		c = code(emails[0].Address)
		do(func(ctx context.Context) (any, error) { return w.ResetPassword(ctx, c, a.password()) })
	}
	do(func(ctx context.Context) (any, error) { return nil, w.SetPassword(ctx, id, a.password()) })
	if emails, err := w.Emails(context.Background(), id); err == nil && len(emails) > 0 {
		c = code(emails[0].Address)
		for range 2 {
			do(func(ctx context.Context) (any, error) { return w.Peek(ctx, c) })
			do(func(ctx context.Context) (any, error) { return w.UndoChange(ctx, c, a.password()) })
			do(func(ctx context.Context) (any, error) { return nil, w.AcceptChange(ctx, c) })
		}
	}
	do(func(ctx context.Context) (any, error) { return w.ByEmail(ctx, second) })
	do(func(ctx context.Context) (any, error) { return w.ByAddress(ctx, "Ca <"+second+">") })
	do(func(ctx context.Context) (any, error) { return w.Search(ctx, roster.Query{Pattern: name[:6]}) })
	do(func(ctx context.Context) (any, error) {
		return w.Search(ctx, roster.Query{Pattern: strings.Repeat(pass, 5), Cursor: a.password(), State: 9})
	})
	do(func(ctx context.Context) (any, error) {
		return nil, w.Edit(ctx, id, func(u *roster.User) error {
			u.RealName, u.Name = "Somebody Else", a.personal.add("m"+a.text("x")[:15])
			name = u.Name
			return nil
		})
	})
	do(func(ctx context.Context) (any, error) {
		return nil, w.Edit(ctx, id, func(u *roster.User) error {
			u.Locale, u.Timezone, u.Version = pass, pass, 99
			return roster.Field[string]("x").Set(u, "\x00"+pass)
		})
	})
	do(func(ctx context.Context) (any, error) { return nil, w.Disable(ctx, id) })
	do(func(ctx context.Context) (any, error) { return w.Authenticate(ctx, second, next) })
	do(func(ctx context.Context) (any, error) { return nil, w.Enable(ctx, id) })
	do(func(ctx context.Context) (any, error) { return nil, w.Delete(ctx, id) })
	do(func(ctx context.Context) (any, error) { return nil, w.Restore(ctx, id) })
	w.must(w.store.PutCredential(context.Background(), &roster.Credential{UserID: id, Hash: roster.NewSecret(a.secrets.add(a.text("$broken hash")))}))
	do(func(ctx context.Context) (any, error) { return nil, w.CheckPassword(ctx, id, next) })
	do(func(ctx context.Context) (any, error) { return w.store.Credential(ctx, id, 0) })
	do(func(ctx context.Context) (any, error) { return w.Check(ctx) })
	do(func(ctx context.Context) (any, error) { return w.Prune(ctx, roster.Budget{}) })
	do(func(ctx context.Context) (any, error) {
		return nil, w.Atomic(ctx, func(ctx context.Context) error {
			_ = w.SetPassword(ctx, id, a.password())
			return w.Create(ctx, &roster.User{Name: name})
		})
	})
	if a.rng.IntN(4) == 0 {
		do(func(ctx context.Context) (any, error) { return nil, w.Purge(ctx, id) })
	}
	w.post.take()
}
