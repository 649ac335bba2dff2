package acceptance

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/go-roster/roster"
)

// rows is everything that a store tells through its methods.
type rows struct {
	users  []roster.StoredUser
	emails []*roster.UserEmail
	creds  map[roster.UserID]*roster.Credential

	sessions []*roster.Session
	undos    []*roster.Undo
	outside  []*roster.UserIdentity
}

func readRows(ctx context.Context, s roster.Store) (*rows, error) {
	r := &rows{creds: map[roster.UserID]*roster.Credential{}}
	for after := roster.UserID(0); ; {
		page, err := s.UsersAfter(ctx, after, 1000)
		if err != nil {
			return nil, err
		}
		if len(page) == 0 {
			break
		}
		r.users = append(r.users, page...)
		after = page[len(page)-1].User.RosterUser().ID
	}
	for after := roster.EmailID(0); ; {
		page, err := s.EmailsAfter(ctx, after, 1000)
		if err != nil {
			return nil, err
		}
		if len(page) == 0 {
			break
		}
		r.emails = append(r.emails, page...)
		after = page[len(page)-1].ID
	}
	for _, u := range r.users {
		id := u.User.RosterUser().ID
		undos, err := s.UndosOf(ctx, id)
		if err != nil {
			return nil, err
		}
		r.undos = append(r.undos, undos...)
		outside, err := s.IdentitiesOf(ctx, id)
		if err != nil {
			return nil, err
		}
		r.outside = append(r.outside, outside...)
		c, err := s.Credential(ctx, id, 0)
		switch {
		case err == nil:
			r.creds[id] = c
		case !errors.Is(err, roster.ErrNotFound):
			return nil, err
		}
		of, err := s.SessionsOf(ctx, id, 100_000)
		if err != nil {
			return nil, err
		}
		r.sessions = append(r.sessions, of...)
	}
	return r, nil
}

// broken lists the invariants that do not hold. It is written from the
// documentation and shares nothing with Users.Check.
func (r *rows) broken(ctx context.Context, s roster.Store) []string {
	var bad []string
	add := func(format string, args ...any) { bad = append(bad, fmt.Sprintf(format, args...)) }
	users := map[roster.UserID]*roster.User{}
	live := map[string]roster.UserID{}
	uuids := map[uuid.UUID]roster.UserID{}
	for _, row := range r.users {
		u := row.User.RosterUser()
		users[u.ID] = u
		if other, ok := uuids[u.UUID]; ok || u.UUID == uuid.Nil {
			add("users %d and %d share a UUID", other, u.ID)
		}
		uuids[u.UUID] = u.ID
		if strings.Contains(u.Name, "user-") && u.NameAuto && u.Name != fmt.Sprintf("user-%d", u.ID) {
			add("user %d has the made-up name of another", u.ID)
		}
		if u.IsDeleted() {
			continue
		}
		if other, ok := live[u.NameKey]; ok {
			add("users %d and %d share a name", other, u.ID)
		}
		live[u.NameKey] = u.ID
		if owner, err := nameOwner(ctx, s, u.NameKey); err != nil || owner != u.ID {
			add("the name of user %d is that of user %d (%v)", u.ID, owner, err)
		}
	}
	primary := map[roster.UserID]*roster.UserEmail{}
	proven := map[roster.UserID]bool{}
	counts := map[roster.UserID]int{}
	owner := map[string]roster.UserID{}
	for _, e := range r.emails {
		u := users[e.UserID]
		if u == nil {
			add("address %d belongs to nobody", e.ID)
			continue
		}
		counts[u.ID]++
		if e.Primary {
			if primary[u.ID] != nil {
				add("user %d has two primary addresses", u.ID)
			}
			primary[u.ID] = e
		}
		if u.IsDeleted() == e.ReleasedAt.IsZero() {
			add("address %d is released (%v), its user deleted (%v)", e.ID, e.ReleasedAt, u.DeletedAt)
		}
		if !e.IsActivated() {
			continue
		}
		proven[u.ID] = true
		if !u.IsActivated() {
			add("address %d is activated and user %d is not", e.ID, u.ID)
		}
		if !e.ReleasedAt.IsZero() {
			continue
		}
		if other, ok := owner[e.AddressKey]; ok {
			add("users %d and %d have activated one address", other, u.ID)
		}
		owner[e.AddressKey] = u.ID
	}
	for _, one := range r.sessions {
		u, by := users[one.UserID], users[one.ImpersonatorID]
		switch {
		case !u.AuthChangedAt.Equal(one.AuthChangedAt):
			add("a session of user %d outlived a change of the account", u.ID)
		case one.ImpersonatorID != 0 && (by == nil || by == u || !by.AuthChangedAt.Equal(one.ImpersonatorChangedAt)):
			add("a session of user %d outlived a change of user %d, who acts in it", u.ID, one.ImpersonatorID)
		case !u.CanLogin():
			add("user %d has a session and cannot sign in", u.ID)
		}
	}
	for _, i := range r.outside {
		switch u := users[i.UserID]; {
		case u.DirectoryID != "" && i.Provider != u.DirectoryID:
			add("user %d belongs to a directory and signs in by %s", u.ID, i.Provider)
		case u.DirectoryID != "" && r.creds[u.ID] != nil:
			add("user %d belongs to a directory and has a password", u.ID)
		}
	}
	for id, n := range counts {
		switch {
		case primary[id] == nil && !users[id].IsDeleted():
			add("user %d has %d addresses and none is primary", id, n)
		case primary[id] == nil: // somebody else's by now
		case proven[id] && !primary[id].IsActivated():
			add("the primary address of user %d is pending, another is activated", id)
		}
	}
	return bad
}

// hashOf is how a code is kept: the hexadecimal SHA-256 of it.
func hashOf(code string) string {
	sum := sha256.Sum256([]byte(code))
	return hex.EncodeToString(sum[:])
}

// generated is a hash of a password that was made at random, by a hasher that
// hides nothing.
var generated = regexp.MustCompile(`\$[2-9a-km-z]{26}$`)

// unless is the text, unless it is one of those.
func unless(those *regexp.Regexp, text string) string {
	return those.ReplaceAllString(text, "$(random)")
}

// dump is everything in a store as text, a line a row: users, addresses,
// credentials, whose the names are, and those of the codes that are known here
// and kept there. IDs are replaced by their rank and UUIDs left out, so that
// the dumps of two stores, or of one at two times, can be compared.
func dump(ctx context.Context, s roster.Store, names, codes []string) (string, error) {
	r, err := readRows(ctx, s)
	if err != nil {
		return "", err
	}
	users := map[roster.UserID]int{}
	emails := map[roster.EmailID]int{}
	var lines []string
	line := func(format string, args ...any) { lines = append(lines, fmt.Sprintf(format, args...)) }
	names = slices.Clone(names)
	for i, row := range r.users {
		u := row.User.RosterUser()
		users[u.ID] = i + 1
		rank := func(s string) string {
			if u.NameAuto {
				return strings.ReplaceAll(s, fmt.Sprintf("user-%d", u.ID), "user-#")
			}
			return s
		}
		data, _ := json.Marshal(u.Data)
		line("user %d: name %q key %q auto %v real %q search %q locale %q zone %q directory %q %q enabled %v flags %d data %s version %d",
			i+1, rank(u.Name), rank(u.NameKey), u.NameAuto, u.RealName, rank(row.Search), u.Locale, u.Timezone,
			u.DirectoryDN, u.DirectoryID, u.Enabled, u.Flags, data, u.Version)
		line("user %d: activated %s deleted %s password %s auth %s created %s updated %s login %s %q",
			i+1, at(u.ActivatedAt), at(u.DeletedAt), at(u.PasswordChangedAt), at(u.AuthChangedAt),
			at(u.CreatedAt), at(u.UpdatedAt), at(u.LastLoginAt), u.LastLoginIP)
		if c := r.creds[u.ID]; c != nil {
			line("credential of %d: %s created %s must change %v expires %s", i+1, unless(generated, c.Hash.Reveal()), at(c.CreatedAt), c.MustChange, at(c.ExpiresAt))
		}
		names = append(names, u.NameKey)
	}
	var open []string
	for _, one := range r.sessions {
		open = append(open, fmt.Sprintf("session of %d by %d: auth changed %s %s created %s authenticated %s seen %s expires %s from %q %q %v",
			users[one.UserID], users[one.ImpersonatorID], at(one.AuthChangedAt), at(one.ImpersonatorChangedAt), at(one.CreatedAt),
			at(one.AuthenticatedAt), at(one.LastSeenAt), at(one.ExpiresAt), one.Addr, one.UserAgent, one.TLS))
	}
	slices.Sort(open)
	lines = append(lines, open...)
	for i, e := range r.emails {
		emails[e.ID] = i + 1
		line("address %d: of %d %q key %q primary %v activated %s released %s created %s",
			i+1, users[e.UserID], e.Address, e.AddressKey, e.Primary, at(e.ActivatedAt), at(e.ReleasedAt), at(e.CreatedAt))
	}
	var last []string
	for _, code := range codes {
		a, err := s.ActivationByHash(ctx, hashOf(code))
		if errors.Is(err, roster.ErrNotFound) {
			continue
		}
		if err != nil {
			return "", err
		}
		last = append(last, fmt.Sprintf("code: %s of %d for address %d created %s expires %s",
			a.Purpose, users[a.UserID], emails[a.EmailID], at(a.CreatedAt), at(a.ExpiresAt)))
	}
	for _, un := range r.undos { // the hashes are random
		last = append(last, fmt.Sprintf("undo: of %d for %q %q rank %d created %s expires %s",
			users[un.UserID], un.Address, un.AddressKey, un.Rank, at(un.CreatedAt), at(un.ExpiresAt)))
	}
	for _, i := range r.outside {
		data, _ := json.Marshal(i.Data)
		last = append(last, fmt.Sprintf("identity: %q of %q of %d gave %q data %s created %s updated %s",
			i.Subject, i.Provider, users[i.UserID], i.Emails, data, at(i.CreatedAt), at(i.UpdatedAt)))
	}
	groups, err := showGroups(ctx, s, users)
	if err != nil {
		return "", err
	}
	last = append(last, groups...)
	slices.Sort(names)
	for _, key := range slices.Compact(names) {
		owner, err := nameOwner(ctx, s, key)
		if err != nil && !errors.Is(err, roster.ErrNotFound) {
			return "", err
		}
		if err == nil {
			if strings.HasPrefix(key, "user-") {
				key = "user-#"
			}
			last = append(last, fmt.Sprintf("name %q: of %d", key, users[owner]))
		}
	}
	slices.Sort(last)
	return strings.Join(append(lines, last...), "\n"), nil
}

// nameOwner asks whose name it is.
func nameOwner(ctx context.Context, s roster.Store, key string) (roster.UserID, error) {
	owners, err := s.NameOwners(ctx, key)
	if owner, ok := owners[key]; ok || err != nil {
		return owner, err
	}
	return 0, roster.ErrNotFound
}

func at(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.Format(time.RFC3339Nano)
}
