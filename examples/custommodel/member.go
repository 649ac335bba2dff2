package main

import (
	"time"

	"github.com/go-roster/roster"
)

// Plan is what a member pays for.
type Plan string

// The plans.
const (
	Free Plan = "free"
	Pro  Plan = "pro"
	Team Plan = "team"
)

// Address is where bills go. It is kept as JSON.
type Address struct {
	Street, City string
}

// Member is a user of a club: all that a [roster.User] is and does, and more.
type Member struct {
	roster.User

	// A column that every row has needs a default, for those who are there when it
	// comes, and for programs that know nothing of it.
	Plan  Plan  `bun:"plan,notnull,default:'free'"`
	Seats int32 `bun:"seats,notnull,default:1"`

	PaidUntil time.Time `bun:"paid_until,nullzero"` // zero is NULL: paid for ever, or not at all
	Billing   *Address  `bun:"billing"`
	Number    *string   `bun:"number,unique"` // of the membership card, if there is one

	Badges []string `bun:"-"` // made for the view, and not kept
}

// Club is what the members are in: a group, and so permissions can be granted to it.
type Club struct {
	roster.Group

	Color string `bun:"color,notnull,default:'blue'"`
	Room  *int32 `bun:"room,unique"` // where they meet
}

// MayUse reports whether the plan has a part of the site in it.
func (m *Member) MayUse(part string) bool { return m.CanLogin() && (part == "home" || m.Plan != Free) }

// MemberOf is the member that a user was read as part of: everybody is one.
func MemberOf(u *roster.User) *Member {
	m, _ := roster.As[*Member](u)
	return m
}

// Greeting is for views that need to know no more than names.
func Greeting(n roster.Named) string { return "Hello " + n.FirstName() }
