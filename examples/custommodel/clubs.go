package main

import (
	"context"
	"time"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/store/sqlite"
)

// Clubs is the framework: accounts of members, and questions about them.
type Clubs struct {
	Users *roster.Users
	store *sqlite.Store
}

// Open opens a database. What there is to say about Member is said here, once.
func Open(ctx context.Context, path string, opts *roster.Options) (*Clubs, error) {
	store, err := sqlite.Open(ctx, path, sqlite.Model[Member]())
	if err != nil {
		return nil, err
	}
	o := *opts
	o.NewModel = func(context.Context, *roster.User) (roster.Model, error) {
		return &Member{Plan: Free, Seats: 1}, nil
	}
	users, err := roster.New(store, &o)
	if err != nil {
		_ = store.Close()
		return nil, err
	}
	return &Clubs{users, store}, nil
}

// Close ends it.
func (c *Clubs) Close() error { return c.store.Close() }

// Form is what somebody fills in who joins.
type Form struct {
	Name, RealName, Email, Password string

	Plan    Plan
	Seats   int32
	Billing Address
}

// Join signs somebody up: the account and what is the framework's, in one row.
func (c *Clubs) Join(ctx context.Context, f Form) (*Member, error) {
	m := &Member{Plan: f.Plan, Seats: f.Seats, Billing: &f.Billing}
	_, err := c.Users.Register(ctx, roster.NewUser{
		Name: f.Name, RealName: f.RealName, Email: f.Email, Password: f.Password, Model: m,
	})
	return m, err
}

// Upgrade moves a member to another plan. Edit reads the row, and writes it if
// nobody else has meanwhile.
func (c *Clubs) Upgrade(ctx context.Context, id roster.UserID, plan Plan, until time.Time) error {
	return c.Users.Edit(ctx, id, func(u *roster.User) error {
		m := MemberOf(u)
		m.Plan, m.PaidUntil = plan, until
		return nil
	})
}

// Number gives a member a card.
func (c *Clubs) Number(ctx context.Context, id roster.UserID, number string) error {
	return c.Users.Edit(ctx, id, func(u *roster.User) error {
		MemberOf(u).Number = &number
		return nil
	})
}

// On returns who is on a plan. The column is the framework's own, so it asks for
// the IDs itself, and roster for the rest.
func (c *Clubs) On(ctx context.Context, plan Plan) ([]*Member, error) {
	var ids []roster.UserID
	if err := c.store.DB(ctx).NewSelect().
		Table("roster_users").Column("id").Where("plan = ?", plan).Where("deleted_at IS NULL").Scan(ctx, &ids); err != nil {
		return nil, err
	}
	users, err := c.Users.ByIDs(ctx, ids...)
	if err != nil {
		return nil, err
	}
	members := make([]*Member, len(users))
	for i, u := range users {
		members[i] = MemberOf(u)
	}
	return members, nil
}
