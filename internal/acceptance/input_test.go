package acceptance

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/go-roster/roster"
)

// What no text may hold.
var unstorable = []string{
	"\xff", "a\xffb", "\xed\xa0\x80", "\xc0\xaf", "\xf4\x90\x80\x80", "ann\xc3", // not UTF-8
	"\x00", "a\x00b", "ann\x00", // NUL
}

// What no line that people read may hold.
var unreadable = []string{
	"a\x07b", "a\nb", "a\r\nb", "a\tb", "\x1b[31m", "\x7f", "a\u0085b", "a\u2028b", // controls and line breaks
	"a\u202eb", "\u2066a\u2069", "a\u200fb", // direction
	"a\u200bb", "\u200b", "\ufeffa", "a\u00adb", "a\u2060b", "\u3164", "\U000e0041", // unseen
	"\u0378", "\ue000", "\ufffe", "\U0010ffff", "a\ufffdb", // unassigned, private, nobody's
}

// What makes sense to a database, a shell, a pattern, markup or a template, and
// is plain text here.
var fragments = []string{
	"'", `"`, "`", "''", `\`, `\'`, "%", "_", "%%", "_%_", "*", "?", "??", "?0", "$1", "$$", ":name", "@p1", "--", "-- ", ";", "/*", "*/", "#",
	"' OR '1'='1", "'; DROP TABLE roster_users; --", `"; DELETE FROM "roster_users"; --`, `\'; SELECT 1; --`, "1) OR (1=1", "E'\\x41'", "NULL", "true", "0",
	"{users}", "{migrations}", "{{.}}", "${HOME}", "$(id)", "`id`", "%s%n%x", "%00", "%0a", "=cmd|' /C calc'!A0", "<script>alert(1)</script>", "&amp;", "]]>",
	"../../etc/passwd", "/etc/passwd", `C:\`, "\\u0000", `\x00`, "*)(uid=*", "NaN", "undefined", "-1", "1e309",
}

// Text that is odd and fine.
var odd = []string{
	"O'Brien", "Robert'); DROP TABLE students;--", "日本語", "e\u0301", "Zoë", "ﬁ", "ＡＢＣ", "  padded  ", "Ångström", "👩\u200d👩\u200d👧", "नमस्ते",
	"می\u200cخواهم", "עברית", "a & b < c > d", `say "hi"`, strings.Repeat("𝒳", 256),
}

func flood(unit string) string { return strings.Repeat(unit, (8<<20)/len(unit)) }

// floods are huge, and cheap to refuse.
var floods = []string{
	flood("a"), flood("\xff"), flood("e\u0301"), flood("a@"), flood("\u200b"), flood("@"), flood("."), flood("("), flood(`"`), flood("<"), flood("ﷺ"),
	flood("=?utf-8?q?x?="), flood("%"), flood("\x00"), flood("\U0001f1e6"),
}

// slot is an argument, or a field of one, that is text.
type slot struct {
	name  string
	field string // that an InvalidError names

	// put brings the text there. What is stored then is what stored returns;
	// undo makes room for the next.
	put func(ctx context.Context, w *world, s string) (stored func() (string, error), undo func(), err error)

	refuse []string // must be refused
	accept []string // must be stored as it is
	floods bool     // is bounded: floods must be refused
}

var serial atomic.Int64 // makes names and addresses unique

func next(format string) string { return fmt.Sprintf(format, serial.Add(1)) }

// registering puts a text into a field of NewUser.
func registering(set func(*roster.NewUser, string), get func(*roster.User) string) func(context.Context, *world, string) (func() (string, error), func(), error) {
	return func(ctx context.Context, w *world, s string) (func() (string, error), func(), error) {
		n := roster.NewUser{Name: next("in%d"), Email: next("in%d@example.org"), Password: goodPassword}
		set(&n, s)
		u, err := w.Register(ctx, n)
		if err != nil {
			return nil, nil, err
		}
		return reading(ctx, w, u.ID, get), purging(ctx, w, u.ID), nil
	}
}

// creating puts a text into a field of a user who is made by Create, or by Edit
// or Save afterwards.
func creating(by string, set func(*roster.User, string), get func(*roster.User) string) func(context.Context, *world, string) (func() (string, error), func(), error) {
	return func(ctx context.Context, w *world, s string) (func() (string, error), func(), error) {
		u := &roster.User{Name: next("in%d")}
		if by == "Create" {
			set(u, s)
		}
		err := w.Create(ctx, u)
		if err != nil {
			return nil, nil, err
		}
		undo := purging(ctx, w, u.ID)
		switch by {
		case "Edit":
			err = w.Edit(ctx, u.ID, func(u *roster.User) error { set(u, s); return nil })
		case "Save":
			set(u, s)
			err = w.Save(ctx, u)
		}
		if err != nil {
			undo()
			return nil, nil, err
		}
		return reading(ctx, w, u.ID, get), undo, nil
	}
}

func reading(ctx context.Context, w *world, id roster.UserID, get func(*roster.User) string) func() (string, error) {
	if get == nil {
		return nil
	}
	return func() (string, error) {
		u, err := w.ByID(ctx, id)
		if err != nil {
			return "", err
		}
		return get(u), nil
	}
}

func purging(ctx context.Context, w *world, id roster.UserID) func() {
	return func() { w.must(w.Purge(ctx, id)) }
}

// addressing puts an address.
func addressing(verb func(w *world) func(context.Context, roster.UserID, string) (*roster.UserEmail, error)) func(context.Context, *world, string) (func() (string, error), func(), error) {
	return func(ctx context.Context, w *world, s string) (func() (string, error), func(), error) {
		u := &roster.User{Name: next("in%d")}
		w.must(w.Create(ctx, u))
		undo := purging(ctx, w, u.ID)
		_, err := verb(w)(ctx, u.ID, s)
		if err != nil {
			undo()
			return nil, nil, err
		}
		return func() (string, error) {
			emails, err := w.Emails(ctx, u.ID)
			if err != nil || len(emails) != 1 {
				return "", fmt.Errorf("%d addresses, %w", len(emails), err)
			}
			return emails[0].Address, nil
		}, undo, nil
	}
}

var note = roster.Field[string]("note")

func slots() []slot {
	name := func(u *roster.User) string { return u.Name }
	badNames := slices.Concat(unstorable, unreadable, []string{
		" ", "a b", " ann", "ann ", ".", "-", "_", ".ann", "ann.", "_ann", "ann-", "a..b", "a@b", "ann@example.org", "@", "a/b", `a\b`, "a%b", "a*b", "a:b", "a,b",
		"a;b", "a<b", "a>b", `a"b`, "a'b", "a&b", "a?b", "a#b", "a+b", "a=b", "a!b", "a(b)", "a{b}", "a$b", "a|b", "a~b", "a`b",
		"раураl", "аdmin", "αlice", "ann\u0301\u0301", "１а", strings.Repeat("a", 65), strings.Repeat("中", 65), "user-7", "USER-7",
	})
	reserved := []string{"", "admin", "Admin", "ＡＤＭＩＮ", "root", "ádmin", "adm1n", "r00t", "support", "postmaster", "null", "undefined", "NaN"}
	badTexts := slices.Concat(unstorable, unreadable, []string{strings.Repeat("a", 257)})
	fineTexts := slices.Concat(fragments, odd, []string{""})
	badAddresses := slices.Concat(unstorable, unreadable, fragments, []string{
		"", "@", "a@", "@b.org", "nowhere", "a@b", "a@@b.org", "a@b@c.org", "a b@example.org", "a@ex ample.org", " a@example.org", "a@example.org ",
		`"a b"@example.org`, `"a"@example.org`, `a\@b@example.org`, "Ann <ann@example.org>", "<ann@example.org>", "ann@example.org (Ann)", "g: a@example.org;",
		"a@example.org,b@example.org", "a@example.org;b@example.org", "a@example.org b@example.org", "a@example.org|b@example.org", "a@example.org%00b@example.org",
		"a@example.org\r\nBcc: b@example.org", "a\r\n@example.org", "a@example.org\nb@example.org", "@relay.org:a@example.org", "a%b@example.org", "a!b@example.org",
		"=?utf-8?q?x=40evil.com?=@example.org", "a@[127.0.0.1]", "a@127.0.0.1", "a@0x7f.1", "a@[IPv6:::1]", "a@example..org", "a@.example.org", "a@example.org.",
		".a@example.org", "a.@example.org", "a..b@example.org", "a@-example.org", "a@example-.org", "a@exa_mple.org", "a@xn--.org", "a@example.123",
		strings.Repeat("a", 65) + "@example.org", "a@" + strings.Repeat("b", 64) + ".org", "a@" + strings.Repeat("b.", 130) + "org", "a\u200b@example.org",
		"a\u202e@example.org", "a@exam\u200dple.org", "\u212ann@example.org", "a@b.org\x00", `" x@evil.org> "@example.org`, "a@example.org?cc=b@example.org",
		"mailto:a@example.org",
	})
	fineAddresses := []string{
		"a@example.org", "A.B@Example.ORG", "a+b@example.org", "o'brien@example.org", "{users}?$1'--@example.org", "a=b@example.org", "#!$"[:1] + "x@example.org",
		"jürgen@example.org", "用户@例子.广告", "a@bücher.example", "a_b@example.org", "`id`@example.org", "*@example.org", "|@example.org",
		strings.Repeat("a", 64) + "@example.org",
	}
	badPasswords := slices.Concat(unstorable, []string{
		"", "short", "1234567", "\u200b\u200b\u200b\u200b\u200b\u200b\u200b\u200b", "long enough\x07", "long enough\n", "long enough\u202e", strings.Repeat("a", 257),
		"\u00ad\u00ad\u00ad\u00ad\u00ad\u00ad\u00ad\u00ad\u00ad",
	})
	finePasswords := []string{
		"        ", " with spaces at both ends ", "'; DROP TABLE roster_users; --", "%%%%%%%%", "correct horse battery", strings.Repeat("𝒳", 256), "Пароль для теста",
		"$argon2id$v=19$m=8,t=1,p=1$", "[redacted]",
	}
	special := slices.DeleteFunc(slices.Clone(fragments), func(s string) bool { // what is no word
		return !strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	})
	var all []slot
	all = append(all,
		slot{
			name: "Register.Name", field: roster.FieldName, floods: true, refuse: slices.Concat(badNames, reserved, special),
			accept: []string{"ann.b", "Ann-B", "ann_b", "ÅNGSTRÖM", "日本語", "ＷＩＤＥ", "o1", strings.Repeat("a", 64)},
			put:    registering(func(n *roster.NewUser, s string) { n.Name = s }, name),
		},
		slot{
			name: "Register.RealName", field: roster.FieldRealName, floods: true, refuse: badTexts, accept: fineTexts,
			put: registering(func(n *roster.NewUser, s string) { n.RealName = s }, func(u *roster.User) string { return u.RealName }),
		},
		slot{
			name: "Register.Email", field: roster.FieldEmail, floods: true, refuse: badAddresses,
			put: registering(func(n *roster.NewUser, s string) { n.Email = s }, nil),
		},
		slot{
			name: "Register.Password", field: roster.FieldPassword, floods: true, refuse: badPasswords,
			put: registering(func(n *roster.NewUser, s string) { n.Password = s }, nil),
		},
		slot{
			name: "Register.Locale", field: roster.FieldLocale, floods: true, refuse: slices.Concat(unstorable, unreadable, special, []string{"und", "de-", "xx-yy-zz-aa-bb"}),
			put: registering(func(n *roster.NewUser, s string) { n.Locale = s }, nil),
		},
		slot{
			name: "Register.Timezone", field: roster.FieldTimezone, floods: true,
			refuse: slices.Concat(unstorable, unreadable, fragments, []string{"Local", "local", "Europe/../UTC", "Europe/Nowhere", "America", "zone.tab", "Europe", "/usr/share/zoneinfo/UTC"}),
			put:    registering(func(n *roster.NewUser, s string) { n.Timezone = s }, func(u *roster.User) string { return u.Timezone }),
		},
		slot{
			name: "Register.Source", field: roster.FieldSource, floods: true, refuse: slices.Concat(unstorable, unreadable), accept: slices.Concat(fragments, odd[:10]),
			put: registering(func(n *roster.NewUser, s string) { n.Source = s }, func(u *roster.User) string { return roster.RegistrationSource.Get(u) }),
		},
	)
	for _, by := range []string{"Create", "Edit", "Save"} {
		refuse, accept := badNames, []string{"Åsa", "ＷＩＤＥ"}
		if by == "Create" {
			accept = append(accept, "Root", "admin") // on the program's own authority
		} else {
			refuse = slices.Concat(badNames, reserved)
		}
		all = append(all,
			slot{
				name: by + ".Name", field: roster.FieldName, floods: true, refuse: slices.Concat(refuse, special), accept: accept,
				put: creating(by, func(u *roster.User, s string) { u.Name = s }, name),
			},
			slot{
				name: by + ".RealName", field: roster.FieldRealName, floods: true, refuse: badTexts, accept: fineTexts,
				put: creating(by, func(u *roster.User, s string) { u.RealName = s }, func(u *roster.User) string { return u.RealName }),
			},
			slot{
				name: by + ".Locale", field: roster.FieldLocale, floods: true, refuse: slices.Concat(unstorable, unreadable, special),
				put: creating(by, func(u *roster.User, s string) { u.Locale = s }, nil),
			},
			slot{
				name: by + ".Timezone", field: roster.FieldTimezone, floods: true, refuse: slices.Concat(unstorable, unreadable, fragments),
				put: creating(by, func(u *roster.User, s string) { u.Timezone = s }, nil),
			},
			slot{
				name: by + ".DirectoryDN", field: roster.FieldDirectory, floods: true, refuse: slices.Concat(unstorable, unreadable),
				accept: slices.Concat(fineTexts, []string{`uid=o\,brien,ou=people,dc=example,dc=org`}),
				put:    creating(by, func(u *roster.User, s string) { u.DirectoryDN = s }, func(u *roster.User) string { return u.DirectoryDN }),
			},
			slot{
				name: by + ".DirectoryID", field: roster.FieldDirectory, floods: true, refuse: slices.Concat(unstorable, unreadable), accept: fineTexts,
				put: creating(by, func(u *roster.User, s string) { u.DirectoryID = s }, func(u *roster.User) string { return u.DirectoryID }),
			},
			slot{
				name: by + ".Data value", field: roster.FieldData, refuse: unstorable, accept: slices.Concat(fragments, odd, unreadable[:20]),
				put: creating(by, func(u *roster.User, s string) { _ = note.Set(u, s) }, func(u *roster.User) string { return note.Get(u) }),
			},
			slot{
				name: by + ".Data key", field: roster.FieldData, floods: true, refuse: unstorable, accept: slices.Concat(fragments, odd),
				put: creating(by, func(u *roster.User, s string) { u.Data = roster.Data{s: []byte("1")} }, func(u *roster.User) string {
					for key := range u.Data {
						return key
					}
					return "no key"
				}),
			},
		)
	}
	for verb, method := range map[string]func(*world) func(context.Context, roster.UserID, string) (*roster.UserEmail, error){
		"AddEmail": func(w *world) func(context.Context, roster.UserID, string) (*roster.UserEmail, error) {
			return w.AddEmail
		},
		"ChangeEmail": func(w *world) func(context.Context, roster.UserID, string) (*roster.UserEmail, error) {
			return w.ChangeEmail
		},
		"AddActivatedEmail": func(w *world) func(context.Context, roster.UserID, string) (*roster.UserEmail, error) {
			return w.AddActivatedEmail
		},
	} {
		all = append(all, slot{name: verb, field: roster.FieldEmail, floods: true, refuse: badAddresses, accept: fineAddresses, put: addressing(method)})
	}
	all = append(all, slot{
		name: "SetPassword", field: roster.FieldPassword, floods: true, refuse: badPasswords, accept: finePasswords,
		put: func(ctx context.Context, w *world, s string) (func() (string, error), func(), error) {
			u := w.active(next("in%d"), next("in%d@example.org"))
			undo := purging(ctx, w, u.ID)
			if err := w.SetPassword(ctx, u.ID, s); err != nil {
				undo()
				return nil, nil, err
			}
			return func() (string, error) { return s, w.CheckPassword(ctx, u.ID, s) }, undo, nil
		},
	},
		slot{
			name: "ChangePassword", field: roster.FieldPassword, floods: true, refuse: badPasswords, accept: finePasswords,
			put: func(ctx context.Context, w *world, s string) (func() (string, error), func(), error) {
				u := w.active(next("in%d"), next("in%d@example.org"))
				undo := purging(ctx, w, u.ID)
				if err := w.ChangePassword(ctx, u.ID, goodPassword, s); err != nil {
					undo()
					return nil, nil, err
				}
				return func() (string, error) {
					u, err := w.Authenticate(ctx, u.Name, s)
					return s, errors.Join(err, nilUser(u))
				}, undo, nil
			},
		})
	return all
}

func nilUser(u *roster.User) error {
	if u == nil {
		return errors.New("no user")
	}
	return nil
}

// TestBadInput puts hostile text into every argument that is stored. It is
// refused by an error that names the field, and leaves nothing behind; or it is
// fine, and comes back as it was.
func TestBadInput(t *testing.T) {
	onEach(t, func(t *testing.T, k kind) {
		w := newWorld(t, k.open(t))
		ctx := ctxOf(t)
		rng := random(t)
		newCast(w)
		w.post.take()
		tried := 0
		// What is refused is refused above every store: on the databases it takes
		// a few of them, and all in a soak.
		few := func(texts []string, n int) []string {
			if !k.sql || soak || len(texts) <= n {
				return texts
			}
			texts = slices.Clone(texts)
			rng.Shuffle(len(texts), func(i, j int) { texts[i], texts[j] = texts[j], texts[i] })
			return texts[:n]
		}
		for _, s := range slots() {
			if k.leaveOut(rng) {
				continue
			}
			t.Run(s.name, func(t *testing.T) {
				before, err := dump(ctx, w.store, nil, nil)
				w.must(err)
				for _, text := range few(s.refuse, 4) {
					tried++
					_, undo, err := s.put(ctx, w, text)
					if err == nil {
						undo()
						t.Errorf("%.60q was accepted", text)
						continue
					}
					checkRefusal(t, s.field, text, err)
				}
				if mails := w.post.take(); len(s.refuse) > 0 && strings.Contains(s.name, "Email") && len(mails) > 0 {
					t.Errorf("%d mails left", len(mails))
				}
				for _, text := range few(s.accept, 25) {
					tried++
					stored, undo, err := s.put(ctx, w, text)
					if err != nil {
						t.Errorf("%.60q was refused: %v", text, err)
						continue
					}
					if stored == nil {
						t.Errorf("%.60q was accepted, and nobody can tell as what", text)
					} else if got, err := stored(); err != nil || got != text {
						t.Errorf("%.60q came back as %.60q, %v", text, got, err)
					}
					undo()
				}
				// What is neither: refused or verbatim.
				for _, text := range few(slices.Concat(fragments, odd, unreadable, unstorable), 6) {
					tried++
					stored, undo, err := s.put(ctx, w, text)
					if err != nil {
						if !errors.Is(err, roster.ErrConflict) {
							checkRefusal(t, s.field, text, err)
						}
						continue
					}
					if !utf8.ValidString(text) || strings.Contains(text, "\x00") {
						t.Errorf("%q was accepted", text)
					}
					if stored != nil {
						if got, err := stored(); err != nil || got != text {
							t.Errorf("%q came back as %q, %v", text, got, err)
						}
					}
					undo()
				}
				if s.floods {
					for _, text := range few(floods, 1) {
						tried++
						quick(t, fmt.Sprintf("%.20q and so on", text), func() {
							_, _, err := s.put(ctx, w, text)
							if err == nil {
								t.Fatalf("8 MiB of %.20q were accepted", text)
							}
							checkRefusal(t, s.field, text, err)
						})
					}
				}
				w.post.take()
				after, err := dump(ctx, w.store, nil, nil)
				w.must(err)
				if after != before {
					t.Errorf("something was left behind:\n%s", cmp.Diff(before, after))
				}
			})
		}
		t.Logf("%d texts in %d arguments", tried, len(slots()))
		w.sound()
	})
}

func checkRefusal(t *testing.T, field, text string, err error) {
	t.Helper()
	if !invalidOf(field)(err) || !errors.Is(err, roster.ErrInvalid) {
		t.Errorf("%.60q: %v, want an InvalidError of %q", text, err, field)
	}
	if len(text) > 10 && strings.Contains(err.Error(), text) {
		t.Errorf("the error repeats what was typed: %.200v", err)
	}
}

// quick fails the test if none of a few tries is quick.
func quick(t *testing.T, what string, fn func()) {
	t.Helper()
	best := time.Duration(math.MaxInt64)
	for range 4 {
		start := time.Now()
		fn()
		if best = min(best, time.Since(start)); best < 250*time.Millisecond {
			return
		}
	}
	t.Errorf("%s took %v", what, best)
}

// TestBadQuestions asks for hostile text where nothing is stored.
func TestBadQuestions(t *testing.T) {
	onEach(t, func(t *testing.T, k kind) {
		w := newWorld(t, k.open(t))
		ctx := ctxOf(t)
		ann := newCast(w).ann
		before, err := dump(ctx, w.store, names, nil)
		w.must(err)
		questions := map[string]struct {
			ask  func(s string) error
			want error // nil is no error
		}{
			"ByName":    {func(s string) error { _, err := w.ByName(ctx, s); return err }, roster.ErrNotFound},
			"ByEmail":   {func(s string) error { _, err := w.ByEmail(ctx, s); return err }, roster.ErrNotFound},
			"ByAddress": {func(s string) error { _, err := w.ByAddress(ctx, s); return err }, roster.ErrNotFound},
			"Activate":  {func(s string) error { _, err := w.Activate(ctx, s); return err }, roster.ErrActivation},
			"Peek":      {func(s string) error { _, err := w.Peek(ctx, s); return err }, roster.ErrActivation},
			"ResetPassword": {
				func(s string) error { _, err := w.ResetPassword(ctx, s, otherPassword); return err },
				roster.ErrActivation,
			},
			"UndoChange": {
				func(s string) error { _, err := w.UndoChange(ctx, s, otherPassword); return err },
				roster.ErrActivation,
			},
			"AcceptChange":         {func(s string) error { return w.AcceptChange(ctx, s) }, roster.ErrActivation},
			"ResendActivation":     {func(s string) error { return w.ResendActivation(ctx, s) }, nil},
			"RequestPasswordReset": {func(s string) error { return w.RequestPasswordReset(ctx, s) }, nil},
			"Authenticate login":   {func(s string) error { _, err := w.Authenticate(ctx, s, goodPassword); return err }, roster.ErrCredentials},
			"Authenticate password": {
				func(s string) error { _, err := w.Authenticate(ctx, "ann", s); return err },
				roster.ErrCredentials,
			},
			"RenewPassword login":   {func(s string) error { _, err := w.RenewPassword(ctx, s, goodPassword, otherPassword); return err }, roster.ErrCredentials},
			"RenewPassword current": {func(s string) error { _, err := w.RenewPassword(ctx, "ann", s, otherPassword); return err }, roster.ErrCredentials},
			"CheckPassword":         {func(s string) error { return w.CheckPassword(ctx, ann.ID, s) }, roster.ErrCredentials},
			"ChangePassword current": {
				func(s string) error { return w.ChangePassword(ctx, ann.ID, s, otherPassword) },
				roster.ErrCredentials,
			},
			"EmailInUse": {func(s string) error {
				used, err := w.EmailInUse(ctx, s)
				if used {
					return errors.New("in use")
				}
				if errors.Is(err, roster.ErrInvalid) && invalidOf(roster.FieldEmail)(err) {
					return nil
				}
				return err
			}, nil},
			"Search cursor": {func(s string) error {
				if s == "" {
					s = "x"
				}
				_, err := w.Search(ctx, roster.Query{Cursor: s})
				if !invalidOf(roster.FieldCursor)(err) {
					return fmt.Errorf("%w, want an InvalidError", err)
				}
				return nil
			}, nil},
			"Search": {func(s string) error {
				_, err := w.Search(ctx, roster.Query{Pattern: s})
				if err != nil && invalidOf(roster.FieldPattern)(err) {
					err = nil
				}
				return err
			}, nil},
			"Count": {func(s string) error {
				_, err := w.Count(ctx, roster.Query{Pattern: s})
				if err != nil && invalidOf(roster.FieldPattern)(err) {
					err = nil
				}
				return err
			}, nil},
		}
		asked := 0
		for name, q := range questions {
			for _, s := range slices.Concat(unstorable, unreadable, fragments, odd, floods, []string{"", " "}) {
				asked++
				check := func() {
					if err := q.ask(s); !errors.Is(err, q.want) || q.want == nil && err != nil {
						t.Fatalf("%s(%.60q): %v, want %v", name, s, err, q.want)
					}
				}
				if len(s) > 1<<20 {
					quick(t, fmt.Sprintf("%s(%.20q and so on)", name, s), check)
				} else {
					check()
				}
			}
		}
		if mails := w.post.take(); len(mails) > 0 {
			t.Errorf("%d mails left", len(mails))
		}
		after, err := dump(ctx, w.store, names, nil)
		w.must(err)
		if after != before {
			t.Errorf("asking has changed something:\n%s", cmp.Diff(before, after))
		}
		t.Logf("%d questions", asked)
	})
}

// TestBadIDs calls every verb with IDs that are no IDs, or nobody's.
func TestBadIDs(t *testing.T) {
	onEach(t, func(t *testing.T, k kind) {
		w := newWorld(t, k.open(t))
		ctx := ctxOf(t)
		ann := newCast(w).ann
		ben := w.active("other", "other@example.org")
		theirs := emailOf(w, ben.ID, "other@example.org")
		before, err := dump(ctx, w.store, names, nil)
		w.must(err)
		verbs := map[string]func(id roster.UserID) error{
			"ByID":              func(id roster.UserID) error { _, err := w.ByID(ctx, id); return err },
			"Emails":            func(id roster.UserID) error { _, err := w.Emails(ctx, id); return err },
			"PrimaryEmail":      func(id roster.UserID) error { _, err := w.PrimaryEmail(ctx, id); return err },
			"AddEmail":          func(id roster.UserID) error { _, err := w.AddEmail(ctx, id, "x@example.org"); return err },
			"ChangeEmail":       func(id roster.UserID) error { _, err := w.ChangeEmail(ctx, id, "x@example.org"); return err },
			"AddActivatedEmail": func(id roster.UserID) error { _, err := w.AddActivatedEmail(ctx, id, "x@example.org"); return err },
			"SetPrimaryEmail":   func(id roster.UserID) error { return w.SetPrimaryEmail(ctx, id, theirs.ID) },
			"RemoveEmail":       func(id roster.UserID) error { return w.RemoveEmail(ctx, id, theirs.ID) },
			"ActivateUser":      func(id roster.UserID) error { return w.ActivateUser(ctx, id) },
			"Disable":           func(id roster.UserID) error { return w.Disable(ctx, id) },
			"Enable":            func(id roster.UserID) error { return w.Enable(ctx, id) },
			"Delete":            func(id roster.UserID) error { return w.Delete(ctx, id) },
			"Restore":           func(id roster.UserID) error { return w.Restore(ctx, id) },
			"Purge":             func(id roster.UserID) error { return w.Purge(ctx, id) },
			"Edit":              func(id roster.UserID) error { return w.Edit(ctx, id, func(*roster.User) error { return nil }) },
			"Save":              func(id roster.UserID) error { return w.Save(ctx, &roster.User{ID: id, Name: "x"}) },
			"SetPassword":       func(id roster.UserID) error { return w.SetPassword(ctx, id, otherPassword) },
			"GeneratePassword": func(id roster.UserID) error {
				_, err := w.GeneratePassword(ctx, id, roster.Generated{})
				return err
			},
			"RequirePasswordChange": func(id roster.UserID) error { return w.RequirePasswordChange(ctx, id, time.Hour) },
			"RequirePasswordReset":  func(id roster.UserID) error { return w.RequirePasswordReset(ctx, id) },
			"RemovePassword":        func(id roster.UserID) error { return w.RemovePassword(ctx, id) },
			"CheckPassword":         func(id roster.UserID) error { return w.CheckPassword(ctx, id, goodPassword) },
			"ChangePassword":        func(id roster.UserID) error { return w.ChangePassword(ctx, id, goodPassword, otherPassword) },
		}
		for name, verb := range verbs {
			for _, id := range []roster.UserID{0, -1, math.MinInt64} {
				if err := verb(id); !invalidOf(roster.FieldID)(err) {
					t.Errorf("%s(%d): %v", name, id, err)
				}
			}
			for _, id := range []roster.UserID{ben.ID + 1000, math.MaxInt64} {
				want := roster.ErrNotFound
				if strings.HasSuffix(name, "kPassword") || name == "ChangePassword" {
					want = roster.ErrCredentials
				}
				if err := verb(id); !errors.Is(err, want) {
					t.Errorf("%s(%d): %v, want %v", name, id, err, want)
				}
			}
		}
		for name, verb := range map[string]func(id roster.EmailID) error{
			"SetPrimaryEmail": func(id roster.EmailID) error { return w.SetPrimaryEmail(ctx, ann.ID, id) },
			"RemoveEmail":     func(id roster.EmailID) error { return w.RemoveEmail(ctx, ann.ID, id) },
		} {
			for _, id := range []roster.EmailID{0, -1, math.MinInt64} {
				if err := verb(id); !invalidOf(roster.FieldEmail)(err) {
					t.Errorf("%s(%d): %v", name, id, err)
				}
			}
			for _, id := range []roster.EmailID{theirs.ID, theirs.ID + 1000, math.MaxInt64} {
				if err := verb(id); !errors.Is(err, roster.ErrNotFound) {
					t.Errorf("%s(%d): %v", name, id, err)
				}
			}
		}
		if _, err := w.ByUUID(ctx, uuid.Nil); !invalidOf(roster.FieldUUID)(err) {
			t.Errorf("ByUUID(nil): %v", err)
		}
		if _, err := w.ByUUID(ctx, uuid.New()); !errors.Is(err, roster.ErrNotFound) {
			t.Errorf("ByUUID(unknown): %v", err)
		}
		if err := w.Create(ctx, &roster.User{Name: "copy", UUID: ann.UUID}); !conflict(roster.FieldUUID)(err) {
			t.Errorf("Create with a UUID that is taken: %v", err)
		}
		for _, q := range []roster.Query{{Limit: -1}, {Limit: 501}, {Limit: math.MinInt}, {Limit: math.MaxInt}} {
			if _, err := w.Search(ctx, q); !invalidOf(roster.FieldLimit)(err) {
				t.Errorf("limit %d: %v", q.Limit, err)
			}
		}
		if _, err := w.Search(ctx, roster.Query{State: 200}); !invalidOf(roster.FieldState)(err) {
			t.Errorf("unknown state: %v", err)
		}
		if _, err := w.Prune(ctx, roster.Budget{Rows: -1}); !invalidOf(roster.FieldLimit)(err) {
			t.Errorf("negative budget: %v", err)
		}
		many := make([]roster.UserID, k.some(100_000, 100_000))
		for i := range many {
			many[i] = roster.UserID(i - 1000)
		}
		users, err := w.ByIDs(ctx, many...)
		if err != nil || len(users) == 0 {
			t.Errorf("%d IDs found %d users: %v", len(many), len(users), err)
		}
		of, err := w.EmailsOf(ctx, many...)
		if err != nil || len(of) == 0 {
			t.Errorf("%d IDs found the addresses of %d users: %v", len(many), len(of), err)
		}
		if err := w.Edit(ctx, ann.ID, func(u *roster.User) error { u.Flags = 1 << 31; return nil }); !invalidOf(roster.FieldFlags)(err) {
			t.Errorf("unknown flag: %v", err)
		}
		after, err := dump(ctx, w.store, names, nil)
		w.must(err)
		if after != before {
			t.Errorf("something has changed:\n%s", cmp.Diff(before, after))
		}
	})
}

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
