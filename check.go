package roster

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// Problem is one broken invariant that [Users.Check] found.
type Problem struct {
	UserID  UserID
	EmailID EmailID // zero if it is not about an address
	What    string  // holds no name and no address
}

func (p Problem) String() string {
	if p.EmailID == 0 {
		return fmt.Sprintf("user %d: %s", p.UserID, p.What)
	}
	return fmt.Sprintf("user %d, e-mail %d: %s", p.UserID, p.EmailID, p.What)
}

// The bounds of Check: how much it has in memory at once, and how much it says.
const (
	checkBatch  = 500
	maxProblems = 1000
)

// Check proves the invariants of a database that is in use and lists what is
// wrong: keys that are not up to date with this version's rules, names without
// a claim, more or less than one primary address, an address that is activated
// twice, rows that belong to nobody. It only reads, page by page, so what
// changes meanwhile may show up: look twice before you mend. It stops at a
// thousand problems; mend those and run it again.
func (us *Users) Check(ctx context.Context) ([]Problem, error) {
	if err := us.ask(ctx, "Check"); err != nil {
		return nil, wrap("check", 0, err)
	}
	c := checker{us: us}
	err := c.users(ctx)
	if err == nil {
		err = c.emails(ctx)
	}
	if errors.Is(err, errEnough) {
		err = nil
	}
	return c.problems, wrap("check", 0, err)
}

// checker looks at the rows in pages of checkBatch, with a fixed number of
// questions for each.
type checker struct {
	us       *Users
	problems []Problem
}

// errEnough ends a check that has found too much.
var errEnough = errors.New("roster: too many problems")

func (c *checker) add(u UserID, e EmailID, what string) {
	c.problems = append(c.problems, Problem{u, e, what})
}

// enough ends the check after a page if that is so, and cuts the list.
func (c *checker) enough() error {
	if len(c.problems) < maxProblems {
		return nil
	}
	c.problems = c.problems[:maxProblems]
	return errEnough
}

func (c *checker) users(ctx context.Context) error {
	for after := UserID(0); ; {
		rows, err := c.us.store.UsersAfter(ctx, after, checkBatch)
		if err != nil || len(rows) == 0 {
			return err
		}
		ids, keys := make([]UserID, len(rows)), make([]string, len(rows))
		for i, row := range rows {
			u := row.User.RosterUser()
			ids[i], keys[i] = u.ID, u.NameKey
		}
		emails, err := c.us.EmailsOf(ctx, ids...)
		if err != nil {
			return err
		}
		owners, err := c.us.store.NameOwners(ctx, keys...)
		if err != nil {
			return err
		}
		for _, row := range rows {
			u := row.User.RosterUser()
			c.user(u, row.Search)
			if !u.IsDeleted() && owners[u.NameKey] != u.ID {
				c.add(u.ID, 0, "the name is not claimed by its user")
			}
			c.primary(u, emails[u.ID])
		}
		if err := c.enough(); err != nil || len(rows) < checkBatch {
			return err
		}
		after = ids[len(ids)-1]
	}
}

func (c *checker) user(u *User, search string) {
	if key, err := NameKey(u.Name); err != nil {
		c.add(u.ID, 0, "the name is not allowed any more")
	} else if key != u.NameKey {
		c.add(u.ID, 0, "the name key is not that of the name")
	}
	if search != searchText(u) {
		c.add(u.ID, 0, "the search text is not up to date")
	}
}

func (c *checker) primary(u *User, emails []*UserEmail) {
	primary := 0
	for _, e := range emails {
		if !e.Primary {
			continue
		}
		primary++
		if !e.IsActivated() && slices.ContainsFunc(emails, (*UserEmail).IsActivated) {
			c.add(u.ID, e.ID, "the primary address is pending although another is activated")
		}
	}
	// Of a deleted user the primary one may be somebody else's by now.
	if len(emails) > 0 && primary != 1 && (primary > 1 || !u.IsDeleted()) {
		c.add(u.ID, 0, fmt.Sprintf("%d primary addresses", primary))
	}
}

func (c *checker) emails(ctx context.Context) error {
	for after := EmailID(0); ; {
		rows, err := c.us.store.EmailsAfter(ctx, after, checkBatch)
		if err != nil || len(rows) == 0 {
			return err
		}
		ids, keys := make([]UserID, len(rows)), make([]string, len(rows))
		for i, e := range rows {
			ids[i], keys[i] = e.UserID, e.AddressKey
		}
		models, err := c.us.store.UsersByID(ctx, ids...)
		if err != nil {
			return err
		}
		users := make(map[UserID]*User, len(models))
		for _, m := range models {
			users[m.RosterUser().ID] = m.RosterUser()
		}
		activated, err := c.us.store.ActivatedEmails(ctx, keys...)
		if err != nil {
			return err
		}
		first := make(map[string]EmailID, len(activated))
		for _, e := range slices.Backward(activated) { // they are by ID
			first[e.AddressKey] = e.ID
		}
		for _, e := range rows {
			c.email(e, users[e.UserID], first[e.AddressKey])
		}
		if err := c.enough(); err != nil || len(rows) < checkBatch {
			return err
		}
		after = rows[len(rows)-1].ID
	}
}

// email checks an address of u, nil if there is no such user. first is the
// oldest row that is activated with its key.
func (c *checker) email(e *UserEmail, u *User, first EmailID) {
	if u == nil {
		c.add(e.UserID, e.ID, "the address belongs to nobody")
		return
	}
	if key, err := AddressKey(e.Address); err != nil {
		c.add(u.ID, e.ID, "the address is not allowed any more")
	} else if key != e.AddressKey {
		c.add(u.ID, e.ID, "the address key is not that of the address")
	}
	released := !e.ReleasedAt.IsZero()
	if released != u.IsDeleted() {
		c.add(u.ID, e.ID, "the address is released although the user is not deleted, or the reverse")
	}
	if e.IsActivated() && !released && first != 0 && first < e.ID {
		c.add(u.ID, e.ID, fmt.Sprintf("the address is activated twice, see e-mail %d", first))
	}
}
