package roster

import (
	"context"
	"time"
)

// maxInviteTTL is how long an invitation is good, unless Options.PendingTTL is
// shorter.
const maxInviteTTL = 7 * 24 * time.Hour

func (us *Users) inviteTTL() time.Duration {
	if us.opts.PendingTTL > 0 {
		return min(maxInviteTTL, us.opts.PendingTTL)
	}
	return maxInviteTTL
}

// Invite makes an account for somebody else, on the program's own authority, and
// mails a code to the address ([MailInvitation]). By redeeming it with
// [Users.ActivateWithPassword] the person proves the address and chooses the
// password. The code is good for 7 days, or Options.PendingTTL if that is
// shorter; [Users.ResendActivation] sends another one, and Prune removes who
// has not come.
//
// n is as for [Users.Register], but that Password must be empty, and Name may
// be: then it becomes "user-" and the ID. Who is invited to an address that
// somebody has activated gets no code, and the owner is told, as there. It
// returns every [InvalidError] at once, joined, or a [ConflictError] of
// [FieldName] or, with Options.TellTakenAddress, of [FieldEmail]; and ErrThrottled
// as Register.
func (us *Users) Invite(ctx context.Context, n NewUser) (*User, error) {
	u, err := us.invite(ctx, n)
	return u, wrap("invite", 0, err)
}

func (us *Users) invite(ctx context.Context, n NewUser) (u *User, err error) {
	if err := us.ask(ctx, "Invite"); err != nil {
		return nil, err
	}
	draft, err := us.checkDraft(n, "invitation", func(*User) error {
		if n.Password != "" {
			return invalid(FieldPassword, ReasonReadOnly)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	mail, done, err := us.countClaim(ctx, n.Email)
	if err != nil {
		return nil, err
	}
	defer func() { done(err) }()
	m, err := us.newModel(ctx, n.Model, draft)
	if err != nil {
		return nil, err
	}
	now, before := us.now(), *m.RosterUser()
	err = us.store.Atomic(ctx, func(ctx context.Context) error {
		u = become(m, draft)
		if err := us.insert(ctx, m, now); err != nil {
			return err
		}
		_, err := us.claim(ctx, m, nil, n.Email, PurposeInvite, mail, now)
		return err
	})
	if err != nil {
		*m.RosterUser() = before
		return nil, err
	}
	return u, nil
}
