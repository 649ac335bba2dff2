package acceptance

import (
	"pgregory.net/rapid"

	"github.com/go-roster/roster"
)

func (x *machine) addEmail() error    { return x.add(roster.PurposeActivate) }
func (x *machine) changeEmail() error { return x.add(roster.PurposeChangeEmail) }

func (x *machine) add(purpose roster.Purpose) error {
	id, a := x.user(), x.address()
	verb := x.w.AddEmail
	if purpose == roster.PurposeChangeEmail {
		verb = x.w.ChangeEmail
	}
	u := x.m.live(id)
	if x.odds(15) {
		_, err := verb(x.ctx, id, rapid.SampledFrom(badAddresses).Draw(x.T, "bad address"))
		if u == nil {
			return x.refused("add", err, either(is(roster.ErrNotFound), invalidOf(roster.FieldEmail)))
		}
		return x.refused("add", err, invalidOf(roster.FieldEmail))
	}
	e, err := verb(x.ctx, id, a.typed)
	if u == nil {
		return x.want("add", err, roster.ErrNotFound)
	}
	own := u.withKey(a.key)
	if own != nil && own.active() && purpose == roster.PurposeActivate {
		return x.refused("add", err, conflict(roster.FieldEmail))
	}
	x.want("add", err, nil)
	switch {
	case own != nil && own.id != e.ID && (own.active() || x.now().Before(own.createdAt.Add(pendingTTL))):
		x.Fatalf("add: address %d, which the user has, became %d", own.id, e.ID)
	case own != nil && own.active():
		x.m.movePrimary(u, own, x.now())
	default:
		x.m.claim(u, x.learn(e.ID), a.typed, a.key, purpose, x.now(), activationTTL)
	}
	x.newCodes()
	if now := u.withKey(a.key); e.Address != now.address || e.Primary != now.primary || e.IsActivated() != now.active() {
		x.Fatalf("add: returned %+v, want %+v", e, now)
	}
	return nil
}

func (x *machine) addActivated() error {
	if !x.odds(3) {
		return errIdle // rarely: it makes the rest less interesting
	}
	id, a := x.user(), x.address()
	e, err := x.w.AddActivatedEmail(x.ctx, id, a.typed)
	u := x.m.live(id)
	if u == nil {
		return x.want("add activated", err, roster.ErrNotFound)
	}
	if owner, _ := x.m.owner(a.key); owner != nil {
		return x.refused("add activated", err, conflict(roster.FieldEmail))
	}
	x.want("add activated", err, nil)
	own := u.withKey(a.key)
	if own == nil {
		own = &mEmail{id: x.learn(e.ID), address: a.typed, key: a.key, primary: len(u.emails) == 0, createdAt: x.now()}
		u.emails = append(u.emails, own)
	}
	x.m.prove(u, own, false, x.now())
	if e.ID != own.id || !e.IsActivated() || e.Primary != own.primary {
		x.Fatalf("add activated: returned %+v, want %+v", e, own)
	}
	return nil
}

func (x *machine) setPrimary() error {
	id := x.user()
	u := x.m.live(id)
	eid := x.email(u)
	err := x.w.SetPrimaryEmail(x.ctx, id, eid)
	if u == nil || u.email(eid) == nil {
		return x.want("set primary", err, roster.ErrNotFound)
	}
	e := u.email(eid)
	if !e.active() {
		return x.refused("set primary", err, invalidOf(roster.FieldEmail))
	}
	x.m.movePrimary(u, e, x.now())
	return x.want("set primary", err, nil)
}

func (x *machine) removeEmail() error {
	id := x.user()
	u := x.m.users[id]
	eid := x.email(u)
	err := x.w.RemoveEmail(x.ctx, id, eid)
	if u == nil || u.email(eid) == nil {
		return x.want("remove", err, roster.ErrNotFound)
	}
	e := u.email(eid)
	if e.primary && e.active() && !u.deleted() {
		return x.refused("remove", err, conflict(roster.FieldPrimary))
	}
	x.m.remove(u, e)
	if e.active() {
		x.m.sensitive(u, x.now())
		x.m.farewell(u, e, x.now())
	}
	return x.want("remove", err, nil)
}
