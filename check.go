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

const checkBatch = 500

// Check proves the invariants of a database that is in use and lists what is
// wrong: keys that are not up to date with this version's rules, names without
// a claim, more or less than one primary address, an address that is activated
// twice, rows that belong to nobody. It only reads, row by row, so what changes
// meanwhile may show up: look twice before you mend.
func (us *Users) Check(ctx context.Context) ([]Problem, error) {
	c := checker{us: us, activated: map[string]EmailID{}}
	err := c.users(ctx)
	if err == nil {
		err = c.emails(ctx)
	}
	return c.problems, wrap("check", 0, err)
}

type checker struct {
	us        *Users
	problems  []Problem
	activated map[string]EmailID
}

func (c *checker) add(u UserID, e EmailID, what string) {
	c.problems = append(c.problems, Problem{u, e, what})
}

func (c *checker) users(ctx context.Context) error {
	for after := UserID(0); ; {
		rows, err := c.us.store.UsersAfter(ctx, after, checkBatch)
		if err != nil || len(rows) == 0 {
			return err
		}
		ids := make([]UserID, len(rows))
		for i, row := range rows {
			ids[i] = row.User.RosterUser().ID
		}
		of, err := c.us.EmailsOf(ctx, ids...)
		if err != nil {
			return err
		}
		for _, row := range rows {
			u := row.User.RosterUser()
			if err := c.user(ctx, u, row.Search); err != nil {
				return err
			}
			c.primary(u, of[u.ID])
		}
		after = ids[len(ids)-1]
	}
}

func (c *checker) user(ctx context.Context, u *User, search string) error {
	if key, err := NameKey(u.Name); err != nil {
		c.add(u.ID, 0, "the name is not allowed any more")
	} else if key != u.NameKey {
		c.add(u.ID, 0, "the name key is not that of the name")
	}
	if search != searchText(u) {
		c.add(u.ID, 0, "the search text is not up to date")
	}
	if u.IsDeleted() {
		return nil
	}
	owner, err := c.us.store.NameOwner(ctx, u.NameKey)
	if errors.Is(err, ErrNotFound) || err == nil && owner != u.ID {
		c.add(u.ID, 0, "the name is not claimed by its user")
		return nil
	}
	return err
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
	if len(emails) > 0 && primary != 1 {
		c.add(u.ID, 0, fmt.Sprintf("%d primary addresses", primary))
	}
}

func (c *checker) emails(ctx context.Context) error {
	for after := EmailID(0); ; {
		rows, err := c.us.store.EmailsAfter(ctx, after, checkBatch)
		if err != nil || len(rows) == 0 {
			return err
		}
		users := map[UserID]*User{}
		ids := make([]UserID, len(rows))
		for i, e := range rows {
			ids[i] = e.UserID
		}
		models, err := c.us.store.UsersByID(ctx, ids...)
		if err != nil {
			return err
		}
		for _, m := range models {
			users[m.RosterUser().ID] = m.RosterUser()
		}
		for _, e := range rows {
			c.email(e, users[e.UserID])
		}
		after = rows[len(rows)-1].ID
	}
}

func (c *checker) email(e *UserEmail, u *User) {
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
	if !e.IsActivated() || released {
		return
	}
	if first, ok := c.activated[e.AddressKey]; ok {
		c.add(u.ID, e.ID, fmt.Sprintf("the address is activated twice, see e-mail %d", first))
		return
	}
	c.activated[e.AddressKey] = e.ID
}
