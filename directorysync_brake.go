package roster

import (
	"fmt"
	"slices"
)

// Brake bounds how many users a plan may disable, or take a name, an address or a group
// from, all counted together, each user once: lest a wrong filter, a moved subtree or
// an attribute that is called otherwise now disable or strip everybody. The zero Brake
// lets 10 go, or a twentieth of all, whichever is more, and never all of them, unless it is
// one who is to keep the account.
type Brake struct {
	Users   int // at most so many, or
	Percent int // so many of a hundred who belong to the directory; 100 is all
}

// The zero Brake.
const (
	defaultBrakeUsers   = 10
	defaultBrakePercent = 5
)

// allows reports whether n of all users may lose something. All of them may not, but
// by a Percent of 100.
func (b Brake) allows(n, all int) bool {
	if b == (Brake{}) {
		b = Brake{defaultBrakeUsers, defaultBrakePercent}
	}
	if n == 0 || b.Percent >= 100 {
		return true
	}
	return n < all && (n <= b.Users || n*100 <= b.Percent*all)
}

// BrakeError says that a plan goes further than its [Brake] lets it: how many users it
// would disable, and from how many it would take a name, an address, a group. Who would
// lose several things is in each number.
type BrakeError struct {
	Disable int
	Names   int
	Emails  int
	Groups  int
	Users   int // of these
}

func (e *BrakeError) Error() string {
	return fmt.Sprintf("roster: of %d users the plan would disable %d, and take a name from %d, an address from %d, a group from %d",
		e.Users, e.Disable, e.Names, e.Emails, e.Groups)
}

// Is makes a BrakeError an [ErrForbidden].
func (e *BrakeError) Is(target error) bool { return target == ErrForbidden }

// braked is a BrakeError if the plan goes too far.
func (p *Plan) braked() error {
	e := &BrakeError{Disable: p.Count(SyncDisable), Users: p.Users}
	n := e.Disable
	for _, s := range p.Steps {
		if s.Action == SyncDisable || len(s.Loses)+len(s.Leave) == 0 {
			continue
		}
		n++
		for _, l := range []struct {
			lost bool
			n    *int
		}{
			{slices.Contains(s.Loses, FieldName), &e.Names},
			{slices.Contains(s.Loses, FieldEmail), &e.Emails},
			{len(s.Leave) > 0, &e.Groups},
		} {
			if l.lost {
				*l.n++
			}
		}
	}
	if p.Users == 1 && e.Disable == 0 || p.Brake.allows(n, p.Users) { // that one is all of them says nothing
		return nil
	}
	return e
}
