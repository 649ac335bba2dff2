package acceptance

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/go-roster/roster"
)

// TestMachine runs random histories of verbs and compares every answer, and
// after each step everything that can be looked up, with a model.
func TestMachine(t *testing.T) {
	onEach(t, func(t *testing.T, k kind) {
		runs := count(50, 1500)
		if k.sql {
			runs = count(2, 400)
		}
		thorough := uint64(1) // how often everything is compared: after each step
		switch {
		case k.sql && !soak:
			thorough = 6
		case raced:
			thorough = 3
		}
		went := map[string]int{} // how often each verb has succeeded
		sequences, steps := 0, 0
		for i := range runs {
			t.Run(fmt.Sprint(i), func(t *testing.T) {
				w := newWorld(t, k.open(t))
				rapid.Check(t, func(rt *rapid.T) {
					w.empty()
					x := &machine{T: rt, w: w, m: newModel(), ctx: context.Background(), went: went, thorough: thorough}
					for range 3 {
						_ = x.register()
						x.settle()
					}
					rt.Repeat(x.actions())
					x.T = rt
					x.compare()
					w.sound()
					sequences++
					steps += x.steps
				})
			})
		}
		t.Logf("%d sequences of %d steps in all; verbs that had an effect: %v", sequences, steps, went)
		for name := range deeds {
			if went[name] == 0 && sequences > 300 {
				t.Errorf("%s never succeeded: the histories are too tame", name)
			}
		}
	})
}

// machine is one history.
type machine struct {
	*rapid.T
	w   *world
	m   *model
	ctx context.Context // of the transaction, in one

	went  map[string]int
	steps int

	thorough uint64
	ids      []roster.UserID // everybody there ever was
	emails   []roster.EmailID
	codes    []*mCode
	undos    []*mUndo // the codes of all notices that were sent
}

// spelling is a text as it is typed and its canonical form.
type spelling struct{ typed, key string }

var (
	nameSpellings = []spelling{
		{"ann", "ann"}, {"ANN", "ann"}, {wide("ann"), "ann"}, {"ben", "ben"}, {"Ben", "ben"}, {"cid", "cid"}, {"dora", "dora"}, {"eve", "eve"},
	}
	addressSpellings = []spelling{
		{"a@example.org", "a@example.org"},
		{"A@Example.ORG", "a@example.org"},
		{"b@example.org", "b@example.org"},
		{"c@example.org", "c@example.org"},
		{"C@example.org", "c@example.org"},
		{"d@example.org", "d@example.org"},
	}
	badNames     = []string{"", "a b", "\xff", "root", "user-7", "a@b"}
	badAddresses = []string{"", "nowhere", "a@b", "a@example.org,b@example.org", "\xff@example.org"}
	passwords    = []string{"the first password", "the second password", "the third password"}
	badPasswords = []string{"", "short", "\xff long enough", "nul\x00 in the middle"}
)

func (x *machine) now() time.Time { return x.w.clock.Now().UTC().Truncate(time.Microsecond) }

func (x *machine) name() spelling    { return rapid.SampledFrom(nameSpellings).Draw(x.T, "name") }
func (x *machine) address() spelling { return rapid.SampledFrom(addressSpellings).Draw(x.T, "address") }
func (x *machine) password() string  { return rapid.SampledFrom(passwords).Draw(x.T, "password") }

// odds is true once in so many times. (IntRange favours small numbers.)
func (x *machine) odds(of uint64) bool {
	return rapid.Uint64().Draw(x.T, "odds")*0x9e3779b97f4a7c15>>32%of == 0
}

func (x *machine) user() roster.UserID {
	if len(x.ids) == 0 || x.odds(20) {
		return 1 << 50
	}
	return rapid.SampledFrom(x.ids).Draw(x.T, "user")
}

func (x *machine) email(u *mUser) roster.EmailID {
	if u != nil && len(u.emails) > 0 && !x.odds(10) {
		return rapid.SampledFrom(u.emails).Draw(x.T, "e-mail").id
	}
	if len(x.emails) == 0 || x.odds(10) {
		return 1 << 50
	}
	return rapid.SampledFrom(x.emails).Draw(x.T, "e-mail")
}

// code picks a code that was sent: mostly one that is good for one of the
// purposes, else any.
func (x *machine) code(purposes ...roster.Purpose) *mCode {
	// A code of a transaction that is not over has not been sent yet.
	sent := slices.DeleteFunc(slices.Clone(x.codes), func(c *mCode) bool { return c.code == "" })
	if len(sent) == 0 {
		return nil
	}
	good := slices.DeleteFunc(slices.Clone(sent), func(c *mCode) bool {
		u, _ := x.m.good(c, x.now())
		return u == nil || !slices.Contains(purposes, c.purpose)
	})
	if len(good) > 0 && !x.odds(4) {
		return rapid.SampledFrom(good).Draw(x.T, "good code")
	}
	return rapid.SampledFrom(sent).Draw(x.T, "code")
}

// errIdle says that nothing was done.
var errIdle = errors.New("idle")

// deed is one verb with random arguments. It checks the answer, changes the
// model, and returns the error of the verb.
type deed func(*machine) error

var deeds = map[string]deed{
	"Register": (*machine).register, "Register again": (*machine).register, "Create": (*machine).create,
	"Activate": (*machine).activate, "Activate again": (*machine).activate, "Resend": (*machine).resend,
	"AddEmail": (*machine).addEmail, "ChangeEmail": (*machine).changeEmail, "AddActivatedEmail": (*machine).addActivated,
	"SetPrimary": (*machine).setPrimary, "RemoveEmail": (*machine).removeEmail,
	"Rename": (*machine).rename, "Flags": (*machine).setFlags, "ActivateUser": (*machine).activateUser,
	"Enable": (*machine).enable, "Disable": (*machine).disable,
	"Delete": (*machine).delete, "Restore": (*machine).restore, "Purge": (*machine).purge,
	"SetPassword": (*machine).setPassword, "ChangePassword": (*machine).changePassword,
	"RequestReset": (*machine).requestReset, "Reset": (*machine).reset,
	"Undo": (*machine).undo, "Accept": (*machine).accept,
	"Authenticate": (*machine).authenticate, "Prune": (*machine).prune,
}

func (x *machine) actions() map[string]func(*rapid.T) {
	actions := map[string]func(*rapid.T){
		"": func(t *rapid.T) {
			x.T = t
			if x.thorough == 1 || x.odds(x.thorough) {
				x.compare()
			}
		},
		"Clock":  func(t *rapid.T) { x.T = t; x.clock() },
		"Atomic": func(t *rapid.T) { x.T = t; x.atomic() },
	}
	for name, do := range deeds {
		actions[name] = func(t *rapid.T) {
			x.T = t
			x.steps++
			if do(x) == nil {
				x.went[name]++
			}
			x.settle()
		}
	}
	return actions
}

// settle compares the mails that left with those that should have, and learns
// the codes.
func (x *machine) settle() {
	got := x.w.post.take()
	want := x.m.mails
	x.m.mails = nil
	for i, m := range got {
		if i >= len(want) {
			x.Fatalf("one mail too many: %s to %s", m.Kind, m.To)
		}
		if m.Kind != want[i].kind || m.To != want[i].to || m.User.ID != want[i].user ||
			m.Code.IsZero() != (want[i].code == nil && want[i].undo == nil) {
			x.Fatalf("mail: %s to %s about user %d, want %+v", m.Kind, m.To, m.User.ID, want[i])
		}
		if un := want[i].undo; un != nil {
			un.code = m.Code.Reveal()
			x.undos = append(x.undos, un)
			if !m.ExpiresAt.Equal(un.expires) {
				x.Fatalf("the code to undo expires %v, want %v", m.ExpiresAt, un.expires)
			}
		}
		if c := want[i].code; c != nil {
			c.code = m.Code.Reveal()
			if !m.ExpiresAt.Equal(c.expires) {
				x.Fatalf("the code expires %v, want %v", m.ExpiresAt, c.expires)
			}
		}
	}
	if len(got) < len(want) {
		x.Fatalf("mail missing: %+v", want[len(got)])
	}
}

// want fails unless err is one of the targets; nil is success.
func (x *machine) want(verb string, err, target error) error {
	x.Helper()
	if target == nil && err != nil || !errors.Is(err, target) {
		x.Fatalf("%s: %v, want %v", verb, err, target)
	}
	return err
}

// refused fails unless err names a field in the way of test.
func (x *machine) refused(verb string, err error, test func(error) bool) error {
	x.Helper()
	if err == nil || !test(err) {
		x.Fatalf("%s: %v", verb, err)
	}
	return err
}

func invalidOf(fields ...string) func(error) bool {
	return func(err error) bool {
		var got []string
		for _, e := range roster.InvalidFields(err) {
			got = append(got, e.Field)
		}
		return slices.Equal(got, fields)
	}
}

func (x *machine) remember(u *mUser) {
	x.m.users[u.id] = u
	if !slices.Contains(x.ids, u.id) {
		x.ids = append(x.ids, u.id)
	}
}

// learn notes the ID of an address that a verb has added.
func (x *machine) learn(id roster.EmailID) roster.EmailID {
	if !slices.Contains(x.emails, id) {
		x.emails = append(x.emails, id)
	}
	return id
}

func (x *machine) newCodes() {
	for c := range x.m.codes {
		if !slices.Contains(x.codes, c) {
			x.codes = append(x.codes, c)
		}
	}
}

const (
	activationTTL = 24 * time.Hour
	resetTTL      = time.Hour
	pendingTTL    = 7 * 24 * time.Hour
	nameHold      = 90 * 24 * time.Hour
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
	c := x.code(roster.PurposeActivate, roster.PurposeChangeEmail)
	if c == nil || x.odds(20) {
		_, err := x.w.Activate(x.ctx, strings.Repeat("x", rapid.SampledFrom([]int{0, 42, 43, 44}).Draw(x.T, "length")))
		return x.want("activate", err, roster.ErrActivation)
	}
	u, err := x.w.Activate(x.ctx, c.code)
	mu, e := x.m.good(c, x.now())
	if mu == nil || c.purpose == roster.PurposeResetPassword {
		return x.want("activate", err, roster.ErrActivation)
	}
	x.want("activate", err, nil)
	if u.ID != mu.id {
		x.Fatalf("activated user %d, want %d", u.ID, mu.id)
	}
	x.m.prove(mu, e, c.purpose == roster.PurposeChangeEmail, x.now())
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
			x.m.sendCode(u, emails[i], roster.PurposeActivate, x.now(), activationTTL)
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
	if u.ID != mu.id {
		x.Fatalf("reset the password of user %d, want %d", u.ID, mu.id)
	}
	x.m.prove(mu, e, false, x.now())
	x.m.setPassword(mu, p, e.key, x.now())
	return nil
}

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
	case own != nil && own.id != e.ID:
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

func (x *machine) rename() error {
	id, n := x.user(), x.name()
	bad := x.odds(15)
	if bad {
		n.typed = rapid.SampledFrom([]string{"", "a b", "\xff", "user-999999999", "a@b", "Admin"}).Draw(x.T, "bad name")
	}
	err := x.w.Edit(x.ctx, id, func(u *roster.User) error { u.Name = n.typed; return nil })
	u := x.m.users[id]
	switch {
	case u == nil:
		return x.want("rename", err, roster.ErrNotFound)
	case bad:
		return x.refused("rename", err, invalidOf(roster.FieldName))
	case n.typed == u.name:
		return x.want("rename", err, nil)
	case n.key != u.key && !u.deleted() && !x.m.nameFree(n.key, id, x.now()):
		return x.refused("rename", err, conflict(roster.FieldName))
	}
	x.want("rename", err, nil)
	if n.key != u.key && !u.deleted() {
		x.m.hold(u, x.now(), nameHold)
		x.m.names[n.key] = mName{owner: id}
	}
	if n.key != u.key { // not merely spelled in another way
		x.m.sensitive(u, x.now())
	}
	u.name, u.key = n.typed, n.key
	return nil
}

func (x *machine) setFlags() error {
	id := x.user()
	flags := rapid.SampledFrom([]roster.Flags{
		0, 0, roster.FlagBanned, roster.FlagLocked, roster.FlagNeverClean, roster.FlagPrivileged, roster.FlagShowEmail,
	}).Draw(x.T, "flags")
	err := x.w.Edit(x.ctx, id, func(u *roster.User) error { u.Flags = flags; return nil })
	u := x.m.users[id]
	if u == nil {
		return x.want("flags", err, roster.ErrNotFound)
	}
	if flags&^u.flags&barring != 0 {
		x.m.sensitive(u, x.now())
	}
	u.flags = flags
	return x.want("flags", err, nil)
}

func (x *machine) activateUser() error {
	id := x.user()
	err := x.w.ActivateUser(x.ctx, id)
	u := x.m.live(id)
	if u == nil {
		return x.want("activate user", err, roster.ErrNotFound)
	}
	if !u.active() {
		u.activatedAt = x.now()
	}
	return x.want("activate user", err, nil)
}

func (x *machine) enable() error  { return x.setEnabled(true) }
func (x *machine) disable() error { return x.setEnabled(false) }

func (x *machine) setEnabled(enabled bool) error {
	id := x.user()
	verb := x.w.Disable
	if enabled {
		verb = x.w.Enable
	}
	err := verb(x.ctx, id)
	u := x.m.live(id)
	if u == nil {
		return x.want("enable", err, roster.ErrNotFound)
	}
	if u.enabled != enabled {
		u.enabled = enabled
		x.m.sensitive(u, x.now())
	}
	return x.want("enable", err, nil)
}

func (x *machine) delete() error {
	id := x.user()
	err := x.w.Delete(x.ctx, id)
	u := x.m.live(id)
	if u == nil {
		return x.want("delete", err, roster.ErrNotFound)
	}
	u.deletedAt = x.now()
	x.m.sensitive(u, x.now())
	x.m.hold(u, x.now(), nameHold)
	return x.want("delete", err, nil)
}

func (x *machine) restore() error {
	id := x.user()
	err := x.w.Restore(x.ctx, id)
	u := x.m.users[id]
	if u == nil || !u.deleted() {
		return x.want("restore", err, roster.ErrNotFound)
	}
	if !x.m.nameFree(u.key, id, x.now()) {
		return x.refused("restore", err, conflict(roster.FieldName))
	}
	x.want("restore", err, nil)
	u.deletedAt = time.Time{}
	if u.primary() == nil { // it may have become somebody else's
		u.promote()
	}
	x.m.names[u.key] = mName{owner: id}
	x.m.sensitive(u, x.now())
	return nil
}

func (x *machine) purge() error {
	if !x.odds(3) {
		return errIdle
	}
	id := x.user()
	err := x.w.Purge(x.ctx, id)
	if x.m.users[id] == nil {
		return x.want("purge", err, roster.ErrNotFound)
	}
	x.m.purge(id)
	return x.want("purge", err, nil)
}

func (x *machine) setPassword() error {
	id, p := x.user(), x.password()
	if x.odds(10) {
		return x.refused("set password", x.w.SetPassword(x.ctx, id, rapid.SampledFrom(badPasswords).Draw(x.T, "bad password")),
			invalidOf(roster.FieldPassword))
	}
	err := x.w.SetPassword(x.ctx, id, p)
	u := x.m.live(id)
	if u == nil {
		return x.want("set password", err, roster.ErrNotFound)
	}
	x.m.setPassword(u, p, "", x.now())
	return x.want("set password", err, nil)
}

func (x *machine) changePassword() error {
	id, current, p := x.user(), x.password(), x.password()
	u := x.m.live(id)
	if u != nil && u.password != "" && x.odds(2) {
		current = u.password
	}
	err := x.w.ChangePassword(x.ctx, id, current, p)
	if u == nil || u.password != current || !u.mayLogin() {
		return x.want("change password", err, roster.ErrCredentials)
	}
	x.m.setPassword(u, p, "", x.now())
	return x.want("change password", err, nil)
}

func (x *machine) authenticate() error {
	p := x.password()
	var login string
	var u *mUser
	if x.odds(2) {
		a := x.spelledAddress()
		login = a.typed
		if u, _ = x.m.owner(a.key); u == nil {
			// Who was the last to sign up with it is told to look for the mail.
			if c := x.m.claimants(a.key); len(c) > 0 && !c[len(c)-1].active() {
				u = c[len(c)-1]
			}
		}
	} else {
		n := x.spelledName()
		login = n.typed
		u = x.m.byKey(n.key)
	}
	if u != nil && u.password != "" && !x.odds(4) {
		p = u.password
	}
	got, err := x.w.Authenticate(x.ctx, login, p)
	if target := x.m.signsIn(u, p); target != nil {
		if got != nil {
			x.Fatalf("sign-in refused, and a user returned")
		}
		return x.want("authenticate", err, target)
	}
	x.want("authenticate", err, nil)
	u.loginAt = x.now()
	if u.loginAt.Before(u.authAt) { // the clock stands still
		u.loginAt = u.authAt
	}
	if got.ID != u.id || !got.LastLoginAt.Equal(u.loginAt) {
		x.Fatalf("signed in as user %d at %v, want %d", got.ID, got.LastLoginAt, u.id)
	}
	return nil
}

func (x *machine) prune() error {
	got, err := x.w.Prune(x.ctx, roster.Budget{})
	now := x.now()
	var want roster.Pruned
	for c := range x.m.codes {
		if x.m.codes[c] && !now.Before(c.expires) {
			x.m.codes[c] = false
			want.Activations++
		}
	}
	x.m.undos = slices.DeleteFunc(x.m.undos, func(un *mUndo) bool {
		if now.Before(un.expires) {
			return false
		}
		want.Undos++
		return true
	})
	for key, n := range x.m.names {
		if !n.until.IsZero() && !n.until.After(now) {
			delete(x.m.names, key)
			want.Names++
		}
	}
	before := now.Add(-pendingTTL)
	for _, u := range x.m.users {
		only := len(u.emails) == 1
		for _, e := range slices.Clone(u.emails) {
			loose := !e.primary || u.active() && only
			if loose && !e.active() && e.createdAt.Before(before) && !x.m.waiting(u.id, e.id) {
				x.m.remove(u, e)
				want.Emails++
			}
		}
	}
	for id, u := range x.m.users {
		if u.createdAt.Before(before) && !u.active() && u.loginAt.IsZero() && !u.deleted() &&
			u.flags&(roster.FlagPrivileged|roster.FlagNeverClean) == 0 && len(u.emails) > 0 && !x.m.waiting(id, 0) {
			x.m.purge(id)
			want.Users++
		}
	}
	if got != want {
		x.Fatalf("pruned %+v, want %+v", got, want)
	}
	return x.want("prune", err, nil)
}

func (x *machine) clock() {
	x.w.clock.Advance(rapid.SampledFrom([]time.Duration{
		time.Microsecond, time.Second, time.Minute, time.Minute, 10 * time.Minute, time.Hour - time.Microsecond, time.Hour,
		24 * time.Hour, 8 * 24 * time.Hour, 91 * 24 * time.Hour, -time.Minute, -2 * time.Hour,
	}).Draw(x.T, "by"))
}

var errRollback = errors.New("roll back")

// atomic runs a few verbs in one transaction. It ends with an error of one of
// them, or is rolled back at the end, or is committed.
func (x *machine) atomic() {
	names := make([]string, 0, len(deeds))
	for name := range deeds {
		names = append(names, name)
	}
	slices.Sort(names)
	n := rapid.IntRange(1, 4).Draw(x.T, "verbs")
	rollback := x.odds(3)
	outer := x.m
	x.m = outer.clone()
	codes, undos := len(x.codes), len(x.undos)
	ctx := x.ctx
	var first error
	err := x.w.Atomic(ctx, func(tx context.Context) error {
		x.ctx = tx
		for range n {
			name := rapid.SampledFrom(names).Draw(x.T, "verb")
			err := deeds[name](x)
			if err == nil || errors.Is(err, errIdle) {
				continue
			}
			// What is refused before anything is written costs nothing. A code is
			// used up before it turns out that somebody else has the address.
			_, lost := x.w.Count(tx, roster.Query{})
			if lost == nil && x.odds(2) {
				continue
			}
			if lost != nil && !errors.Is(err, roster.ErrConflict) && !errors.Is(err, roster.ErrActivation) {
				x.Fatalf("%s was refused (%v), and the transaction is lost: %v", name, err, lost)
			}
			first = err
			return err
		}
		if rollback {
			return errRollback
		}
		return nil
	})
	inside := x.ctx
	x.ctx = ctx
	switch {
	case first != nil && !errors.Is(err, first), first == nil && rollback && !errors.Is(err, errRollback),
		first == nil && !rollback && err != nil:
		x.Fatalf("the transaction ended by %v, want %v (rollback %v)", err, first, rollback)
	}
	if _, err := x.w.Count(inside, roster.Query{}); !errors.Is(err, roster.ErrTxDone) {
		x.Fatalf("a context kept beyond the end: %v", err)
	}
	if err != nil {
		x.m, x.codes, x.undos = outer, x.codes[:codes], x.undos[:undos]
		if mails := x.w.post.take(); len(mails) > 0 {
			x.Fatalf("a transaction that was rolled back sent %d mails", len(mails))
		}
		return
	}
	x.settle()
}

// compare asks for everything and compares it with the model.
func (x *machine) compare() {
	ctx, w, m, now := x.ctx, x.w, x.m, x.now()
	for _, n := range nameSpellings {
		u, err := w.ByName(ctx, n.typed)
		x.same("by name", u, err, m.byKey(n.key))
	}
	for _, a := range addressSpellings {
		owner, _ := m.owner(a.key)
		u, err := w.ByEmail(ctx, a.typed)
		x.same("by e-mail", u, err, owner)
		used, err := w.EmailInUse(ctx, a.typed)
		if err != nil || used != (owner != nil) {
			x.Fatalf("e-mail in use: %v %v, want %v", used, err, owner != nil)
		}
	}
	var counts [4]int
	for _, id := range x.ids {
		mu := m.users[id]
		u, err := w.ByID(ctx, id)
		x.same("by ID", u, err, m.live(id))
		if mu == nil {
			continue
		}
		switch {
		case mu.deleted():
			counts[roster.StateDeleted]++
		case mu.active():
			counts[roster.StateActivated]++
			counts[roster.StateLive]++
		default:
			counts[roster.StatePending]++
			counts[roster.StateLive]++
		}
		emails, err := w.store.EmailsOf(ctx, id)
		x.want("emails", err, nil)
		x.sameEmails(id, emails, mu)
		for _, p := range passwords {
			want := error(nil)
			if !mu.mayLogin() || mu.password != p {
				want = roster.ErrCredentials
			}
			x.want("check password", w.CheckPassword(ctx, id, p), want)
		}
		if primary, err := w.PrimaryEmail(ctx, id); mu.deleted() || mu.primary() == nil || !mu.primary().active() {
			x.want("primary e-mail", err, roster.ErrNotFound)
		} else if err != nil || primary.ID != mu.primary().id {
			x.Fatalf("primary e-mail: %v %v, want %d", primary, err, mu.primary().id)
		}
	}
	for state, want := range counts {
		if n, err := w.Count(ctx, roster.Query{State: roster.State(state)}); err != nil || n != want {
			x.Fatalf("%d users in state %d (%v), want %d", n, state, err, want)
		}
	}
	for i, c := range x.codes {
		if i < len(x.codes)-10 {
			continue // the older ones are tried by the verbs
		}
		u, e := m.good(c, now)
		p, err := w.Peek(ctx, c.code)
		if u == nil {
			x.want(fmt.Sprintf("peek at %+v", *c), err, roster.ErrActivation)
			continue
		}
		if err != nil || p.User.ID != u.id || p.Email.ID != e.id || p.Purpose != c.purpose || !p.ExpiresAt.Equal(c.expires) {
			x.Fatalf("peek at %+v: %+v, %v", *c, p, err)
		}
	}
	x.compareUndos()
	problems, err := w.Check(ctx)
	if err != nil || len(problems) > 0 {
		x.Fatalf("check: %v %v", problems, err)
	}
}

func (x *machine) same(verb string, u *roster.User, err error, want *mUser) {
	x.Helper()
	if want == nil {
		if !errors.Is(err, roster.ErrNotFound) || u != nil {
			x.Fatalf("%s: %s, %v, want nobody", verb, nameOf(u), err)
		}
		return
	}
	if err != nil || u.ID != want.id {
		x.Fatalf("%s: %s, %v, want user %d", verb, nameOf(u), err, want.id)
	}
	if u.Name != want.name || u.NameKey != want.key || u.RealName != want.realName || u.Enabled != want.enabled || u.Flags != want.flags ||
		!u.ActivatedAt.Equal(want.activatedAt) || !u.DeletedAt.Equal(want.deletedAt) || !u.LastLoginAt.Equal(want.loginAt) ||
		!u.CreatedAt.Equal(want.createdAt) || !u.PasswordChangedAt.Equal(want.passwordAt) {
		x.Fatalf("%s: %+v, want %+v", verb, *u, *want)
	}
	if !u.AuthChangedAt.Equal(want.authAt) {
		x.Fatalf("%s: the last auth-sensitive change was at %v, want %v", verb, u.AuthChangedAt, want.authAt)
	}
	if canLogin := want.active() && want.mayLogin(); u.CanLogin() != canLogin {
		x.Fatalf("%s: can log in: %v", verb, u.CanLogin())
	}
}

func (x *machine) sameEmails(id roster.UserID, got []*roster.UserEmail, want *mUser) {
	x.Helper()
	if len(got) != len(want.emails) {
		x.Fatalf("user %d has %d addresses, want %d", id, len(got), len(want.emails))
	}
	for _, e := range got {
		w := want.email(e.ID)
		if w == nil || e.Address != w.address || e.AddressKey != w.key || e.Primary != w.primary || !e.ActivatedAt.Equal(w.activatedAt) ||
			!e.CreatedAt.Equal(w.createdAt) || e.ReleasedAt.IsZero() == want.deleted() {
			x.Fatalf("user %d has the address %+v, want %+v", id, *e, w)
		}
	}
}
