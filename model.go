package roster

import (
	"context"
	"fmt"
	"io"
	"unsafe"
)

// Model is a *[User], or a pointer to a struct of the host that embeds User, or
// *User:
//
//	type Subscriber struct {
//		roster.User
//		Plan string `bun:"plan,notnull,default:'free'"`
//	}
//
// The embedded User promotes the only method, so a host writes none. A store
// keeps the fields of such a struct if it was opened for it: see
// [github.com/go-roster/roster/store/sqlite.Model], and Model of the other
// stores. It answers to UserMixin of websauna.
type Model interface {
	RosterUser() *User
}

// ModelOf is what *M must be for M to be a type of users, so that the compiler
// refuses a struct that embeds no User, or two.
type ModelOf[M any] interface {
	*M
	Model
}

// GroupModel is a *[Group], or a pointer to a struct of the host that embeds
// Group, or *Group, as [Model] is for users:
//
//	type Team struct {
//		roster.Group
//		Color string `bun:"color,notnull,default:'blue'"`
//	}
//
// A store keeps the fields of such a struct if it was opened for it: see
// [github.com/go-roster/roster/store/sqlite.GroupModel], and GroupModel of the
// other stores. It answers to GroupMixin of websauna.
type GroupModel interface {
	RosterGroup() *Group
}

// GroupModelOf is what *M must be for M to be a type of groups, as [ModelOf] is.
type GroupModelOf[M any] interface {
	*M
	GroupModel
}

// RosterUser makes *User, and every type that embeds it, a [Model].
func (u *User) RosterUser() *User { return u }

// RosterGroup makes *Group, and every type that embeds it, a [GroupModel].
func (g *Group) RosterGroup() *Group { return g }

// Row remembers which value of the host's own type a [User] was read as part
// of, for [As], or a [Group], for [AsGroup]. Its zero value says that there is
// none. It is no part of what a user is: it prints as nothing, and does not show
// in JSON, in gob, in a database, nor to go-cmp.
type Row struct {
	// It points to an any. That it says otherwise keeps reflect.DeepEqual, which
	// follows pointers, from looking at the host's fields where it compares users.
	whole *struct{}
}

func rowOf(m any) Row { return Row{(*struct{})(unsafe.Pointer(&m))} }

func (r Row) model() any {
	if r.whole == nil {
		return nil
	}
	return *(*any)(unsafe.Pointer(r.whole))
}

// whole is the value that u is part of, or nil: a copy of a User is not.
func (u *User) whole() any {
	if m, ok := u.Row.model().(Model); ok && m.RosterUser() == u {
		return m
	}
	return nil
}

// whole is the value that g is part of, or nil.
func (g *Group) whole() any {
	if m, ok := g.Row.model().(GroupModel); ok && m.RosterGroup() == g {
		return m
	}
	return nil
}

// Equal reports true: where a user was read says nothing about who it is. It
// lets go-cmp compare users without options.
func (r Row) Equal(Row) bool { return true }

// Format implements [fmt.Formatter].
func (r Row) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "{}") }

// GobEncode implements gob.GobEncoder.
func (r Row) GobEncode() ([]byte, error) { return nil, nil }

// GobDecode implements gob.GobDecoder.
func (r *Row) GobDecode([]byte) error { return nil }

// As returns the value that u was read as part of, if it is an M:
//
//	m, ok := roster.As[*Subscriber](u)
//
// It answers only for the very User that was read, or that Create, Register or
// Save was given: a copy of it is not part of anything. For a plain user
// As[*User] returns u itself.
func As[M Model](u *User) (M, bool) {
	if u == nil {
		var none M
		return none, false
	}
	return as[M](u, u.whole())
}

// AsGroup is [As] for groups: it returns the value that g was read as part of, or
// that CreateGroup was given, if it is an M.
func AsGroup[M GroupModel](g *Group) (M, bool) {
	if g == nil {
		var none M
		return none, false
	}
	return as[M](g, g.whole())
}

// as is whole, or part if that is all there is, as an M.
func as[M any](part, whole any) (m M, ok bool) {
	if whole != nil {
		m, ok = whole.(M)
	} else {
		m, ok = part.(M)
	}
	return m, ok
}

// model is the value that the group is part of, or the group itself.
func (g *Group) model() GroupModel {
	m, _ := AsGroup[GroupModel](g)
	return m
}

// bind ties the user inside m to m, so that [As] finds the way back.
func bind(m Model) *User {
	u := m.RosterUser()
	if _, plain := m.(*User); !plain {
		u.Row = rowOf(m)
	}
	return u
}

// bindGroup is bind for groups.
func bindGroup(m GroupModel) *Group {
	g := m.RosterGroup()
	if _, plain := m.(*Group); !plain {
		g.Row = rowOf(m)
	}
	return g
}

// groupOf is bindGroup for what a store returns.
func groupOf(m GroupModel, err error) (*Group, error) {
	if err != nil {
		return nil, err
	}
	return bindGroup(m), nil
}

// allGroups is groupOf for lists.
func allGroups(ms []GroupModel, err error) ([]*Group, error) {
	if err != nil {
		return nil, err
	}
	gs := make([]*Group, len(ms))
	for i, m := range ms {
		gs[i] = bindGroup(m)
	}
	return gs, nil
}

// given is what a caller hands in, which may have no User: a *User stands for the
// value that it is part of.
func given(m Model) (Model, error) {
	if m == nil || m.RosterUser() == nil {
		return nil, invalid(FieldModel, ReasonEmpty)
	}
	if whole, ok := m.RosterUser().whole().(Model); ok {
		m = whole
	}
	bind(m)
	return m, nil
}

// newModel is the value that the person of a draft becomes: the one that came
// with it, what Options.NewModel makes, or a plain user. Its User is put in with
// become.
func (us *Users) newModel(ctx context.Context, with Model, draft User) (m Model, err error) {
	if m = with; m == nil && us.opts.NewModel != nil {
		draft.Data = draft.Data.clone()
		if m, err = us.opts.NewModel(ctx, &draft); err != nil {
			return nil, err
		}
	}
	if m == nil {
		return new(User), nil
	}
	return given(m)
}

// newGroupModel is newModel for a group that is built in.
func (us *Users) newGroupModel(ctx context.Context, draft Group) (m GroupModel, err error) {
	if us.opts.NewGroupModel != nil {
		if m, err = us.opts.NewGroupModel(ctx, &draft); err != nil {
			return nil, err
		}
	}
	switch {
	case m == nil:
		return new(Group), nil
	case m.RosterGroup() == nil:
		return nil, invalid(FieldModel, ReasonEmpty)
	}
	return m, nil
}

// become makes the User of m that of a draft, whatever it was.
func become(m Model, draft User) *User {
	*m.RosterUser() = draft
	return bind(m)
}
