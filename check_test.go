package roster_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/rostertest"
)

// tampered is a store whose rows were changed behind roster's back.
type tampered struct {
	roster.Store
	user   func(u *roster.StoredUser)
	email  func(e *roster.UserEmail)
	owner  func(roster.UserID) roster.UserID
	absent bool // users are missing
}

func (s tampered) UsersAfter(ctx context.Context, after roster.UserID, limit int) ([]roster.StoredUser, error) {
	rows, err := s.Store.UsersAfter(ctx, after, limit)
	for i := range rows {
		if s.user != nil {
			s.user(&rows[i])
		}
	}
	return rows, err
}

func (s tampered) UsersByID(ctx context.Context, ids ...roster.UserID) ([]roster.Model, error) {
	if s.absent {
		return nil, nil
	}
	return s.Store.UsersByID(ctx, ids...)
}

func (s tampered) change(emails []*roster.UserEmail, err error) ([]*roster.UserEmail, error) {
	for _, e := range emails {
		if s.email != nil {
			s.email(e)
		}
	}
	return emails, err
}

func (s tampered) EmailsAfter(ctx context.Context, after roster.EmailID, limit int) ([]*roster.UserEmail, error) {
	return s.change(s.Store.EmailsAfter(ctx, after, limit))
}

func (s tampered) EmailsOf(ctx context.Context, ids ...roster.UserID) ([]*roster.UserEmail, error) {
	return s.change(s.Store.EmailsOf(ctx, ids...))
}

func (s tampered) NameOwner(ctx context.Context, key string) (roster.UserID, error) {
	id, err := s.Store.NameOwner(ctx, key)
	if s.owner != nil {
		id = s.owner(id)
	}
	return id, err
}

func TestCheckFindsWhatIsWrong(t *testing.T) {
	ctx := context.Background()
	env := rostertest.New(t)
	u := env.MustRegister("ann")
	e, err := env.AddActivatedEmail(ctx, u.ID, "second@example.org")
	must(t, err)
	healthy(t, env)
	if u.ID != 1 || e.ID != 2 {
		t.Fatalf("IDs %d and %d", u.ID, e.ID)
	}
	for _, tt := range []struct {
		name string
		tampered
		want []string
	}{
		{"name key", tampered{user: func(u *roster.StoredUser) { u.User.RosterUser().NameKey = "eve" }}, []string{
			"user 1: the name key is not that of the name", "user 1: the name is not claimed by its user",
		}},
		{"name", tampered{user: func(u *roster.StoredUser) { u.User.RosterUser().Name = "a n n" }}, []string{
			"user 1: the name is not allowed any more", "user 1: the search text is not up to date",
		}},
		{"search", tampered{user: func(u *roster.StoredUser) { u.Search = "" }}, []string{"user 1: the search text is not up to date"}},
		{"owner", tampered{owner: func(id roster.UserID) roster.UserID { return id + 1 }}, []string{"user 1: the name is not claimed by its user"}},
		{"two primaries", tampered{email: func(e *roster.UserEmail) { e.Primary = true }}, []string{"user 1: 2 primary addresses"}},
		{"no primary", tampered{email: func(e *roster.UserEmail) { e.Primary = false }}, []string{"user 1: 0 primary addresses"}},
		{"pending primary", tampered{email: func(e *roster.UserEmail) {
			if e.Primary {
				e.ActivatedAt = time.Time{}
			}
		}}, []string{"user 1, e-mail 1: the primary address is pending although another is activated"}},
		{"orphans", tampered{absent: true}, []string{
			"user 1, e-mail 1: the address belongs to nobody", "user 1, e-mail 2: the address belongs to nobody",
		}},
		{"address key", tampered{email: func(e *roster.UserEmail) { e.AddressKey = fmt.Sprint("x", e.ID) }}, []string{
			"user 1, e-mail 1: the address key is not that of the address", "user 1, e-mail 2: the address key is not that of the address",
		}},
		{"twice", tampered{email: func(e *roster.UserEmail) { e.Address, e.AddressKey = "ann@example.org", "ann@example.org" }}, []string{
			"user 1, e-mail 2: the address is activated twice, see e-mail 1",
		}},
		{"address", tampered{email: func(e *roster.UserEmail) { e.Address = "ann" }}, []string{
			"user 1, e-mail 1: the address is not allowed any more", "user 1, e-mail 2: the address is not allowed any more",
		}},
		{"released", tampered{email: func(e *roster.UserEmail) { e.ReleasedAt = e.CreatedAt }}, []string{
			"user 1, e-mail 1: the address is released although the user is not deleted, or the reverse",
			"user 1, e-mail 2: the address is released although the user is not deleted, or the reverse",
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.Store = env.Store
			users, err := roster.New(tt.tampered, nil)
			must(t, err)
			problems, err := users.Check(ctx)
			must(t, err)
			var got []string
			for _, p := range problems {
				got = append(got, p.String())
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}
