package difftest

import (
	"context"
	"encoding/json"
	"time"

	"github.com/go-roster/roster"
)

// newUser is the user that a step inserts.
func (p *player) newUser(o op) *roster.User {
	u := &roster.User{UUID: uuidOf(o.User), Name: "N " + o.Name, CreatedAt: at(o.At), Version: 1}
	if o.Variant&7 == 7 {
		u.UUID = uuidOf(max(1, o.User-1)) // somebody else's
	}
	return change(u, o)
}

// change is a copy that differs as the step tells.
func change(u *roster.User, o op) *roster.User {
	c := *u
	c.NameKey, c.UpdatedAt, c.Data = o.Name, at(o.At), nil
	if raw := data[o.Variant>>3&3]; raw != "" {
		if err := json.Unmarshal([]byte(raw), &c.Data); err != nil {
			panic(err)
		}
	}
	c.NameAuto, c.Enabled = o.Variant&(1<<5) != 0, o.Variant&(1<<6) != 0
	c.RealName = searched[o.Variant>>7&7]
	c.ActivatedAt, c.DeletedAt, c.DirectoryID = time.Time{}, time.Time{}, ""
	if o.Variant&(1<<10) != 0 {
		c.ActivatedAt = at(o.At)
	}
	if o.Variant&(3<<11) == 3<<11 {
		c.DeletedAt = at(o.At)
	}
	if o.Variant&(3<<13) == 3<<13 {
		c.DirectoryID, c.DirectoryDN = "id", "dn"
	}
	if o.Variant&(3<<15) == 3<<15 {
		c.Flags = flags(o.Variant >> 3)
	}
	return &c
}

func flags(variant uint) roster.Flags { return roster.Flags(variant >> 17 & 7) }

func uuidOf(handle int) [16]byte {
	return [16]byte{6: 0x40, 8: 0x80, 14: byte(handle >> 8), 15: byte(handle)}
}

func (p *player) newEmail(o op) *roster.UserEmail {
	e := &roster.UserEmail{UserID: p.user(o.User), Address: "M " + o.Key, AddressKey: o.Key, Primary: o.Variant&3 == 3, CreatedAt: at(o.At)}
	if o.Variant&(3<<2) == 3<<2 {
		e.ActivatedAt = at(o.At)
	}
	if o.Variant&(15<<4) == 15<<4 {
		e.ReleasedAt = at(o.At)
	}
	return e
}

// newActivation is one to the address, of its user or, now and then, of another.
func (p *player) newActivation(ctx context.Context, o op) *roster.Activation {
	a := &roster.Activation{
		Hash: o.Hash, Purpose: roster.Purpose(purposeOf(o.Variant)), UserID: p.user(o.User), EmailID: p.email(o.Email),
		CreatedAt: at(0), ExpiresAt: at(o.At),
	}
	if owner, err := p.s.EmailsByID(ctx, a.EmailID); err == nil && len(owner) == 1 && o.Variant&(7<<4) != 0 {
		a.UserID = owner[0].UserID
	}
	return a
}

func typed(list []string) []roster.Purpose {
	var out []roster.Purpose
	for _, s := range list {
		out = append(out, roster.Purpose(s))
	}
	return out
}

var outboxStates = []roster.OutboxState{roster.OutboxPending, roster.OutboxSent, roster.OutboxFailed}

// newMail is one that waits, or, by the variant, is done with or wiped.
func (p *player) newMail(o op) *roster.QueuedMail {
	m := &roster.QueuedMail{
		MessageID: "I " + o.Key, Kind: roster.MailKind("K " + o.Text), UserID: p.user(o.User), To: o.Key, Locale: "L", Payload: roster.NewSecret("P " + o.Text),
		QueuedAt: at(0), DueAt: at(o.At), Attempts: int(o.Variant >> 10 & 3),
	}
	switch o.Variant & 7 {
	case 0:
		m.SentAt, m.Payload = at(o.At), roster.Secret{}
	case 1, 2:
		m.FailedAt, m.LastError = at(o.At), "E"
	}
	if o.Variant>>3&1 == 1 {
		m.ExpiresAt = at(int(o.Variant >> 4 & 31))
	}
	return m
}

// sessionID is one of a few.
func sessionID(variant uint) [16]byte { return uuidOf(1 + int(variant&3)) }

// newSession is one of the user, in which somebody else acts now and then.
func (p *player) newSession(o op) *roster.Session {
	s := &roster.Session{
		ID: sessionID(o.Variant), Hash: roster.NewSecret(o.Hash), UserID: p.user(o.User), CreatedAt: at(o.At / 4), AuthenticatedAt: at(3),
		LastSeenAt: at(o.At), ExpiresAt: at(o.At + 1), UserAgent: searched[o.Variant>>2&7], TLS: o.Variant&(1<<5) != 0,
	}
	if o.Variant&(3<<6) == 3<<6 {
		s.AuthChangedAt = at(o.At + 2)
	}
	if len(o.Users) > 0 && o.Users[0] != o.User {
		s.ImpersonatorID, s.ImpersonatorChangedAt = p.user(o.Users[0]), at(o.At+3)
	}
	return s
}

// newIdentity is one of the user, with more or less to say.
func (p *player) newIdentity(o op) *roster.UserIdentity {
	i := &roster.UserIdentity{Provider: o.Name, Subject: o.Hash, UserID: p.user(o.User), CreatedAt: at(0), UpdatedAt: at(o.At)}
	if raw := data[o.Variant&3]; raw != "" {
		if err := json.Unmarshal([]byte(raw), &i.Data); err != nil {
			panic(err)
		}
	}
	i.Emails = keys[:o.Variant>>2&3]
	return i
}

// newEvent is one of a few kinds, done by the first of the users to the user.
func (p *player) newEvent(o op) *roster.Event {
	e := &roster.Event{Kind: roster.EventKind(o.Key), User: p.user(o.User), Addr: "A", At: at(o.At), Count: 1, LastAt: at(o.At)}
	if len(o.Users) > 0 {
		e.Actor, e.RealActor = p.user(o.Users[0]), p.user(o.Users[len(o.Users)-1])
	}
	if o.Variant&(1<<2) == 0 {
		e.User = 0
	}
	if raw := data[o.Variant&3]; raw != "" {
		if err := json.Unmarshal([]byte(raw), &e.Details); err != nil {
			panic(err)
		}
	}
	return e
}

// walkEvents reads all pages of what the variant asks for.
func (p *player) walkEvents(ctx context.Context, o op) any {
	q := roster.EventFilter{Limit: o.Limit}
	if o.Variant&1 != 0 {
		q.User = p.user(o.User)
	}
	if o.Variant&2 != 0 && len(o.Users) > 0 {
		q.RealActor = p.user(o.Users[0])
	}
	if o.Variant&4 != 0 {
		q.Kind = roster.EventKind(o.Key)
	}
	if o.Variant&8 != 0 {
		q.Since = at(o.At)
	}
	if o.Variant&16 != 0 {
		q.Before = at(o.At + int(o.Variant>>5&7))
	}
	var all []*roster.Event
	for {
		page, err := p.s.EventPage(ctx, q)
		if all = append(all, page...); err != nil || len(page) < q.Limit {
			return pair{all, err}
		}
		q.AfterAt, q.AfterID = page[len(page)-1].At, page[len(page)-1].ID
	}
}
