package hosttype

import (
	"fmt"
	"time"

	"github.com/go-roster/roster"
)

// Team is a type of groups, with a column as a user has one and others besides.
type Team struct {
	roster.Group
	Billing

	Color   string     `bun:"color,notnull,nullzero,default:'blue'"`
	Seats   int32      `bun:"seats,notnull,default:1"`
	Founded *time.Time `bun:"founded"`
	Captain int64      `bun:"captain,nullzero"`
	Colors  []string   `bun:"colors"`
	Code    *string    `bun:"code,unique"`

	Members []roster.User `bun:"-"`
}

// FillTeam is Fill for a Team.
func FillTeam(n int) *Team {
	at := time.Date(2032, 1, 2, 3, 4, 5, 678000, time.UTC).Add(time.Duration(n) * time.Hour)
	t := &Team{
		Billing: Billing{Plan: Plan(fmt.Sprint("team ", n)), PaidUntil: at}, Color: fmt.Sprint("color ", n), Seats: int32(n), Captain: int64(n % 5),
	}
	if n%3 != 0 {
		t.Founded, t.Colors = &at, []string{t.Color, "it's \"quoted\""}
	}
	return t
}

// Crew embeds a pointer.
type Crew struct {
	*roster.Group
	Motto string `bun:"motto,notnull,default:''"`
}

// FillCrew is Fill for a Crew.
func FillCrew(n int) *Crew { return &Crew{Group: new(roster.Group), Motto: fmt.Sprint("motto ", n)} }
