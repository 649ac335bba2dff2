package acceptance

import (
	"fmt"
	"strings"

	"pgregory.net/rapid"

	"github.com/go-roster/roster"
)

func (x *machine) register() error {
	n, a, p := x.name(), x.address(), x.password()
	var fields []string
	if x.odds(10) {
		n.typed = rapid.SampledFrom(badNames).Draw(x.T, "bad name")
		fields = append(fields, roster.FieldName)
	}
	if x.odds(10) {
		a.typed = rapid.SampledFrom(badAddresses).Draw(x.T, "bad address")
		fields = append(fields, roster.FieldEmail)
	}
	if x.odds(10) {
		p = rapid.SampledFrom(badPasswords).Draw(x.T, "bad password")
		fields = append(fields, roster.FieldPassword)
	}
	u, err := x.w.Register(x.ctx, roster.NewUser{Name: n.typed, Email: a.typed, Password: p})
	now := x.now()
	switch {
	case fields != nil:
		return x.refused("register", err, invalidOf(fields...))
	case !x.m.nameFree(n.key, 0, now):
		return x.refused("register", err, conflict(roster.FieldName))
	}
	x.want("register", err, nil)
	mu := &mUser{id: u.ID, name: n.typed, key: n.key, enabled: true, password: p, passwordAt: now, createdAt: now}
	x.remember(mu)
	x.m.names[n.key] = mName{owner: u.ID}
	x.m.claim(mu, x.newEmail(u.ID, a.key), a.typed, a.key, roster.PurposeActivate, now, activationTTL)
	x.newCodes()
	return nil
}

// newEmail asks for the ID of an address that was just added.
func (x *machine) newEmail(user roster.UserID, key string) roster.EmailID {
	emails, err := x.w.store.EmailsOf(x.ctx, user)
	x.want("emails", err, nil)
	for _, e := range emails {
		if e.AddressKey == key {
			return x.learn(e.ID)
		}
	}
	x.Fatalf("user %d has no such address", user)
	return 0
}

func (x *machine) create() error {
	n := x.name()
	auto := x.odds(4)
	if auto {
		n.typed = ""
	}
	u := &roster.User{Name: n.typed, RealName: "Created"}
	active := x.odds(2)
	if active {
		u.ActivatedAt = x.now()
	}
	err := x.w.Create(x.ctx, u)
	now := x.now()
	if !auto && !x.m.nameFree(n.key, 0, now) {
		return x.refused("create", err, conflict(roster.FieldName))
	}
	x.want("create", err, nil)
	if auto {
		n.typed = fmt.Sprintf("user-%d", u.ID)
		n.key = n.typed
	}
	if u.Name != n.typed || u.NameAuto != auto {
		x.Fatalf("create: name %q, made up %v", u.Name, u.NameAuto)
	}
	mu := &mUser{id: u.ID, name: n.typed, key: n.key, realName: "Created", enabled: true, createdAt: now}
	if active {
		mu.activatedAt = now
	}
	x.remember(mu)
	x.m.names[n.key] = mName{owner: u.ID}
	return nil
}

func (x *machine) activate() error {
	c := x.code(roster.PurposeActivate, roster.PurposeChangeEmail, roster.PurposeInvite)
	if c == nil || x.odds(20) {
		_, err := x.w.Activate(x.ctx, strings.Repeat("x", rapid.SampledFrom([]int{0, 42, 43, 44}).Draw(x.T, "length")))
		return x.want("activate", err, roster.ErrActivation)
	}
	u, err := x.w.Activate(x.ctx, c.code)
	mu, e := x.m.good(c, x.now())
	if mu == nil || c.purpose == roster.PurposeResetPassword {
		return x.want("activate", err, roster.ErrActivation)
	}
	if c.purpose == roster.PurposeInvite && !mu.hasProven() {
		return x.want("activate", err, roster.ErrPasswordRequired)
	}
	x.want("activate", err, nil)
	if u.ID != mu.id {
		x.Fatalf("activated user %d, want %d", u.ID, mu.id)
	}
	x.m.prove(mu, e, c.purpose == roster.PurposeChangeEmail, x.now())
	return nil
}

// firstProof is the first proof of an address by somebody who says a password.
func (x *machine) firstProof() error {
	c, p := x.code(roster.PurposeActivate, roster.PurposeChangeEmail, roster.PurposeInvite), x.password()
	if c == nil {
		return errIdle
	}
	if mu := x.m.users[c.user]; mu != nil && mu.password != "" && x.odds(2) {
		p = mu.password
	}
	u, err := x.w.ActivateWithPassword(x.ctx, c.code, p)
	mu, e := x.m.good(c, x.now())
	if mu == nil || c.purpose == roster.PurposeResetPassword || mu.hasProven() {
		return x.want("first proof", err, roster.ErrActivation)
	}
	x.want("first proof", err, nil)
	if u.ID != mu.id {
		x.Fatalf("activated user %d, want %d", u.ID, mu.id)
	}
	known := mu.password == p
	if !known {
		x.m.dropOthers(mu, e)
	}
	x.m.prove(mu, e, c.purpose == roster.PurposeChangeEmail, x.now())
	if !known {
		mu.password, mu.passwordAt = p, x.now()
		x.m.sensitive(mu, x.now())
	}
	return nil
}

// asked is who is meant by somebody who asks for a code: the user of that
// name, at the primary address; or the owner of an address, or else the first
// five of those who have signed up with it.
func (x *machine) asked() (login string, users []*mUser, emails []*mEmail) {
	now := x.now()
	add := func(u *mUser, e *mEmail) {
		if !u.mayLogin() || !e.active() && !now.Before(e.createdAt.Add(pendingTTL)) {
			return
		}
		if owner, _ := x.m.owner(e.key); owner == nil || owner == u {
			users, emails = append(users, u), append(emails, e)
		}
	}
	if !x.odds(2) {
		n := x.spelledName()
		if u := x.m.byKey(n.key); u != nil && u.primary() != nil {
			add(u, u.primary())
		}
		return n.typed, users, emails
	}
	a := x.spelledAddress()
	if u, e := x.m.owner(a.key); u != nil {
		add(u, e)
		return a.typed, users, emails
	}
	n := 0
	for _, u := range x.m.claimants(a.key) {
		if e := u.withKey(a.key); e.primary && n < 5 {
			n++
			add(u, e)
		}
	}
	return a.typed, users, emails
}

// spelledName and spelledAddress pick something to say who is meant: mostly
// what somebody has.
func (x *machine) spelledName() spelling {
	if u := x.m.live(x.user()); u != nil && !x.odds(4) {
		return spelling{u.name, u.key}
	}
	return x.name()
}

func (x *machine) spelledAddress() spelling {
	if u := x.m.live(x.user()); u != nil && len(u.emails) > 0 && !x.odds(4) {
		e := rapid.SampledFrom(u.emails).Draw(x.T, "e-mail")
		return spelling{e.address, e.key}
	}
	return x.address()
}

func (x *machine) resend() error {
	login, users, emails := x.asked()
	err := x.w.ResendActivation(x.ctx, login)
	for i, u := range users {
		if !u.active() {
			purpose := roster.PurposeActivate
			if u.password == "" {
				purpose = roster.PurposeInvite
			}
			x.m.sendCode(u, emails[i], purpose, x.now(), activationTTL)
		}
	}
	return x.sent("resend", err)
}

func (x *machine) requestReset() error {
	login, users, emails := x.asked()
	err := x.w.RequestPasswordReset(x.ctx, login)
	for i, u := range users {
		if emails[i].active() || !u.active() {
			x.m.sendCode(u, emails[i], roster.PurposeResetPassword, x.now(), resetTTL)
		}
	}
	return x.sent("request reset", err)
}

// sent is the end of a verb whose only effect is a mail.
func (x *machine) sent(verb string, err error) error {
	x.want(verb, err, nil)
	x.newCodes()
	if len(x.m.mails) == 0 {
		return errIdle
	}
	return nil
}

func (x *machine) reset() error {
	c := x.code(roster.PurposeResetPassword)
	if c == nil {
		return errIdle
	}
	if x.odds(10) {
		_, err := x.w.ResetPassword(x.ctx, c.code, "short")
		return x.refused("reset", err, invalidOf(roster.FieldPassword))
	}
	p := x.password()
	u, err := x.w.ResetPassword(x.ctx, c.code, p)
	mu, e := x.m.good(c, x.now())
	if mu == nil || c.purpose != roster.PurposeResetPassword {
		return x.want("reset", err, roster.ErrActivation)
	}
	x.want("reset", err, nil)
	if !mu.hasProven() {
		x.m.dropOthers(mu, e)
	}
	if u.ID != mu.id {
		x.Fatalf("reset the password of user %d, want %d", u.ID, mu.id)
	}
	x.m.prove(mu, e, false, x.now())
	x.m.setPassword(mu, p, e.key, x.now())
	return nil
}
