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
	"reflect"
	"sync"
	"testing"

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
		for _, e := range happened(t, store.Store) {
			raw, err := json.Marshal(e)
			w.must(err)
			a.leakPersonal("an event", string(raw))
		}
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
