package acceptance

import (
	"bytes"
	"context"
	"encoding/gob"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/netip"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/password"
)

// canaries are texts that must not turn up somewhere. All are 8 bytes long at
// least and differ in their first 8.
type canaries map[string][]string

func (c canaries) add(secret string) string {
	c[secret[:8]] = append(c[secret[:8]], secret)
	return secret
}

// in returns the first canary in the text.
func (c canaries) in(text []byte) (string, bool) {
	for i := 0; i+8 <= len(text); i++ {
		for _, s := range c[string(text[i:i+8])] {
			if bytes.HasPrefix(text[i:], []byte(s)) {
				return s, true
			}
		}
	}
	return "", false
}

// aviary watches what leaves the library.
type aviary struct {
	t   *testing.T
	rng *rand.Rand

	secrets  canaries // passwords, codes, their hashes
	clear    canaries // of these, what no database may hold either
	personal canaries // names and addresses

	log             bytes.Buffer
	logMu           sync.Mutex
	errors, printed int
	faults, verbs   int
	people          int
}

// text makes a canary.
func (a *aviary) text(prefix string) string {
	b := make([]byte, 8)
	for i := range b {
		b[i] = byte(a.rng.Uint32())
	}
	return hex.EncodeToString(b) + prefix
}

func (a *aviary) password() string {
	return a.secrets.add(a.clear.add(a.text(" is a password")))
}

// Write takes the log.
func (a *aviary) Write(b []byte) (int, error) {
	a.logMu.Lock()
	defer a.logMu.Unlock()
	return a.log.Write(b)
}

func (a *aviary) leak(where, text string) {
	a.t.Helper()
	if s, found := a.secrets.in([]byte(text)); found {
		a.t.Fatalf("%s holds the secret %q: %s", where, s, text)
	}
}

func (a *aviary) leakPersonal(where, text string) {
	a.t.Helper()
	a.leak(where, text)
	if s, found := a.personal.in([]byte(text)); found {
		a.t.Fatalf("%s holds the name or address %q: %s", where, s, text)
	}
}

// err looks at an error that reached the caller, and at what it wraps.
func (a *aviary) err(err error) {
	a.t.Helper()
	if err == nil {
		return
	}
	a.errors++
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
		a.leakPersonal("an error, printed with "+verb, fmt.Sprintf(verb, err))
	}
	if b, jsonErr := json.Marshal(err); jsonErr == nil {
		a.leakPersonal("an error as JSON", string(b))
	}
	for err := range tree(err) {
		a.leak("a cause", err.Error())
		a.leak("a cause", fmt.Sprintf("%+v", err))
	}
}

// tree goes through an error and all that it wraps.
func tree(err error) func(yield func(error) bool) {
	return func(yield func(error) bool) {
		var walk func(error) bool
		walk = func(err error) bool {
			if err == nil {
				return true
			}
			if !yield(err) {
				return false
			}
			if many, ok := err.(interface{ Unwrap() []error }); ok {
				for _, err := range many.Unwrap() {
					if !walk(err) {
						return false
					}
				}
				return true
			}
			return walk(errors.Unwrap(err))
		}
		walk(err)
	}
}

// value prints what a verb returned in every way.
func (a *aviary) value(v any) {
	a.t.Helper()
	if v == nil {
		return
	}
	rv := reflect.ValueOf(v)
	switch rv.Kind() {
	case reflect.Pointer:
		if rv.IsNil() {
			return
		}
		a.value(rv.Elem().Interface())
	case reflect.Slice, reflect.Array:
		for i := range rv.Len() {
			if rv.Index(i).Kind() == reflect.Pointer {
				a.value(rv.Index(i).Interface())
			}
		}
	case reflect.Struct:
		for i := range rv.NumField() {
			if f := rv.Field(i); f.Kind() == reflect.Pointer && f.CanInterface() {
				a.value(f.Interface())
			}
		}
	}
	a.printed++
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		text := fmt.Sprintf(verb, v)
		a.leak(fmt.Sprintf("a %T, printed with %s", v, verb), text)
		if verb == "%x" {
			if raw, err := hex.DecodeString(text); err == nil {
				a.leak(fmt.Sprintf("a %T in hexadecimal", v), string(raw))
			}
		}
	}
	if b, err := json.Marshal(v); err == nil {
		a.leak(fmt.Sprintf("a %T as JSON", v), string(b))
	}
	if b, err := xml.Marshal(v); err == nil {
		a.leak(fmt.Sprintf("a %T as XML", v), string(b))
	}
	var b bytes.Buffer
	if err := gob.NewEncoder(&b).Encode(v); err == nil {
		a.leak(fmt.Sprintf("a %T as gob", v), b.String())
	}
	b.Reset()
	slog.New(slog.NewJSONHandler(&b, nil)).Info("", "v", v)
	slog.New(slog.NewTextHandler(&b, nil)).Info("", "v", v)
	a.leak(fmt.Sprintf("a %T in a log", v), b.String())
}

// TestCanaries checks that what watches for secrets sees one.
func TestCanaries(t *testing.T) {
	c := canaries{}
	secret := c.add("0123456789 is a password")
	for text, want := range map[string]bool{
		"": false, "01234567": false, "0123456789 is a passwor": false, secret: true, "x" + secret + "y": true,
		fmt.Sprintf("%+v", struct{ X roster.Secret }{roster.NewSecret(secret)}): false,
		fmt.Sprintf("%+v", struct{ x string }{secret}):                          true,
	} {
		if _, found := c.in([]byte(text)); found != want {
			t.Errorf("in %q: found %v", text, found)
		}
	}
}

// TestCanary runs people through every verb, with passwords and codes that are
// found wherever they turn up, and with faults in between: none of them is in
// an error, a log, a value that a verb returns, or the database.
func TestCanary(t *testing.T) {
	onEach(t, func(t *testing.T, k kind) {
		a := &aviary{t: t, rng: random(t), secrets: canaries{}, clear: canaries{}, personal: canaries{}}
		store := &faultStore{Store: k.open(t)}
		var opts roster.Options
		w := newWorld(t, store, func(o *roster.Options) {
			o.Hasher = password.Argon2id{Time: 1, MemoryKiB: 8, Threads: 1}
			mayImpersonate(o)
			o.ActivationURL = "https://app.example.org/activate#{code}"
			o.ResetURL = "https://app.example.org/reset?code={code}"
			o.UndoURL = "https://app.example.org/undo/{code}"
			o.Logger = slog.New(slog.NewJSONHandler(a, &slog.HandlerOptions{Level: slog.LevelDebug - 100, AddSource: true}))
			opts = *o
		})
		a.secrets.add("$argon2id$") // no hash either
		opts.Hasher = password.Argon2id{Time: 2, MemoryKiB: 8, Threads: 1}
		older, err := roster.New(store, &opts)
		w.must(err)
		for range k.some(60, 500) {
			a.person(w, older, store)
		}
		a.logMu.Lock()
		log := a.log.String()
		a.logMu.Unlock()
		rows, err := readRows(context.Background(), store)
		w.must(err)
		for _, c := range rows.creds {
			a.secrets.add(c.Hash.Reveal())
		}
		a.leakPersonal("the log", log)
		if len(log) == 0 {
			t.Error("nothing was logged; is the logger used?")
		}
		a.value(w.Users)
		a.value(w.store)
		dump := dumpAll(t, k, store.Store, a)
		if s, found := a.clear.in(dump); found {
			t.Errorf("the database holds %q", s)
		}
		t.Logf("%d people, %d verbs with %d faults, %d errors and %d values looked at, log of %d bytes, dump of %d bytes, %d secrets",
			a.people, a.verbs, a.faults, a.errors, a.printed, len(log), len(dump), len(a.secrets))
		if a.faults == 0 || a.errors == 0 || len(dump) < 1000 {
			t.Error("this has proven nothing")
		}
		w.sound()
	})
}

// dumpAll is everything that is kept, as bytes: of a database its own, else
// what the store tells.
func dumpAll(t *testing.T, k kind, s roster.Store, a *aviary) []byte {
	t.Helper()
	var b bytes.Buffer
	rows, err := readRows(context.Background(), s)
	if err != nil {
		t.Fatal(err)
	}
	for _, u := range rows.users {
		fmt.Fprintf(&b, "%+v %s\n", *u.User.RosterUser(), u.Search)
		data, _ := json.Marshal(u.User)
		b.Write(data)
	}
	for _, e := range rows.emails {
		fmt.Fprintf(&b, "%+v\n", *e)
	}
	for _, c := range rows.creds {
		fmt.Fprintf(&b, "%s\n", c.Hash.Reveal())
	}
	for _, one := range rows.sessions {
		fmt.Fprintf(&b, "%+v\n", *one)
	}
	for _, codes := range a.clear {
		for _, code := range codes {
			if un, err := s.UndoByHash(context.Background(), hashOf(code)); err == nil {
				fmt.Fprintf(&b, "%+v\n", *un)
			}
			if act, err := s.ActivationByHash(context.Background(), hashOf(code)); err == nil {
				fmt.Fprintf(&b, "%+v\n", *act)
			}
		}
	}
	if k.dump != nil {
		b.Write(k.dump(t, s))
	}
	return b.Bytes()
}

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
		do(func(ctx context.Context) (any, error) { return w.Activate(ctx, c) })
	}
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
