package memory

import (
	"cmp"
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/go-roster/roster"
)

func TestKeysSortAsWhatTheyAreMadeOf(t *testing.T) {
	numbers := []int64{math.MinInt64, -2, -1, 0, 1, 255, 256, math.MaxInt64}
	for _, a := range numbers {
		for _, b := range numbers {
			if got, want := cmp.Compare(ints(a), ints(b)), cmp.Compare(a, b); got != want {
				t.Errorf("%d and %d compare as %d, want %d", a, b, got, want)
			}
		}
	}
	texts := []string{"", "\x00", "\x00\x00", "\x00\x01", "\x00a", "\x00\xff", "\x01", "a", "a\x00", "a\x00b", "a\x01", "ab", "b", "\xff"}
	for _, a := range texts {
		for _, b := range texts {
			if got, want := cmp.Compare(text(a)+ints(2), text(b)+ints(1)), cmp.Or(cmp.Compare(a, b), 1); got != want {
				t.Errorf("%q and %q compare as %d, want %d", a, b, got, want)
			}
		}
	}
}

// Random calls, some of them in transactions, some of those rolled back; after
// each the indices must be those that the rows alone give.
func TestIndicesFollowTheRows(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	s, outside := New(), t.Context()
	for range 2000 {
		if rng.IntN(3) > 0 {
			randomCall(outside, s, rng)
		} else {
			_ = s.Atomic(outside, func(ctx context.Context) error {
				for range rng.IntN(6) {
					randomCall(ctx, s, rng)
				}
				return []error{nil, errors.New("no")}[rng.IntN(2)]
			})
		}
		checkIndices(t, s.last.Load())
		if t.Failed() {
			return
		}
	}
}

func randomCall(ctx context.Context, s *Store, rng *rand.Rand) {
	key := string(rune('a' + rng.IntN(6)))
	user := roster.UserID(rng.IntN(20))
	email := roster.EmailID(rng.IntN(40))
	at := func() time.Time { // zero now and then
		return []time.Time{{}, start.Add(time.Duration(rng.IntN(9)) * time.Hour)}[rng.IntN(2)]
	}
	fill := func(u *roster.User) {
		u.NameKey, u.ActivatedAt, u.DeletedAt, u.DirectoryID = key, at(), at(), []string{"", "id"}[rng.IntN(2)]
	}
	switch rng.IntN(22) {
	case 0, 1:
		u := &roster.User{UUID: uuid.New(), CreatedAt: at(), LastLoginAt: at()}
		fill(u)
		_ = s.InsertUser(ctx, u, key)
	case 2, 3:
		if m, err := s.UserByID(ctx, user); err == nil {
			fill(m.RosterUser())
			_ = s.UpdateUser(ctx, m, key)
		}
	case 4:
		_ = s.RecordLogin(ctx, user, at(), "")
	case 5:
		_ = s.PurgeUser(ctx, user)
	case 6:
		_, _ = s.PruneUsers(ctx, at(), 0, 1)
	case 7, 8, 9:
		_ = s.InsertEmail(ctx, &roster.UserEmail{
			UserID: user, AddressKey: key, Primary: rng.IntN(2) == 0, ActivatedAt: at(), ReleasedAt: at(), CreatedAt: at(),
		})
	case 10:
		_ = s.ActivateEmail(ctx, email, at())
	case 11:
		_ = s.MarkPrimary(ctx, email)
		_ = s.ClearPrimary(ctx, user)
	case 12:
		_ = s.ReleaseEmails(ctx, user, at())
	case 13:
		_, _ = s.DeleteReleased(ctx, key, user)
		_ = s.ReclaimEmails(ctx, user)
		_, _ = s.PruneEmails(ctx, at(), 1)
	case 14:
		_, _ = s.DeleteEmails(ctx, email, email+1)
	case 15:
		if rows, _ := s.EmailsByID(ctx, email); len(rows) > 0 {
			_ = s.InsertActivation(ctx, &roster.Activation{
				Hash: strconv.Itoa(rng.IntN(20)), UserID: rows[0].UserID, EmailID: email, ExpiresAt: at(),
			})
		}
		_, _ = s.PruneActivations(ctx, at(), 1)
	case 16:
		_ = s.ClaimName(ctx, key, user, at())
		_ = s.RetireName(ctx, key, user, at())
		_, _ = s.PruneNames(ctx, at(), 1)
	case 17:
		_ = s.PutCredential(ctx, &roster.Credential{UserID: user, ScopeID: roster.ScopeID(rng.IntN(3) - 1)})
	case 18:
		_ = s.InsertSession(ctx, &roster.Session{
			Hash: roster.NewSecret(key), ID: uuid.UUID{15: byte(rng.IntN(4))}, UserID: user, ImpersonatorID: roster.UserID(rng.IntN(3)),
			ExpiresAt: at(),
		})
	case 19:
		_ = s.UpdateSession(ctx, roster.NewSecret(key), &roster.Session{Hash: roster.NewSecret("new " + key), ExpiresAt: at()})
		_ = s.SeeSession(ctx, roster.NewSecret(key), at(), at())
		_ = s.DropSession(ctx, roster.NewSecret(key))
		_, _ = s.DeleteSessions(ctx, user, uuid.UUID{15: 1})
		_, _ = s.PruneSessions(ctx, at(), 1)
	case 20:
		e := &roster.Event{Kind: roster.EventKind(key), User: user, RealActor: roster.UserID(rng.IntN(3)), Addr: "a", At: at()}
		_ = s.InsertEvent(ctx, e)
		_ = s.CountEvent(ctx, key, e)
	case 21:
		_, _ = s.ForgetClients(ctx, user)
		_, _ = s.PruneEvents(ctx, at(), 1)
		_, _ = s.PruneGrants(ctx, at(), 1)
	}
}

// checkIndices builds the state anew from its rows and compares.
func checkIndices(t *testing.T, st *state) {
	t.Helper()
	fresh := new(state)
	for id, r := range st.users.byID.from(0) {
		fresh.setUser(id, nil, r)
	}
	for key, r := range st.names.byKey.from("") {
		fresh.setName(key, nil, r)
	}
	for id, e := range st.emails.byID.from(0) {
		fresh.setEmail(id, nil, e)
	}
	for hash, a := range st.activations.byHash.from("") {
		fresh.setActivation(nil, a, hash)
		if e := st.emails.byID.get(a.EmailID); e == nil || e.UserID != a.UserID {
			t.Errorf("an activation for nobody's address")
		}
	}
	for key, c := range st.credentials.byUser.from("") {
		put(fresh, &fresh.credentials.byUser, key, c)
		if st.users.byID.get(c.UserID) == nil {
			t.Errorf("a credential of nobody")
		}
	}
	for hash, one := range st.sessions.byHash.from("") {
		fresh.setSession(nil, one)
		if st.users.byID.get(one.UserID) == nil || one.ImpersonatorID != 0 && st.users.byID.get(one.ImpersonatorID) == nil {
			t.Errorf("a session of nobody")
		}
		if one.Hash.Reveal() != hash {
			t.Errorf("a session under another hash")
		}
	}
	for id, e := range st.events.byID.from(0) {
		fresh.setEvent(id, nil, e)
	}
	sameIndex(t, "events by key", st.events.byKey, fresh.events.byKey)
	sameIndex(t, "events by time", st.events.byTime, fresh.events.byTime)
	sameIndex(t, "events by user", st.events.byUser, fresh.events.byUser)
	sameIndex(t, "events by actor", st.events.byActor, fresh.events.byActor)
	sameIndex(t, "events by kind", st.events.byKind, fresh.events.byKind)
	sameIndex(t, "events by age", st.events.byAge, fresh.events.byAge)
	sameIndex(t, "sessions by user", st.sessions.byUser, fresh.sessions.byUser)
	sameIndex(t, "sessions by impersonator", st.sessions.byActor, fresh.sessions.byActor)
	sameIndex(t, "sessions by expiry", st.sessions.byExpiry, fresh.sessions.byExpiry)
	u, n, e, a := &fresh.users, &fresh.names, &fresh.emails, &fresh.activations
	sameIndex(t, "users by UUID", st.users.byUUID, u.byUUID)
	sameIndex(t, "live users", st.users.live, u.live)
	sameIndex(t, "active users", st.users.active, u.active)
	sameIndex(t, "pending users", st.users.pending, u.pending)
	sameIndex(t, "deleted users", st.users.deleted, u.deleted)
	sameIndex(t, "idle users", st.users.idle, u.idle)
	sameIndex(t, "names by owner", st.names.byOwner, n.byOwner)
	sameIndex(t, "names held back", st.names.held, n.held)
	sameIndex(t, "emails by user", st.emails.byUser, e.byUser)
	sameIndex(t, "claims", st.emails.claims, e.claims)
	sameIndex(t, "proven emails", st.emails.proven, e.proven)
	sameIndex(t, "lost emails", st.emails.gone, e.gone)
	sameIndex(t, "pending emails", st.emails.pending, e.pending)
	sameIndex(t, "activations by email", st.activations.byEmail, a.byEmail)
	sameIndex(t, "activations by expiry", st.activations.byExpiry, a.byExpiry)
}

func sameIndex[K cmp.Ordered, V comparable](t *testing.T, name string, got, want index[K, V]) {
	t.Helper()
	type entry struct {
		key K
		v   V
	}
	list := func(ix index[K, V]) (all []entry) {
		if ix.tree != nil {
			ix.tree.Scan(func(key K, v V) bool { all = append(all, entry{key, v}); return true })
		}
		return all
	}
	if got, want := list(got), list(want); !slices.Equal(got, want) {
		t.Errorf("%s: %v, want %v", name, got, want)
	}
}
