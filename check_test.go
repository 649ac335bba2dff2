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

func (s tampered) ActivatedEmails(ctx context.Context, keys ...string) ([]*roster.UserEmail, error) {
	return s.change(s.Store.ActivatedEmails(ctx, keys...))
}

func (s tampered) NameOwners(ctx context.Context, keys ...string) (map[string]roster.UserID, error) {
	owners, err := s.Store.NameOwners(ctx, keys...)
	for key, id := range owners {
		if s.owner != nil {
			owners[key] = s.owner(id)
		}
	}
	return owners, err
}

// counted counts the questions that a check asks, and the rows it has at once.
type counted struct {
	roster.Store
	asked map[string]int
}

func (s counted) note(what string, rows int) {
	s.asked[what]++
	if rows > 500 {
		s.asked["too many rows"]++
	}
}

func (s counted) UsersAfter(ctx context.Context, after roster.UserID, limit int) ([]roster.StoredUser, error) {
	rows, err := s.Store.UsersAfter(ctx, after, limit)
	s.note("UsersAfter", len(rows))
	return rows, err
}

func (s counted) EmailsAfter(ctx context.Context, after roster.EmailID, limit int) ([]*roster.UserEmail, error) {
	rows, err := s.Store.EmailsAfter(ctx, after, limit)
	s.note("EmailsAfter", len(rows))
	return rows, err
}

func (s counted) EmailsOf(ctx context.Context, ids ...roster.UserID) ([]*roster.UserEmail, error) {
	s.note("EmailsOf", len(ids))
	return s.Store.EmailsOf(ctx, ids...)
}

func (s counted) UsersByID(ctx context.Context, ids ...roster.UserID) ([]roster.Model, error) {
	s.note("UsersByID", len(ids))
	return s.Store.UsersByID(ctx, ids...)
}

func (s counted) NameOwners(ctx context.Context, keys ...string) (map[string]roster.UserID, error) {
	s.note("NameOwners", len(keys))
	return s.Store.NameOwners(ctx, keys...)
}

func (s counted) ActivatedEmails(ctx context.Context, keys ...string) ([]*roster.UserEmail, error) {
	s.note("ActivatedEmails", len(keys))
	return s.Store.ActivatedEmails(ctx, keys...)
}

func TestCheckAsksByThePage(t *testing.T) {
	ctx := context.Background()
	env := rostertest.New(t)
	const users = 1200
	for i := range users {
		u := &roster.User{Name: fmt.Sprintf("user%d", i)}
		must(t, env.Create(ctx, u))
		_, err := env.AddActivatedEmail(ctx, u.ID, u.Name+"@example.org")
		must(t, err)
	}
	store := counted{Store: env.Store, asked: map[string]int{}}
	counting, err := roster.New(store, nil)
	must(t, err)
	problems, err := counting.Check(ctx)
	must(t, err)
	if len(problems) > 0 {
		t.Error(problems)
	}
	want := map[string]int{"UsersAfter": 3, "EmailsOf": 3, "NameOwners": 3, "EmailsAfter": 3, "UsersByID": 3, "ActivatedEmails": 3}
	if diff := cmp.Diff(want, store.asked); diff != "" {
		t.Error(diff)
	}

	// One in the last page is found, and of too many so many are told.
	for _, tt := range []struct{ bad, want int }{{1, 1}, {users, 1000}} {
		store := tampered{Store: env.Store, user: func(u *roster.StoredUser) {
			if int(u.User.RosterUser().ID) > users-tt.bad {
				u.Search = ""
			}
		}}
		broken, err := roster.New(store, nil)
		must(t, err)
		problems, err := broken.Check(ctx)
		must(t, err)
		if len(problems) != tt.want {
			t.Errorf("of %d broken users %d were told, want %d", tt.bad, len(problems), tt.want)
		}
	}
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
