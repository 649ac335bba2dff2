package roster

// Model is a *[User], or a pointer to a struct of the host that embeds User:
//
//	type Subscriber struct {
//		roster.User
//		Plan string
//	}
//
// The embedded User promotes the only method, so a host writes none.
type Model interface {
	RosterUser() *User
}

// RosterUser makes *User, and every type that embeds it, a [Model].
func (u *User) RosterUser() *User { return u }

// Row remembers which value of the host's own type a [User] was read as part
// of, for [As]. Its zero value says that there is none.
type Row struct {
	model Model
	self  *User
}

// Equal reports true: where a user was read says nothing about who it is. It
// lets go-cmp compare users without options.
func (r Row) Equal(Row) bool { return true }

// As returns the value that u was read as part of, if it is an M:
//
//	m, ok := roster.As[*Subscriber](u)
//
// It answers only for the very User that was read: a copy of it is not part of
// anything. For a plain user As[*User] returns u itself.
func As[M Model](u *User) (M, bool) {
	var none M
	if u == nil {
		return none, false
	}
	if u.Row.self == u {
		m, ok := u.Row.model.(M)
		return m, ok
	}
	m, ok := any(u).(M)
	return m, ok
}

// bind ties the user inside m to m, so that [As] finds the way back.
func bind(m Model) *User {
	u := m.RosterUser()
	if _, plain := m.(*User); !plain {
		u.Row = Row{model: m, self: u}
	}
	return u
}
