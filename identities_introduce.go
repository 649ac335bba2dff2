package roster

import (
	"context"
	"errors"
	"slices"
	"time"
)

// identify is identified in one transaction. named says that a new account gets
// the name of the identity, mail that there may be one with a code.
func (us *Users) identify(ctx context.Context, said *testimony, named, mail bool) (u *User, err error) {
	err = us.store.Atomic(ctx, func(ctx context.Context) error {
		m, i, err := us.lockIdentity(ctx, said)
		if err != nil {
			return err
		}
		if m == nil {
			if m, err = us.lockByAddress(ctx, said); err != nil {
				return err
			}
		}
		switch {
		case m == nil:
			u, err = us.introduce(ctx, said, named, mail)
			return err
		case !m.RosterUser().mayLogin() || m.RosterUser().DirectoryID != "":
			u = m.RosterUser()
			return nil
		case i == nil:
			if i, err = us.link(ctx, m, said); err != nil {
				return err
			}
		}
		u = m.RosterUser()
		return us.refresh(ctx, m, i, said)
	})
	if err != nil {
		return nil, err
	}
	return u, nil
}

// lockIdentity finds the user of an identity and locks the row. Both are nil if
// nobody has it.
func (us *Users) lockIdentity(ctx context.Context, said *testimony) (Model, *UserIdentity, error) {
	i, _, err := us.store.IdentityBySubject(ctx, said.Provider, said.Subject)
	if errors.Is(err, ErrNotFound) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	m, err := us.store.LockUser(ctx, i.UserID)
	if err != nil {
		return nil, nil, ignore(err, ErrNotFound) // purged meanwhile
	}
	bind(m)
	now, _, err := us.store.IdentityBySubject(ctx, said.Provider, said.Subject)
	switch {
	case errors.Is(err, ErrNotFound), err == nil && now.UserID != i.UserID: // unlinked meanwhile
		return nil, nil, &ConflictError{FieldSubject}
	case err != nil:
		return nil, nil, err
	}
	return m, now, nil
}

// lockByAddress finds the user who has activated the first of the addresses that
// the provider vouches for, and locks the row. It is nil if there is none.
func (us *Users) lockByAddress(ctx context.Context, said *testimony) (Model, error) {
	if !said.EmailsVerified {
		return nil, nil
	}
	for _, key := range said.keys {
		m, err := us.store.UserByEmail(ctx, key)
		if errors.Is(err, ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if m, err = us.store.LockUser(ctx, m.RosterUser().ID); err != nil {
			return nil, err
		}
		claims, err := us.store.LockEmails(ctx, key) // as they are now
		if err != nil {
			return nil, err
		}
		if e := ofUser(claims, bind(m).ID); e != nil && e.IsActivated() {
			return m, nil
		}
	}
	return nil, nil
}

// link gives the identity, which nobody has, to a user, who is told.
func (us *Users) link(ctx context.Context, m Model, said *testimony) (*UserIdentity, error) {
	u := m.RosterUser()
	i, err := us.bindIdentity(ctx, u.ID, said)
	if err != nil {
		return nil, err
	}
	e, err := us.spokesman(ctx, u.ID)
	if err != nil || e == nil {
		return i, err
	}
	return i, us.tellChanged(ctx, Mail{Kind: MailIdentityLinked, User: u}, e, noAddress, false, i.CreatedAt)
}

// bindIdentity writes down who a user is elsewhere.
func (us *Users) bindIdentity(ctx context.Context, id UserID, said *testimony) (*UserIdentity, error) {
	now := us.now()
	i := &UserIdentity{
		Provider: said.Provider, Subject: said.Subject, UserID: id, Data: mergeData(nil, said.Data), CreatedAt: now, UpdatedAt: now,
	}
	if err := us.store.InsertIdentity(ctx, i); err != nil {
		return nil, err
	}
	return i, us.emit(ctx, Event{Kind: EventIdentityLinked, User: id, Details: details(detailProvider, said.Provider)})
}

// introduce makes an account for an identity that nobody has.
func (us *Users) introduce(ctx context.Context, said *testimony, named, mail bool) (*User, error) {
	if len(said.Emails) == 0 && !us.opts.SkipActivation {
		return nil, invalid(FieldEmail, ReasonEmpty)
	}
	now := us.now()
	draft := User{RealName: said.RealName, Locale: said.Locale, Timezone: said.Timezone}
	if us.opts.SkipActivation {
		draft.ActivatedAt = now
	}
	if named {
		if err := us.suggestName(ctx, &draft, said.Name); err != nil {
			return nil, err
		}
	}
	m, err := us.arrive(ctx, draft, said.Provider, now)
	if err != nil {
		return nil, err
	}
	u := m.RosterUser()
	if _, err := us.bindIdentity(ctx, u.ID, said); err != nil {
		return nil, err
	}
	if said.EmailsVerified {
		mine, _, err := us.giveEmails(ctx, m, said, now)
		if err == nil && len(mine) == 0 && len(said.Emails) > 0 { // activated by somebody a moment ago
			err = &ConflictError{FieldEmail}
		}
		return u, err
	}
	if len(said.Emails) == 0 {
		return u, nil
	}
	_, err = us.claim(ctx, m, nil, said.Emails[0], PurposeActivate, mail, now)
	return u, err
}

// arrive makes the account of a draft, for somebody who comes by that door for the
// first time.
func (us *Users) arrive(ctx context.Context, draft User, door string, now time.Time) (Model, error) {
	if err := errors.Join(RegistrationSource.Set(&draft, door), FirstLogin.Set(&draft, true)); err != nil {
		return nil, err
	}
	m, err := us.newModel(ctx, nil, draft)
	if err != nil {
		return nil, err
	}
	become(m, draft)
	return m, us.insert(ctx, m, now)
}

// suggestName names a new user so, if the name is one that anybody could have
// chosen, and free.
func (us *Users) suggestName(ctx context.Context, u *User, name string) error {
	u.Name = name
	if name == "" {
		return nil
	}
	if us.checkName(u, new(User)) != nil || us.reserved(u.NameKey) {
		u.Name, u.NameKey = "", ""
		return nil
	}
	owners, err := us.store.NameOwners(ctx, u.NameKey)
	if owners[u.NameKey] != 0 { // or was until lately
		u.Name, u.NameKey = "", ""
	}
	return err
}

// giveEmails gives a user the addresses that somebody vouches for, those that
// nobody else has activated. It returns the keys of those that the user has now,
// and how many are somebody else's.
func (us *Users) giveEmails(ctx context.Context, m Model, said *testimony, now time.Time) (mine []string, taken int, err error) {
	for _, key := range slices.Sorted(slices.Values(said.keys)) { // all lock them in this order
		if _, err := us.store.LockEmails(ctx, key); err != nil {
			return nil, 0, err
		}
	}
	u := m.RosterUser()
	for n, key := range said.keys {
		claims, err := us.store.LockEmails(ctx, key)
		if err != nil {
			return nil, 0, err
		}
		e := ofUser(claims, u.ID)
		if takenByOther(claims, &UserEmail{UserID: u.ID}) {
			taken++
			continue
		}
		if e == nil {
			emails, err := us.store.EmailsOf(ctx, u.ID)
			if err != nil {
				return nil, 0, err
			}
			e = &UserEmail{UserID: u.ID, Address: said.Emails[n], AddressKey: key, Primary: len(emails) == 0, CreatedAt: now}
			if err := us.store.InsertEmail(ctx, e); err != nil {
				return nil, 0, err
			}
		}
		if !e.IsActivated() {
			if err := us.prove(ctx, m, proof{e, claims}, false, now); err != nil {
				return nil, 0, err
			}
		}
		mine = append(mine, key)
	}
	return mine, taken, nil
}
