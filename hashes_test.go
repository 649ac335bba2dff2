package roster_test

import (
	"context"
	"crypto/sha1"
	"encoding/hex"
	"errors"
	"maps"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/password"
	"github.com/go-roster/roster/rostertest"
)

var cheapHasher = password.Hasher{Cost: password.Argon2id{Time: 1, MemoryKiB: 8, Threads: 1}}

func withHasher(h roster.Hasher) func(*roster.Options) {
	return func(o *roster.Options) { o.Hasher = h }
}

// weak is the hash of a password as Django's unsalted hasher stored it.
func weak(t testing.TB, pw string) string {
	t.Helper()
	sum := sha1.Sum([]byte(pw))
	hash, err := password.Import(password.Django, hex.EncodeToString(sum[:]))
	if err != nil {
		t.Fatal(err)
	}
	return hash
}

// without makes an active user who has no password.
func without(t testing.TB, env *rostertest.Env, name string) *roster.User {
	t.Helper()
	u := &roster.User{Name: name, ActivatedAt: env.Clock.Now()}
	if err := env.Create(t.Context(), u); err != nil {
		t.Fatal(err)
	}
	return u
}

func formats(t testing.TB, env *rostertest.Env, want map[string]int) {
	t.Helper()
	got, err := env.PasswordFormats(t.Context())
	if err != nil || !maps.Equal(got, want) {
		t.Errorf("PasswordFormats: %v, %v; want %v", got, err, want)
	}
}

func TestImportPassword(t *testing.T) {
	ctx := t.Context()
	env := rostertest.New(t, withHasher(cheapHasher))
	ann := without(t, env, "ann")
	before, err := env.ByID(ctx, ann.ID)
	if err != nil {
		t.Fatal(err)
	}
	env.Mail.Clear()
	for range 2 { // again is nothing
		if err := env.ImportPassword(ctx, ann.ID, weak(t, "Secret 1")); err != nil {
			t.Fatal(err)
		}
	}
	after, err := env.ByID(ctx, ann.ID)
	if err != nil || !cmp.Equal(after, before) {
		t.Errorf("the user changed: %s, %v", cmp.Diff(before, after), err)
	}
	if mails := env.Mail.All(); len(mails) != 0 {
		t.Errorf("%d mails", len(mails))
	}
	formats(t, env, map[string]int{"unsalted-sha1": 1})
	if _, err := env.Authenticate(ctx, "ann", "Secret 2"); !errors.Is(err, roster.ErrCredentials) {
		t.Errorf("a wrong password: %v", err)
	}
	formats(t, env, map[string]int{"unsalted-sha1": 1})
	if _, err := env.Authenticate(ctx, "ann", "Secret 1"); err != nil {
		t.Errorf("the right password: %v", err)
	}
	formats(t, env, map[string]int{"argon2id": 1})
	if _, err := env.Authenticate(ctx, "ann", "Secret 1"); err != nil {
		t.Errorf("the right password again: %v", err)
	}
}

func TestImportPasswordRefuses(t *testing.T) {
	ctx := t.Context()
	env := rostertest.New(t, withHasher(cheapHasher))
	ann, ben, cat := env.MustRegister("ann"), without(t, env, "ben"), &roster.User{Name: "cat", DirectoryID: "cat@ldap"}
	if err := env.Create(ctx, cat); err != nil {
		t.Fatal(err)
	}
	if err := env.Delete(ctx, ben.ID); err != nil {
		t.Fatal(err)
	}
	dan := without(t, env, "dan")
	for _, tt := range []struct {
		name string
		id   roster.UserID
		hash string
		want error
	}{
		{"has another password", ann.ID, weak(t, "x"), &roster.ConflictError{Field: roster.FieldPassword}},
		{"deleted", ben.ID, weak(t, "x"), roster.ErrNotFound},
		{"nobody", 1 << 40, weak(t, "x"), roster.ErrNotFound},
		{"of a directory", cat.ID, weak(t, "x"), &roster.InvalidError{Field: roster.FieldDirectory, Reason: roster.ReasonReadOnly}},
		{"empty", dan.ID, "", &roster.InvalidError{Field: roster.FieldPassword, Reason: roster.ReasonSyntax}},
		{"in clear", dan.ID, "Secret 1", &roster.InvalidError{Field: roster.FieldPassword, Reason: roster.ReasonSyntax}},
		{"out of bounds", dan.ID, "pbkdf2_sha256$2147483648$salt$" + "olncuWBdKH8qCbJcrfBN01ktvAe+ANBIkwVxHMf00i4=", &roster.InvalidError{Field: roster.FieldPassword, Reason: roster.ReasonSyntax}},
	} {
		err := env.ImportPassword(ctx, tt.id, tt.hash)
		if got := errors.Unwrap(err); got == nil || got.Error() != tt.want.Error() || !errors.Is(err, kind(tt.want)) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
	formats(t, env, map[string]int{"argon2id": 1})
	if _, err := env.Authenticate(ctx, "ann", rostertest.Password); err != nil {
		t.Errorf("ann's password is gone: %v", err)
	}
}

// kind is the sentinel that an error with a field stands for, or the error.
func kind(err error) error {
	for _, sentinel := range []error{roster.ErrInvalid, roster.ErrConflict} {
		if errors.Is(err, sentinel) {
			return sentinel
		}
	}
	return err
}

func TestWrapPasswords(t *testing.T) {
	ctx := t.Context()
	env := rostertest.New(t, withHasher(cheapHasher))
	const users = 25
	ids := make([]roster.UserID, users)
	for i := range ids {
		u := without(t, env, "user"+string(rune('a'+i)))
		ids[i] = u.ID
		if err := env.ImportPassword(ctx, u.ID, weak(t, "Secret 1")); err != nil {
			t.Fatal(err)
		}
	}
	// One signs in before, one has a hash that nobody reads.
	if _, err := env.Authenticate(ctx, "usera", "Secret 1"); err != nil {
		t.Fatal(err)
	}
	broken := &roster.Credential{UserID: ids[1], Hash: roster.NewSecret("$nothing$"), CreatedAt: env.Clock.Now()}
	if err := env.Store.PutCredential(ctx, broken); err != nil {
		t.Fatal(err)
	}
	var total roster.Wrapped
	cursor, calls := "", 0
	for {
		w, err := env.WrapPasswords(ctx, cursor, roster.Budget{Rows: 10})
		if err != nil {
			t.Fatal(err)
		}
		calls++
		total.Hashes, total.Unknown = total.Hashes+w.Hashes, total.Unknown+w.Unknown
		if cursor = w.Next; cursor == "" {
			break
		}
		if calls == 1 { // somebody signs in between: it stays argon2id
			if _, err := env.Authenticate(ctx, "userz"[:4]+"y", "Secret 1"); err != nil {
				t.Fatal(err)
			}
		}
	}
	if total.Hashes != users-3 || total.Unknown != 1 || calls != 3 {
		t.Errorf("wrapped %d, unknown %d, in %d calls", total.Hashes, total.Unknown, calls)
	}
	want := map[string]int{"argon2id": 2, "argon2id(unsalted-sha1)": users - 3, roster.UnknownFormat: 1}
	formats(t, env, want)
	if w, err := env.WrapPasswords(ctx, "", roster.Budget{}); err != nil || w.Hashes != 0 || w.Next != "" {
		t.Errorf("again: %+v, %v", w, err)
	}
	formats(t, env, want)
	if _, err := env.Authenticate(ctx, "userc", "Secret 2"); !errors.Is(err, roster.ErrCredentials) {
		t.Errorf("a wrong password: %v", err)
	}
	if _, err := env.Authenticate(ctx, "userc", "Secret 1"); err != nil {
		t.Errorf("through both: %v", err)
	}
	want["argon2id"]++
	want["argon2id(unsalted-sha1)"]--
	formats(t, env, want)
}

func TestWrapPasswordsRefuses(t *testing.T) {
	env := rostertest.New(t)
	for _, tt := range []struct {
		cursor, field string
		rows          int
	}{
		{"", roster.FieldLimit, -1},
		{"x", roster.FieldCursor, 0},
		{"AAAAAAAAAAAAAAAAAAAAAA", roster.FieldCursor, 0}, // of user 0
		{"//////////8AAAAAAAAAAA", roster.FieldCursor, 0},
	} {
		_, err := env.WrapPasswords(t.Context(), tt.cursor, roster.Budget{Rows: tt.rows})
		var invalid *roster.InvalidError
		if !errors.As(err, &invalid) || invalid.Field != tt.field {
			t.Errorf("%q, %d: %v", tt.cursor, tt.rows, err)
		}
	}
}

// A password that is changed while it is wrapped stays changed.
func TestWrapPasswordsRaces(t *testing.T) {
	ctx := t.Context()
	hasher := &meddler{Hasher: cheapHasher}
	env := rostertest.New(t, withHasher(hasher))
	ann := without(t, env, "ann")
	if err := env.ImportPassword(ctx, ann.ID, weak(t, "Secret 1")); err != nil {
		t.Fatal(err)
	}
	hasher.meddle = func() {
		if err := env.SetPassword(ctx, ann.ID, "something else"); err != nil {
			t.Error(err)
		}
	}
	if w, err := env.WrapPasswords(ctx, "", roster.Budget{}); err != nil || w.Hashes != 0 {
		t.Errorf("WrapPasswords: %+v, %v", w, err)
	}
	if _, err := env.Authenticate(ctx, "ann", "something else"); err != nil {
		t.Errorf("the new password: %v", err)
	}
	if _, err := env.Authenticate(ctx, "ann", "Secret 1"); !errors.Is(err, roster.ErrCredentials) {
		t.Errorf("the old password: %v", err)
	}
}

// meddler does something between reading a hash and writing the wrapped one.
type meddler struct {
	password.Hasher
	meddle func()
}

func (m *meddler) Wrap(ctx context.Context, hash string) (string, error) {
	wrapped, err := m.Hasher.Wrap(ctx, hash)
	m.meddle()
	return wrapped, err
}

// A lost pepper is neither a right nor a wrong password, on any path, and an old
// one still works.
func TestPepper(t *testing.T) {
	ctx := t.Context()
	pepper := func(id string, fill byte) password.Pepper {
		key := make([]byte, 32)
		for i := range key {
			key[i] = fill + byte(i)
		}
		return password.Pepper{ID: id, Key: password.NewKey(key)}
	}
	hasher := func(peppers ...password.Pepper) password.Hasher {
		return password.Hasher{Cost: cheapHasher.Cost, Peppers: peppers}
	}
	old, fresh := pepper("2025", 1), pepper("2026", 2)
	env := rostertest.New(t, withHasher(hasher(old)))
	ann := env.MustRegister("ann")
	formats(t, env, map[string]int{"argon2id+pepper:2025": 1})

	for _, lost := range []password.Hasher{hasher(), hasher(fresh)} {
		env := rostertest.NewOn(t, env.Store, withHasher(lost))
		for _, pw := range []string{rostertest.Password, "wrong horse battery"} {
			for what, err := range map[string]error{
				"Authenticate":   func() error { _, err := env.Authenticate(ctx, "ann", pw); return err }(),
				"CheckPassword":  env.CheckPassword(ctx, ann.ID, pw),
				"ChangePassword": env.ChangePassword(ctx, ann.ID, pw, "another horse battery"),
			} {
				var unavailable *roster.UnavailableError
				if !errors.As(err, &unavailable) || unavailable.What != roster.UnavailablePepper || errors.Is(err, roster.ErrCredentials) {
					t.Errorf("%s with a lost pepper: %v", what, err)
				}
			}
		}
	}
	env = rostertest.NewOn(t, env.Store, withHasher(hasher(fresh, old)))
	if _, err := env.Authenticate(ctx, "ann", "wrong horse battery"); !errors.Is(err, roster.ErrCredentials) {
		t.Errorf("a wrong password: %v", err)
	}
	if _, err := env.Authenticate(ctx, "ann", rostertest.Password); err != nil {
		t.Errorf("an old pepper: %v", err)
	}
	formats(t, env, map[string]int{"argon2id+pepper:2026": 1})
	env = rostertest.NewOn(t, env.Store, withHasher(hasher(fresh)))
	if _, err := env.Authenticate(ctx, "ann", rostertest.Password); err != nil {
		t.Errorf("without the old one: %v", err)
	}
}
