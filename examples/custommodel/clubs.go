package main

import (
	"context"
	"time"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/store/sqlite"
)

// Clubs is the framework: accounts of members, clubs that they are in, and questions
// about them.
type Clubs struct {
	Users *roster.Users
	store *sqlite.Store
}

// Open opens a database. What there is to say about Member and Club is said here, once.
func Open(ctx context.Context, path string, opts *roster.Options) (*Clubs, error) {
	store, err := sqlite.Open(ctx, path, sqlite.Model[Member](), sqlite.GroupModel[Club]())
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

// Found makes a club. Two cannot meet in one room.
func (c *Clubs) Found(ctx context.Context, name, color string, room int32, members ...*Member) (*Club, error) {
	club := &Club{Group: roster.Group{Name: name}, Color: color, Room: &room}
	return club, c.Users.Atomic(ctx, func(ctx context.Context) error {
		if err := c.Users.CreateGroup(ctx, club); err != nil {
			return err
		}
		for _, m := range members {
			if err := c.Users.AddMember(ctx, club.ID, m.ID, ""); err != nil {
				return err
			}
		}
		return nil
	})
}

// Of returns the clubs that a member is in.
func (c *Clubs) Of(ctx context.Context, m *Member) ([]*Club, error) {
	groups, err := c.Users.GroupsOf(ctx, m.ID)
	if err != nil {
		return nil, err
	}
	var clubs []*Club
	for _, g := range groups[m.ID] {
		if club, ok := roster.AsGroup[*Club](g); ok {
			clubs = append(clubs, club)
		}
	}
	return clubs, nil
}
