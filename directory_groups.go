package roster

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"maps"
	"slices"
)

// allowList is what the names of a directory's groups mean here.
type allowList struct {
	groups map[GroupID]*Group // all that belong to the directory
	means  map[string]*Group  // by the name there
}

// allowListOf asks a directory for its allow-list, and finds the groups. Those that
// are not there are left out, and the operator told.
func (us *Users) allowListOf(ctx context.Context, directory string) (*allowList, error) {
	d, ok := us.directory(directory).(DirectoryGroups)
	if !ok {
		return nil, nil
	}
	l := &allowList{map[GroupID]*Group{}, map[string]*Group{}}
	found := map[string]*Group{}
	missing := 0
	names := d.GroupNames()
	for _, there := range slices.Sorted(maps.Keys(names)) {
		key, err := GroupKey(names[there])
		if err != nil {
			missing++
			continue
		}
		g, seen := found[key]
		if !seen {
			if g, err = us.groupNamed(ctx, key); err != nil {
				return nil, err
			}
			found[key] = g
		}
		if g == nil {
			missing++
			continue
		}
		l.groups[g.ID], l.means[there] = g, g
	}
	if missing > 0 {
		us.opts.Logger.WarnContext(ctx, "groups of a directory are not there", slog.String("provider", directory), slog.Int("groups", missing))
	}
	return l, nil
}

// groupNamed finds a group by its key, or makes it if it is built in. It is nil if
// there is none.
func (us *Users) groupNamed(ctx context.Context, key string) (*Group, error) {
	g, err := groupOf(us.store.GroupByName(ctx, key))
	if errors.Is(err, ErrNotFound) {
		g, err = us.builtInGroup(ctx, key)
	}
	if errors.Is(err, ErrNotFound) {
		return nil, nil
	}
	return g, err
}

// regroup says which groups somebody is to join and to leave.
type regroup struct{ join, leave []*Group }

func (r regroup) empty() bool { return len(r.join) == 0 && len(r.leave) == 0 }

// regroupOf compares the groups that somebody is in with those that the directory
// says. Groups that are not the directory's are let be.
func (l *allowList) regroupOf(in []*Membership, said *testimony) (r regroup) {
	if l == nil {
		return r
	}
	wanted := map[GroupID]bool{}
	for _, name := range said.Groups {
		if g := l.means[name]; g != nil {
			wanted[g.ID] = true
		}
	}
	has := map[GroupID]bool{}
	for _, m := range in {
		has[m.GroupID] = true
	}
	for id, g := range l.groups {
		switch {
		case wanted[id] && !has[id]:
			r.join = append(r.join, g)
		case has[id] && !wanted[id]:
			r.leave = append(r.leave, g)
		}
	}
	byID := func(a, b *Group) int { return cmp.Compare(a.ID, b.ID) }
	slices.SortFunc(r.join, byID)
	slices.SortFunc(r.leave, byID)
	return r
}

// regroup puts a user, whose row is locked, into groups and takes it out of others,
// on the word of the directory, whoever it is that signs in. The last administrator
// stays, and the operator is told.
func (us *Users) regroup(ctx context.Context, u *User, r regroup) error {
	own := *us
	own.actor = nil
	for _, g := range r.leave {
		err := own.leave(ctx, unasked, g.ID, u)
		if errors.Is(err, ErrLastAdmin) {
			us.opts.Logger.ErrorContext(ctx, "the last administrator has left the group in the directory", slog.Int64("user", int64(u.ID)))
			continue
		}
		if err := ignore(err, ErrNotFound); err != nil {
			return err
		}
	}
	for _, g := range r.join {
		if err := ignore(own.join(ctx, unasked, g.ID, u.ID, ""), ErrNotFound); err != nil {
			return err
		}
	}
	return nil
}

// regroupNow is regroupOf with what the user is in now.
func (us *Users) regroupNow(ctx context.Context, id UserID, said *testimony) (r regroup, err error) {
	l, err := us.allowListOf(ctx, said.Provider)
	if err != nil || l == nil || len(l.groups) == 0 {
		return r, err
	}
	in, err := us.store.MembershipsOf(ctx, id)
	return l.regroupOf(in, said), err
}

// ruled reports whether it is the user's directory that says who is in a group.
func (us *Users) ruled(u *User, g *Group) bool {
	d, ok := us.directory(u.DirectoryID).(DirectoryGroups)
	if !ok {
		return false
	}
	for _, name := range d.GroupNames() {
		if key, err := GroupKey(name); err == nil && key == g.NameKey {
			return true
		}
	}
	return false
}

func namesOf(groups []*Group) (names []string) {
	for _, g := range groups {
		names = append(names, g.Name)
	}
	return names
}
