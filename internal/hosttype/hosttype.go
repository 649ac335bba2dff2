// Package hosttype has types of users and groups as hosts write them, for the tests of the
// stores.
package hosttype

import (
	"database/sql"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/go-roster/roster"
)

// Plan is a type of the host's, as any.
type Plan string

// Address is kept as JSON.
type Address struct {
	Street string
	City   string `json:",omitempty"`
}

// Billing is embedded by the types here.
type Billing struct {
	Plan      Plan      `bun:"plan,notnull,default:'free'"`
	PaidUntil time.Time `bun:",nullzero"`
}

// Subscriber has a field of every kind that a store keeps.
type Subscriber struct {
	roster.User
	Billing

	Seats    int32            `bun:"seats,notnull,default:1"`
	Level    int8             `bun:"level"`
	Points   uint             `bun:"points"`
	Order    bool             `bun:"order"` // a word of SQL
	Rate     float64          `bun:"rate"`
	Ratio    float32          `bun:"ratio"`
	SeenAt   *time.Time       `bun:"seen_at"`
	Since    time.Time        `bun:"since,notnull,nullzero,default:current_timestamp"`
	Tags     []string         `bun:"tags"`
	Home     *Address         `bun:"home"`
	Office   Address          `bun:"embed:office_"`
	Limits   map[string]int64 `bun:"limits"`
	Anything any              `bun:"anything"`
	Avatar   []byte           `bun:"avatar"`
	Nick     *string          `bun:"nick"`
	Token    uuid.UUID        `bun:"token,nullzero"`
	Parent   uuid.NullUUID    `bun:"parent,type:uuid"`
	Note     sql.NullString   `bun:"note"`
	Left     sql.NullTime     `bun:"left"`
	Host     netip.Addr       `bun:"host"`
	Customer *string          `bun:"customer,unique"`
	Region   *string          `bun:"region,unique:place"`
	Place    *int64           `bun:"place,unique:place"`

	Cached string `bun:"-"`
}

// Fill returns a subscriber with a value in every field but those that are
// unique or not kept; some are nil for some numbers.
func Fill(n int) *Subscriber {
	at := time.Date(2031, 5, 6, 7, 8, 9, 123456000, time.UTC).Add(time.Duration(n) * time.Minute)
	nick := fmt.Sprintf("nick '%d' \u00e9", n)
	s := &Subscriber{
		Billing: Billing{Plan: Plan(fmt.Sprint("plan ", n)), PaidUntil: at},
		Seats:   int32(-n), Level: int8(n % 128), Points: uint(n) << 40, Order: n%2 == 0, Rate: float64(n) / 3,
		Ratio: float32(n) / 7, Since: at.Add(time.Hour), Office: Address{Street: nick, City: strings.Repeat("c", n%5)},
		Token: uuid.UUID{6: 0x40, 8: 0x80, 15: byte(n), 14: byte(n >> 8)}, Host: netip.AddrFrom4([4]byte{192, 0, 2, byte(n)}),
		Avatar: []byte{0, byte(n), 0xff},
	}
	if n%3 != 0 {
		s.SeenAt, s.Nick = &at, &nick
		s.Tags = []string{nick, "<b>&"}
		s.Home = &Address{Street: nick}
		s.Limits = map[string]int64{nick: int64(n), "more": 1 << 60}
		s.Anything = map[string]any{"n": float64(n), "list": []any{nil, true, nick}}
		s.Parent = uuid.NullUUID{UUID: s.Token, Valid: true}
		s.Note = sql.NullString{String: nick, Valid: true}
		s.Left = sql.NullTime{Time: at, Valid: true}
	}
	return s
}

// Member embeds a pointer.
type Member struct {
	*roster.User
	Team string `bun:"team,notnull,default:''"`
}

// FillMember is Fill for a Member.
func FillMember(n int) *Member {
	return &Member{User: new(roster.User), Team: fmt.Sprint("team ", n)}
}
