package storetest

import (
	"crypto/rand"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/go-roster/roster"
)

// start is the moment that the fixtures count from. It has microseconds, and no
// row has a time of its own by accident.
var start = time.Date(2024, time.February, 29, 23, 59, 59, 123456000, time.UTC)

func at(d time.Duration) time.Time { return start.Add(d) }

// newUUID is a random one. The type is spelled out because the suite needs
// nothing else of the uuid package.
func newUUID() (id [16]byte) {
	_, _ = rand.Read(id[:])
	id[6], id[8] = id[6]&0x0f|0x40, id[8]&0x3f|0x80
	return id
}

// fullUser has a value in every field but the ID, so that none can be dropped
// unnoticed. It is deleted.
func fullUser(key string) *roster.User {
	return &roster.User{
		UUID:              newUUID(),
		Name:              "Name " + key,
		NameKey:           key,
		NameAuto:          true,
		RealName:          "Real " + key,
		Locale:            "de",
		Timezone:          "Europe/Berlin",
		DirectoryDN:       "uid=" + key + ",dc=example,dc=org",
		DirectoryID:       "directory id " + key,
		Enabled:           true,
		Flags:             roster.FlagPrivileged | roster.FlagSimpleRegistration,
		ActivatedAt:       at(1 * time.Second),
		DeletedAt:         at(2 * time.Second),
		LastLoginAt:       at(3 * time.Second),
		LastLoginIP:       "2001:db8::1",
		PasswordChangedAt: at(4 * time.Second),
		AuthChangedAt:     at(5 * time.Second),
		CreatedAt:         at(6 * time.Second),
		UpdatedAt:         at(7 * time.Second),
		Data:              roster.Data{"plan": json.RawMessage(`"pro"`), "of": json.RawMessage(`{"key":[1,2.50,null]}`)},
		Version:           7,
	}
}

// user is an activated one, local and not deleted.
func user(key string) *roster.User {
	u := fullUser(key)
	u.DeletedAt = time.Time{}
	u.DirectoryDN, u.DirectoryID = "", ""
	u.Flags = 0
	return u
}

// deletedUser is one whose name others may take.
func deletedUser(key string) *roster.User {
	u := user(key)
	u.DeletedAt = at(time.Minute)
	return u
}

// pendingUser has neither proven an address nor signed in.
func pendingUser(key string) *roster.User {
	u := user(key)
	u.ActivatedAt, u.LastLoginAt, u.LastLoginIP = time.Time{}, time.Time{}, ""
	return u
}

// pending is an address that nobody has proven.
func pending(u *roster.User, key string) *roster.UserEmail {
	return &roster.UserEmail{UserID: u.ID, Address: "Mail@" + key, AddressKey: key, CreatedAt: at(time.Hour)}
}

// proven is an address that somebody has.
func proven(u *roster.User, key string) *roster.UserEmail {
	e := pending(u, key)
	e.ActivatedAt = at(2 * time.Hour)
	return e
}

// primary is a pending address with the mark.
func primary(u *roster.User, key string) *roster.UserEmail {
	e := pending(u, key)
	e.Primary = true
	return e
}

// activation of the address, by a code that hashes to what is told.
func activation(e *roster.UserEmail, hash string) *roster.Activation {
	return &roster.Activation{
		Hash: hash, Purpose: roster.PurposeActivate, UserID: e.UserID, EmailID: e.ID,
		CreatedAt: at(3 * time.Hour), ExpiresAt: at(27 * time.Hour),
	}
}

func credential(u *roster.User, scope roster.ScopeID, hash string) *roster.Credential {
	return &roster.Credential{
		UserID: u.ID, ScopeID: scope, Hash: roster.NewSecret(hash), CreatedAt: at(4 * time.Hour),
		MustChange: true, ExpiresAt: at(5 * time.Hour),
	}
}

// undo of what happened to the address, by a code that hashes to what is told.
func undo(u *roster.User, key string, rank int64, hash string) *roster.Undo {
	return &roster.Undo{
		Hash: hash, UserID: u.ID, Address: "Mail@" + key, AddressKey: key, Rank: rank,
		CreatedAt: at(6 * time.Hour), ExpiresAt: at(174 * time.Hour),
	}
}

// take asks for one more under a key.
func take(key string, most int, expires time.Time) roster.LimitTake {
	return roster.LimitTake{Key: key, Max: most, ExpiresAt: expires}
}

// sessionID tells sessions apart by a number, and sorts as it does.
func sessionID(n byte) [16]byte { return [16]byte{0: 0xf0, 6: 0x40, 8: 0x80, 15: n} }

// session of a user, by a token that hashes to what is told.
func session(u *roster.User, n byte, hash string) *roster.Session {
	return &roster.Session{
		ID: sessionID(n), Hash: roster.NewSecret(hash), UserID: u.ID, AuthChangedAt: at(5 * time.Second),
		CreatedAt: at(6 * time.Hour), AuthenticatedAt: at(5 * time.Hour), LastSeenAt: at(7 * time.Hour), ExpiresAt: at(50 * time.Hour),
		Addr: "2001:db8::2", UserAgent: "Browser/1.0 (of " + u.NameKey + ")", TLS: true,
	}
}

// acting is a session of the user in which somebody else acts.
func acting(u, by *roster.User, n byte, hash string) *roster.Session {
	s := session(u, n, hash)
	s.ImpersonatorID, s.ImpersonatorChangedAt = by.ID, at(8*time.Second)
	return s
}

// identity of a user at a provider.
func identity(u *roster.User, provider, subject string) *roster.UserIdentity {
	return &roster.UserIdentity{
		Provider: provider, Subject: subject, UserID: u.ID, Emails: []string{u.NameKey + "@one", "<&>@two"},
		Data:      roster.Data{"login": json.RawMessage(`"<&>"`), "of": json.RawMessage(`{"key":[1,2.50,null]}`)},
		CreatedAt: at(9 * time.Hour), UpdatedAt: at(10 * time.Hour),
	}
}

func insertIdentity(t testing.TB, s roster.Store, i *roster.UserIdentity) *roster.UserIdentity {
	t.Helper()
	ok(t, s.InsertIdentity(t.Context(), i))
	return i
}

func insertSession(t testing.TB, s roster.Store, in *roster.Session) *roster.Session {
	t.Helper()
	ok(t, s.InsertSession(t.Context(), in))
	return in
}

// insert writes the user, who is found by the name key.
func insert(t testing.TB, s roster.Store, u *roster.User) *roster.User {
	t.Helper()
	ok(t, s.InsertUser(t.Context(), u, u.NameKey))
	return u
}

func insertEmail(t testing.TB, s roster.Store, e *roster.UserEmail) *roster.UserEmail {
	t.Helper()
	ok(t, s.InsertEmail(t.Context(), e))
	return e
}

func insertActivation(t testing.TB, s roster.Store, a *roster.Activation) *roster.Activation {
	t.Helper()
	ok(t, s.InsertActivation(t.Context(), a))
	return a
}

func putCredential(t testing.TB, s roster.Store, c *roster.Credential) *roster.Credential {
	t.Helper()
	ok(t, s.PutCredential(t.Context(), c))
	return c
}

// odd are keys that languages and foldings put in another order than their
// bytes do.
var odd = []string{"b", "B", "a", "_", "\u00e9", "e", "Z", "10", "9", "a-b", "ab", "~", "\u00df", "ss", "\U0001f600", "\uffee"}

func insertUndo(t testing.TB, s roster.Store, u *roster.Undo) *roster.Undo {
	t.Helper()
	ok(t, s.InsertUndo(t.Context(), u))
	return u
}

// nasty are texts that a store may break on its way to the row and back: by
// quoting, by escaping, by mapping characters, by length.
var nasty = []string{
	`it's "quoted" \and\ back'slashed''`, `'); DROP TABLE users; --`, `? ?? $1 :name @p1 {{.}} %s %d %%`,
	"/* comment */ -- and ; more", "tab\tline\nreturn\r\nescape\x1b\x7f", ` leading and trailing `,
	"combining e\u0301 and \u00e9, \u1112\u1161\u11ab", "emoji \U0001f469\u200d\U0001f680 and rare \U00020000\U0010fffd",
	"\u202eright to left\u202c \u2028\u2029 \ufeff \u00ad", "ı İ ß ſ K Å ﬁ", "<&>&lt;", `\u0041 \x41 \101 E'\n'`,
	`["json", {"a": null}]`, "NULL", "null", "true", "0", "1e3", "0x1F", "2024-02-29 23:59:59", "é", "x",
	strings.Repeat("long \U0001f600 ", 9000),
}

// group has a value in every field but the ID.
func group(key string) *roster.Group {
	return &roster.Group{
		UUID: newUUID(), Name: "Group " + key, NameKey: key, Description: "Of " + key,
		Data:      roster.Data{"floor": json.RawMessage(`[3,{"of":"4"}]`)},
		CreatedBy: 77, CreatedAt: at(8 * time.Hour), UpdatedAt: at(9 * time.Hour), Version: 5,
	}
}

func insertGroup(t testing.TB, s roster.Store, g *roster.Group) *roster.Group {
	t.Helper()
	ok(t, s.InsertGroup(t.Context(), g))
	return g
}

func member(g *roster.Group, u *roster.User) *roster.Membership {
	return &roster.Membership{GroupID: g.ID, UserID: u.ID, Rights: "of " + u.NameKey, CreatedAt: at(10 * time.Hour)}
}

func putMember(t testing.TB, s roster.Store, g *roster.Group, us ...*roster.User) {
	t.Helper()
	for _, u := range us {
		got(s.PutMember(t.Context(), member(g, u)))(t)
	}
}

// grant has a value in every field but the ID, and is good from at(11 h) to
// at(100 h).
func grant(to roster.Subject, scope roster.ScopeID, p roster.Permission) roster.Grant {
	return roster.Grant{
		Subject: to, ScopeID: scope, Permission: p, From: at(11 * time.Hour), Until: at(100 * time.Hour),
		CreatedBy: 78, CreatedAt: at(12 * time.Hour),
	}
}

// forever is a grant that is always good.
func forever(to roster.Subject, scope roster.ScopeID) roster.Grant {
	return roster.Grant{Subject: to, ScopeID: scope, CreatedAt: at(12 * time.Hour)}
}

func putGrants(t testing.TB, s roster.Store, g roster.Grant, ps ...roster.Permission) {
	t.Helper()
	same(t, "the grants that are new", got(s.PutGrants(t.Context(), g, ps...))(t), len(ps))
}
