package rostertest

import (
	"context"
	"iter"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/go-roster/roster"
)

// Directory is a [roster.Directory] in memory, with everything that one can do. As
// most do it finds people by name in any case, and with spaces around it, and by
// address; like some it takes an empty password for no sign-in at all, and says
// yes. [NewDirectory] makes one. It is safe for concurrent use.
type Directory struct {
	id string

	mu        sync.Mutex
	people    map[string]*entry // by subject
	groups    map[string]string
	err       error
	passwords []string
}

type entry struct {
	roster.Identity
	password string
}

// NewDirectory returns an empty directory with that ID.
func NewDirectory(id string) *Directory {
	return &Directory{id: id, people: map[string]*entry{}}
}

// Put adds somebody, or changes who has this Subject.
func (d *Directory) Put(password string, id roster.Identity) {
	d.mu.Lock()
	defer d.mu.Unlock()
	id.Provider = d.id
	d.people[id.Subject] = &entry{id, password}
}

// Remove takes somebody out.
func (d *Directory) Remove(subject string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.people, subject)
}

// Fail makes every call fail with err, and a list that was begun end with it, until
// Fail(nil).
func (d *Directory) Fail(err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.err = err
}

// Map sets the allow-list of groups.
func (d *Directory) Map(groups map[string]string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.groups = maps.Clone(groups)
}

// Asked returns the passwords that the directory was asked with, in order.
func (d *Directory) Asked() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.passwords)
}

// ID implements [roster.Directory].
func (d *Directory) ID() string { return d.id }

// Authenticate implements [roster.Directory].
func (d *Directory) Authenticate(_ context.Context, name, password string) (*roster.Identity, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.passwords = append(d.passwords, password)
	if d.err != nil {
		return nil, d.err
	}
	for _, e := range d.people {
		if !e.is(name) {
			continue
		}
		if e.password != password && password != "" || e.Disabled {
			return nil, &roster.RefusedError{Subject: e.Subject}
		}
		return e.copy(), nil
	}
	return nil, roster.ErrUnknownUser
}

// Find implements [roster.DirectoryFinder].
func (d *Directory) Find(_ context.Context, subject string) (*roster.Identity, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	e := d.people[subject]
	switch {
	case d.err != nil:
		return nil, d.err
	case e == nil:
		return nil, roster.ErrUnknownUser
	}
	return e.copy(), nil
}

func (e *entry) is(name string) bool {
	name = strings.TrimSpace(name)
	return strings.EqualFold(e.Name, name) ||
		slices.ContainsFunc(e.Emails, func(address string) bool { return strings.EqualFold(address, name) })
}

func (e *entry) copy() *roster.Identity {
	id := e.Identity
	id.Emails, id.Groups, id.Data = slices.Clone(id.Emails), slices.Clone(id.Groups), maps.Clone(id.Data)
	return &id
}

// ChangePassword implements [roster.DirectoryPasswordChanger]. It refuses passwords
// of less than eight bytes.
func (d *Directory) ChangePassword(_ context.Context, dn, old, password string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.err != nil {
		return d.err
	}
	for _, e := range d.people {
		switch {
		case e.DN != dn:
			continue
		case e.password != old:
			return roster.ErrCredentials
		case len(password) < 8:
			return &roster.InvalidError{Field: roster.FieldPassword, Reason: roster.ReasonTooShort}
		}
		e.password = password
		return nil
	}
	return roster.ErrCredentials
}

// All implements [roster.DirectoryLister].
func (d *Directory) All(context.Context) iter.Seq2[*roster.Identity, error] {
	return func(yield func(*roster.Identity, error) bool) {
		d.mu.Lock()
		subjects := slices.Sorted(maps.Keys(d.people))
		d.mu.Unlock()
		for n, subject := range append(subjects, "") {
			d.mu.Lock()
			e, err := d.people[subject], d.err
			d.mu.Unlock()
			switch {
			case err != nil && n >= len(subjects)/2: // half of them came before
				yield(nil, err)
				return
			case e != nil && !yield(e.copy(), nil):
				return
			}
		}
	}
}

// GroupNames implements [roster.DirectoryGroups].
func (d *Directory) GroupNames() map[string]string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return maps.Clone(d.groups)
}
