package acceptance

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/go-roster/roster"
)

// TestReadOnlyFields changes, in Edit and Save, every field that has a verb of
// its own.
func TestReadOnlyFields(t *testing.T) {
	onEach(t, func(t *testing.T, k kind) {
		w := newWorld(t, k.open(t))
		ctx := ctxOf(t)
		ann := newCast(w).ann
		later := w.clock.Now().Add(time.Hour)
		before, err := dump(ctx, w.store, names, nil)
		w.must(err)
		for field, change := range map[string]func(*roster.User){
			"id":                  func(u *roster.User) { u.ID++ },
			"uuid":                func(u *roster.User) { u.UUID = uuid.New() },
			"name_auto":           func(u *roster.User) { u.NameAuto = true },
			"enabled":             func(u *roster.User) { u.Enabled = false },
			"activated_at":        func(u *roster.User) { u.ActivatedAt = later },
			"deleted_at":          func(u *roster.User) { u.DeletedAt = later },
			"last_login_at":       func(u *roster.User) { u.LastLoginAt = later },
			"last_login_ip":       func(u *roster.User) { u.LastLoginIP = "192.0.2.1" },
			"password_changed_at": func(u *roster.User) { u.PasswordChangedAt = later },
			"auth_changed_at":     func(u *roster.User) { u.AuthChangedAt = later },
			"created_at":          func(u *roster.User) { u.CreatedAt = later },
			"updated_at":          func(u *roster.User) { u.UpdatedAt = later },
			"version":             func(u *roster.User) { u.Version++ },
		} {
			err := w.Edit(ctx, ann.ID, func(u *roster.User) error { change(u); return nil })
			if !invalidOf(field)(err) {
				t.Errorf("Edit of %s: %v", field, err)
			}
			u, err := w.ByID(ctx, ann.ID)
			w.must(err)
			change(u)
			err = w.Save(ctx, u)
			switch field {
			case "id", "version", "last_login_at", "last_login_ip": // which user it is, and what moves by itself
				if err == nil && !strings.HasPrefix(field, "last") {
					t.Errorf("Save with another %s went through", field)
				}
			default:
				if !invalidOf(field)(err) {
					t.Errorf("Save of %s: %v", field, err)
				}
			}
		}
		if err := w.Edit(ctx, ann.ID, func(u *roster.User) error { u.NameKey = "root"; return nil }); err != nil {
			t.Errorf("a changed key, which is made from the name: %v", err)
		}
		if u, err := w.ByID(ctx, ann.ID); err != nil || u.NameKey != "ann" {
			t.Errorf("the key is now %q, %v", u.NameKey, err)
		}
		if _, err := w.ByName(ctx, "root"); !errors.Is(err, roster.ErrNotFound) {
			t.Errorf("the key could be chosen: %v", err)
		}
		after, err := dump(ctx, w.store, names, nil)
		w.must(err)
		if strings.Count(cmp.Diff(before, after), "\n+") > 2 { // the version of ann
			t.Errorf("something has changed:\n%s", cmp.Diff(before, after))
		}
	})
}

// TestData puts JSON into a user that databases disagree about. It is refused,
// or comes back byte by byte.
func TestData(t *testing.T) {
	onEach(t, func(t *testing.T, k kind) {
		w := newWorld(t, k.open(t))
		ctx := ctxOf(t)
		deep := strings.Repeat("[", 32) + strings.Repeat("]", 32)
		for raw, fine := range map[string]bool{
			"1": true, "-0": true, "0.10": true, "1e400": true, "12345678901234567890": true, "1E+2": true, "0.1e-7": true, "null": true, "true": true,
			`""`: true, `"<b>&amp;</b>"`: true, `"a/b"`: true, `"\/"`: true, `"\u00e9"`: true, `"é"`: true, "\"\u2028\"": true, `"\u2028"`: true, `"\ud83d\ude00"`: true,
			`{"b":1,"a":2}`: true, `[1,[2,{"x":[]}]]`: true, `{"$1":"?","'":"--"}`: true, deep: true, `{"":""}`: true, `"\u001f\u0007"`: true,
			`"\u007f"`: true, `"` + strings.Repeat("x", 16<<10) + `"`: true, `["` + strings.Repeat("é", 8<<10) + `"]`: true,

			"": false, "x": false, "{": false, "01": false, "+1": false, ".5": false, "NaN": false, "Infinity": false, "1 2": false, "'a'": false, "{a:1}": false,
			`"\u0000"`: false, `"\ud800"`: false, `"\udc00\ud800"`: false, "\"\xff\"": false, `{"a":1,"a":2}`: false, `{"a":1,"\u0061":2}`: false,
			"[" + deep + "]": false, strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000): false, `"` + strings.Repeat("x", 16<<10+1) + `"`: false,
			"\"\x00\"": false, "\"a\nb\"": false, "[1,]": false, "[" + strings.Repeat("1,", 40_000) + "1]": false, `{"a":{"b":{"c":"\u0000"}}}`: false,
			`{"\u0000":1}`: false, "1\x00": false,
		} {
			for _, by := range []string{"Create", "Edit"} {
				u := &roster.User{}
				set := func(u *roster.User) { u.Data = roster.Data{"k": json.RawMessage(raw)} }
				var err error
				if by == "Create" {
					set(u)
					err = w.Create(ctx, u)
				} else {
					w.must(w.Create(ctx, u))
					err = w.Edit(ctx, u.ID, func(u *roster.User) error { set(u); return nil })
				}
				if !fine {
					if !invalidOf(roster.FieldData)(err) {
						t.Errorf("%s of %.60q: %v", by, raw, err)
					}
					continue
				}
				if err != nil {
					t.Errorf("%s of %.60q: %v", by, raw, err)
					continue
				}
				got, err := w.ByID(ctx, u.ID)
				w.must(err)
				if string(got.Data["k"]) != raw {
					t.Errorf("%s: %.60q came back as %.60q", by, raw, got.Data["k"])
				}
			}
		}
		for _, unit := range []string{"1", "[", `"`, "{", "\xff", " ", "[1,"} {
			raw := json.RawMessage(flood(unit))
			quick(t, fmt.Sprintf("JSON of %q and so on", unit), func() {
				if err := w.Create(ctx, &roster.User{Data: roster.Data{"k": raw}}); !invalidOf(roster.FieldData)(err) {
					t.Errorf("8 MiB of %q: %v", unit, err)
				}
			})
		}
		many := roster.Data{}
		for i := range 1000 {
			many[fmt.Sprint(i)] = json.RawMessage("1")
		}
		if err := w.Create(ctx, &roster.User{Data: many}); err != nil {
			t.Errorf("1,000 keys: %v", err)
		}
		many["more"] = json.RawMessage("1")
		if err := w.Create(ctx, &roster.User{Data: many}); !invalidOf(roster.FieldData)(err) {
			t.Errorf("1,001 keys: %v", err)
		}
		w.sound()
	})
}

// TestSearchIsLiteral looks for characters that mean something to a database.
func TestSearchIsLiteral(t *testing.T) {
	onEach(t, func(t *testing.T, k kind) {
		w := newWorld(t, k.open(t))
		ctx := ctxOf(t)
		real := slices.Concat(fragments, []string{"100% sure", "under_score", `back\slash`, "plain", "percent %% twice", "a*b", `"quoted phrase"`, "near/2 AND or NOT"})
		byID := map[roster.UserID]string{}
		for _, r := range real {
			u := &roster.User{RealName: r, ActivatedAt: w.clock.Now()}
			w.must(w.Create(ctx, u))
			byID[u.ID] = strings.ToLower(u.Name + "\x1f" + r)
		}
		patterns := slices.Concat(real, []string{"%", "_", "%%%", "___", `\%`, "AND", "OR", "NOT", "NEAR", "*", `"`, `""`, "^", "user-", "near(", "a b", "-", "+", "(", ")", ":"})
		for _, p := range patterns {
			if utf8.RuneCountInString(p) > 64 {
				continue
			}
			want := map[roster.UserID]bool{}
			for id, text := range byID {
				if strings.Contains(text, strings.ToLower(p)) {
					want[id] = true
				}
			}
			got := map[roster.UserID]bool{}
			for u, err := range w.Each(ctx, roster.Query{Pattern: p, Limit: 7}) {
				if err != nil {
					t.Fatalf("%q: %v", p, err)
				}
				if got[u.ID] {
					t.Errorf("%q found user %d twice", p, u.ID)
				}
				got[u.ID] = true
			}
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("%q: %s", p, d)
			}
			if n, err := w.Count(ctx, roster.Query{Pattern: p}); err != nil || n != len(want) {
				t.Errorf("%q: counted %d, %v, want %d", p, n, err, len(want))
			}
		}
	})
}

// TestLookAlikes registers what looks like somebody else's address or name.
// Neither signs in, nor gets mail, for the other.
func TestLookAlikes(t *testing.T) {
	onEach(t, func(t *testing.T, k kind) {
		w := newWorld(t, k.open(t))
		ctx := ctxOf(t)
		victim := w.active("mike", "mike@github.com")
		for i, address := range []string{
			"mıke@github.com", "mİke@github.com", "miKe@github.com", "mike@gıthub.com", "mike@githuḅ.com", "mi\u212ae@github.com",
			"ｍike@github.com", "mike+x@github.com", "m.ike@github.com", "mi\u0307ke@github.com", "mike@github.co", "mike@github.com.example.org",
		} {
			key, err := roster.AddressKey(address)
			if err != nil {
				continue // refused: fine
			}
			same := key == "mike@github.com"
			u, err := w.ByEmail(ctx, address)
			if same != (err == nil) || same && u.ID != victim.ID {
				t.Errorf("%q leads to %s, %v; its key is %q", address, nameOf(u), err, key)
			}
			if same {
				continue
			}
			w.post.take()
			w.must(w.RequestPasswordReset(ctx, address))
			if mails := w.post.take(); len(mails) > 0 {
				t.Errorf("a reset for %q sent %d mails", address, len(mails))
			}
			w.pending(next("look%d"), address)
			mails := w.post.take()
			other, err := w.Activate(ctx, mails[0].Code.Reveal())
			w.must(err)
			mustNotSignIn(t, w.Users, address, otherPassword, roster.ErrCredentials)
			if u := mustSignIn(t, w.Users, address, goodPassword); u.ID != other.ID {
				t.Errorf("%d: %q signs in as user %d", i, address, u.ID)
			}
			w.must(w.RequestPasswordReset(ctx, address))
			m := w.post.take()
			if len(m) == 0 {
				t.Fatalf("a reset for %q sent nothing", address)
			}
			// The domain may be encoded.
			if to, err := roster.AddressKey(m[len(m)-1].To); err != nil || to != key {
				t.Errorf("a reset for %q went to %q", address, m[len(m)-1].To)
			}
		}
		// Mail goes to the address that is stored, whatever was typed.
		w.must(w.RequestPasswordReset(ctx, "MIKE@GITHUB.COM"))
		if m := w.post.take(); len(m) != 1 || m[0].To != "mike@github.com" {
			t.Errorf("the reset went to %v", m)
		}
		w.must(w.SetPassword(ctx, victim.ID, otherPassword))
		for _, name := range []string{"ｍｉｋｅ", "MIKE", "Mike"} {
			if u := mustSignIn(t, w.Users, name, otherPassword); u.ID != victim.ID {
				t.Errorf("%q signs in as user %d", name, u.ID)
			}
			if _, err := w.Register(ctx, roster.NewUser{Name: name, Email: next("look%d@example.org"), Password: goodPassword}); !conflict(roster.FieldName)(err) {
				t.Errorf("register %q: %v", name, err)
			}
		}
		w.sound()
	})
}
