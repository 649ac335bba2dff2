package acceptance

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"unicode"

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
