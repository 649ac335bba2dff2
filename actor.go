package roster

// Level is the door that somebody has come through: the pages for everybody,
// those of the judges (or tutors, or support), those of the administrators. It
// answers to the privilege level of ejudge. A program sets it by where a request
// arrives; it counts for no more than what the actor's own permissions allow.
type Level uint8

// The levels, each with what the one before may do.
const (
	LevelUser  Level = iota // what every session begins with
	LevelJudge              // takes [PermJudgeLogin] or [PermMasterLogin] in Actor.Scope
	LevelAdmin              // takes [PermMasterLogin] in Actor.Scope
)

// String is the name of the level.
func (l Level) String() string {
	switch l {
	case LevelUser:
		return "user"
	case LevelJudge:
		return "judge"
	case LevelAdmin:
		return "admin"
	}
	return "unknown"
}

// Actor is somebody who asks, for [Users.For]. The zero Actor is nobody, and may
// nothing. An Actor is no proof of anything: make it of a session that was
// checked, by [Session.Actor], and raise the level where the page asks for it.
type Actor struct {
	User  UserID  // who acts
	Real  UserID  // who really sits there while acting as User; zero: User
	Level Level   // the door that they came through
	Scope ScopeID // the scope that they have signed into; zero is global
}

// Actor is who acts in a session: its user, at [LevelUser] and in no scope, and
// who really sits there if somebody acts as the user.
func (s *Session) Actor() Actor { return Actor{User: s.UserID, Real: s.ImpersonatorID} }

// acting reports whether somebody else acts as the user.
func (a Actor) acting() bool { return a.Real != 0 && a.Real != a.User }

// For returns accounts that act for somebody: the same store and the same verbs,
// each of which asks first whether the actor may do that, at that moment, in the
// transaction of the verb; what New returns is trusted, and asks nothing. What a
// verb asks is in [Operations]. For on what For returned is for the other actor
// alone. It costs nothing but the copy, so call it once a request.
//
// What is refused is ErrForbidden, in an order that tells nobody what they may
// not know: who may not do it to anybody learns nothing of the one that they
// named, not even if there is such a user. Beyond that, with or without a
// permission:
//
//   - An actor has to be a user who can sign in at that moment.
//   - The own account needs no permission where the table says so, and then only
//     what is harmless may be edited: the real name, the language, the time zone,
//     FlagShowLogin, FlagShowEmail, and Data. FlagReadOnly keeps one from that.
//   - A target that is flagged Privileged, or holds any grant, takes the
//     privileged variant of the permission.
//   - What could lead to acting as the target (a password, an address) is not
//     done to somebody who holds what the actor does not hold, with whatever
//     permission.
//   - Who acts as somebody else changes neither password, address nor rights.
//   - A user that was looked up comes without Data, last sign-in and times of the
//     password, unless the actor holds [PermGetUser]. What a host's own type adds
//     is for the host to hide.
//   - Nobody grants what they do not hold themselves, for as long, in that very
//     scope, nor puts anybody into a group that has it.
func (us *Users) For(a Actor) *Users {
	acting := *us
	acting.actor = &a
	return &acting
}
