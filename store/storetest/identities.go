package storetest

import (
	"slices"
	"testing"
	"time"

	"github.com/go-roster/roster"
)

var identityCases = []testCase{
	{name: "Identity/RoundTrip", rule: "An identity comes out as it went in, field by field, with its user in whatever state.", run: identityRoundTrip},
	{name: "Identity/Empty", rule: "What has no addresses or data has none when it is read: nil.", run: identityEmpty},
	{name: "Identity/Conflict", rule: "A subject that somebody has at a provider is a conflict of the subject, also of a deleted user, and before a user that is missing.", run: identityConflict},
	{name: "Identity/Bytes", rule: "Providers and subjects are compared by their bytes, and one does not run into the other.", run: identityBytes},
	{name: "Identity/Of", rule: "IdentitiesOf returns those of the users that were asked for, by user, provider and subject.", run: identitiesOf},
	{name: "Identity/After", rule: "IdentitiesAfter pages through those of one provider by the bytes of the subject.", run: identitiesAfter},
	{name: "Identity/Update", rule: "UpdateIdentity writes addresses, data and UpdatedAt of that row, if it is of that user, and nothing else.", run: identityUpdate},
	{name: "Identity/Delete", rule: "DeleteIdentities deletes exactly those of the user, of the provider and the subject if they are given.", run: identityDelete},
}

// whose reads an identity with its user.
func whose(t testing.TB, s roster.Store, provider, subject string) (*roster.UserIdentity, *roster.User) {
	t.Helper()
	i, m, err := s.IdentityBySubject(t.Context(), provider, subject)
	ok(t, err)
	return i, m.RosterUser()
}

func identityRoundTrip(t *testing.T, s roster.Store) {
	ctx := t.Context()
	gone := insert(t, s, fullUser("gone"))
	want := insertIdentity(t, s, identity(gone, "corp", "f47ac10b-58cc-4372"))
	filled(t, want)
	i, u := whose(t, s, "corp", "f47ac10b-58cc-4372")
	same(t, "the identity", i, want)
	same(t, "the user", u, gone)
	zone := time.FixedZone("somewhere", 9*3600)
	for _, text := range nasty {
		if len(text) > 1000 {
			continue
		}
		i := identity(gone, "p "+text, "s "+text)
		i.Emails, i.CreatedAt = []string{text, "", "x"}, at(time.Microsecond).In(zone)
		insertIdentity(t, s, i)
		out, _ := whose(t, s, i.Provider, i.Subject)
		same(t, "IdentityBySubject", out, i)
	}
	for _, c := range [][2]string{{"corp", ""}, {"", "f47ac10b-58cc-4372"}, {"corp", "%"}, {"Corp", "f47ac10b-58cc-4372"}} {
		_, _, err := s.IdentityBySubject(ctx, c[0], c[1])
		fails(t, "IdentityBySubject", err, roster.ErrNotFound)
	}
	same(t, "of nobody", got(s.IdentitiesOf(ctx, gone.ID+1000))(t), []*roster.UserIdentity{})
	same(t, "of none", got(s.IdentitiesOf(ctx))(t), []*roster.UserIdentity{})
}

func identityEmpty(t *testing.T, s roster.Store) {
	ann := insert(t, s, user("ann"))
	i := identity(ann, "p", "s")
	i.Emails, i.Data = []string{}, roster.Data{}
	insertIdentity(t, s, i)
	out, _ := whose(t, s, "p", "s")
	if out.Emails != nil || out.Data != nil {
		t.Errorf("%#v, %#v", out.Emails, out.Data)
	}
}

func identityConflict(t *testing.T, s roster.Store) {
	ctx := t.Context()
	ann, gone := insert(t, s, user("ann")), insert(t, s, deletedUser("gone"))
	ghost := &roster.User{ID: gone.ID + 1000}
	want := insertIdentity(t, s, identity(gone, "corp", "1"))
	for _, u := range []*roster.User{ann, gone, ghost} {
		conflicts(t, "a taken subject", s.InsertIdentity(ctx, identity(u, "corp", "1")), roster.FieldSubject)
	}
	conflicts(t, "nobody", s.InsertIdentity(ctx, identity(ghost, "corp", "2")), roster.FieldUser)
	_, _, err := s.IdentityBySubject(ctx, "corp", "2")
	fails(t, "the refused one", err, roster.ErrNotFound)
	out, _ := whose(t, s, "corp", "1")
	same(t, "the first", out, want)
	insertIdentity(t, s, identity(ann, "google", "1")) // of another provider
	insertIdentity(t, s, identity(gone, "corp", "2"))  // another of the same user
}

func identityBytes(t *testing.T, s roster.Store) {
	ann, ben := insert(t, s, user("ann")), insert(t, s, user("ben"))
	pairs := [][2]string{
		{"a", "b"}, {"a", "B"}, {"A", "b"}, {"ab", "c"}, {"a", "bc"}, {"a ", "b"}, {"a", " b"}, {"a", "b "}, {"a", "\u00e9"}, {"a", "e\u0301"},
	}
	for n, pair := range pairs {
		u := ann
		if n%2 == 1 {
			u = ben
		}
		insertIdentity(t, s, identity(u, pair[0], pair[1]))
	}
	for n, pair := range pairs {
		if i, u := whose(t, s, pair[0], pair[1]); i.Provider != pair[0] || i.Subject != pair[1] || (u.ID == ben.ID) != (n%2 == 1) {
			t.Errorf("%q is %+v of user %d", pair, i, u.ID)
		}
	}
}

func identitiesOf(t *testing.T, s roster.Store) {
	ctx := t.Context()
	ann, ben, cat := insert(t, s, user("ann")), insert(t, s, user("ben")), insert(t, s, user("cat"))
	var want []*roster.UserIdentity
	for _, u := range []*roster.User{ann, ben, cat} {
		for _, p := range []string{"B", "a", "b"} {
			for _, sub := range []string{"1", "10", "9"} {
				want = append(want, identity(u, p, u.NameKey+sub))
			}
		}
	}
	for n := range want {
		insertIdentity(t, s, want[(n*5+3)%len(want)])
	}
	same(t, "of ann", got(s.IdentitiesOf(ctx, ann.ID))(t), want[:9])
	same(t, "of all", got(s.IdentitiesOf(ctx, cat.ID, ann.ID, ben.ID, ann.ID, 0))(t), want)
	same(t, "of two", got(s.IdentitiesOf(ctx, cat.ID, ben.ID))(t), want[9:])
}

func identitiesAfter(t *testing.T, s roster.Store) {
	ctx := t.Context()
	ann := insert(t, s, user("ann"))
	subjects := slices.Clone(odd)
	for _, subject := range subjects {
		insertIdentity(t, s, identity(ann, "corp", subject))
		insertIdentity(t, s, identity(ann, "corp2", "x"+subject))
		insertIdentity(t, s, identity(ann, "Corp", "y"+subject))
	}
	slices.Sort(subjects)
	for _, limit := range []int{1, 3, 100} {
		var all []string
		for after := ""; ; {
			page := got(s.IdentitiesAfter(ctx, "corp", after, limit))(t)
			if len(page) == 0 {
				break
			}
			if len(page) > limit {
				t.Fatalf("a page of %d, %d were asked for", len(page), limit)
			}
			for _, i := range page {
				all = append(all, i.Subject)
			}
			after = all[len(all)-1]
		}
		same(t, "the subjects", all, subjects)
	}
	for _, limit := range []int{0, -1} {
		same(t, "nothing", got(s.IdentitiesAfter(ctx, "corp", "", limit))(t), []*roster.UserIdentity{})
	}
	same(t, "of nobody", got(s.IdentitiesAfter(ctx, "cor", "", 10))(t), []*roster.UserIdentity{})
	same(t, "of no provider", got(s.IdentitiesAfter(ctx, "", "", 10))(t), []*roster.UserIdentity{})
}

func identityUpdate(t *testing.T, s roster.Store) {
	ctx := t.Context()
	ann, ben := insert(t, s, user("ann")), insert(t, s, user("ben"))
	want := insertIdentity(t, s, identity(ann, "corp", "1"))
	other := insertIdentity(t, s, identity(ann, "corp", "2"))
	changed := *want
	changed.Emails, changed.Data = []string{"new@one"}, nil
	changed.CreatedAt, changed.UpdatedAt = at(500*time.Hour), at(600*time.Hour)
	ok(t, s.UpdateIdentity(ctx, &changed))
	changed.CreatedAt = want.CreatedAt
	out, _ := whose(t, s, "corp", "1")
	same(t, "the row", out, &changed)
	out, _ = whose(t, s, "corp", "2")
	same(t, "the other", out, other)
	for _, c := range []*roster.UserIdentity{identity(ben, "corp", "1"), identity(ann, "corp", "3"), identity(ann, "Corp", "1")} {
		fails(t, "not there", s.UpdateIdentity(ctx, c), roster.ErrNotFound)
	}
	out, _ = whose(t, s, "corp", "1")
	same(t, "the row afterwards", out, &changed)
}

func identityDelete(t *testing.T, s roster.Store) {
	ctx := t.Context()
	ann, ben := insert(t, s, user("ann")), insert(t, s, user("ben"))
	all := []*roster.UserIdentity{
		identity(ann, "corp", "1"), identity(ann, "corp", "2"), identity(ann, "google", "1"), identity(ben, "corp", "3"),
	}
	for _, c := range []struct {
		user              roster.UserID
		provider, subject string
		left              []int
	}{
		{ann.ID, "", "", []int{3}},
		{ann.ID, "corp", "", []int{2, 3}},
		{ann.ID, "corp", "1", []int{1, 2, 3}},
		{ann.ID, "", "1", []int{1, 3}},
		{ann.ID, "Corp", "", []int{0, 1, 2, 3}},
		{ann.ID, "corp", "%", []int{0, 1, 2, 3}},
		{ben.ID, "corp", "1", []int{0, 1, 2, 3}},
		{ben.ID + 1000, "", "", []int{0, 1, 2, 3}},
	} {
		for _, i := range all {
			if _, _, err := s.IdentityBySubject(ctx, i.Provider, i.Subject); err != nil {
				insertIdentity(t, s, i)
			}
		}
		same(t, "deleted", got(s.DeleteIdentities(ctx, c.user, c.provider, c.subject))(t), len(all)-len(c.left))
		var want []*roster.UserIdentity
		for _, n := range c.left {
			want = append(want, all[n])
		}
		same(t, "what is left", got(s.IdentitiesOf(ctx, ann.ID, ben.ID))(t), want)
	}
}
