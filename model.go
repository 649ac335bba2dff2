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

// RosterUser makes *User, and every type that embeds it, a [Model].
func (u *User) RosterUser() *User { return u }

// Row remembers which value of the host's own type a [User] was read as part
// of, for [As]. Its zero value says that there is none. It is no part of what a
// user is: it prints as nothing, and does not show in JSON, in gob, in a
// database, nor to go-cmp.
type Row struct {
	// It points to a Model. That it says otherwise keeps reflect.DeepEqual, which
	// follows pointers, from looking at the host's fields where it compares users.
	model *struct{}
}

func rowOf(m Model) Row { return Row{(*struct{})(unsafe.Pointer(&m))} }

// part is the value that u is part of, or nil: a copy of a User is not.
func (r Row) part(u *User) Model {
	if r.model == nil {
		return nil
	}
	if m := *(*Model)(unsafe.Pointer(r.model)); m.RosterUser() == u {
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
	var none M
	if u == nil {
		return none, false
	}
	if m, ok := u.Row.part(u).(M); ok {
		return m, ok
	}
	m, ok := any(u).(M)
	return m, ok && u.Row.part(u) == nil
}

// bind ties the user inside m to m, so that [As] finds the way back.
func bind(m Model) *User {
	u := m.RosterUser()
	if _, plain := m.(*User); !plain {
		u.Row = rowOf(m)
	}
	return u
}

// given is bind for what a caller hands in, which may have no User.
func given(m Model) (*User, error) {
	if m == nil || m.RosterUser() == nil {
		return nil, invalid(FieldModel, ReasonEmpty)
	}
	return bind(m), nil
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
	_, err = given(m)
	return m, err
}

// become makes the User of m that of a draft, whatever it was.
func become(m Model, draft User) *User {
	*m.RosterUser() = draft
	return bind(m)
}
