package acceptance

import (
	"context"
	"errors"
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
	group roster.GroupID
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

// strict makes the world ask for a password at the first proof.
func strict(o *roster.Options) { o.KeepEarlyPassword = false }

// flows has every verb of Users, with every way through it that makes other
// calls of the store.
var flows = slices.Concat(codeFlows, accountFlows, passwordFlows, sessionFlows, eventFlows, identityFlows, directoryFlows, groupFlows)

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
