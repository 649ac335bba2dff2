package acceptance

import (
	"context"
	"errors"
	"fmt"
	"slices"
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
	"First proof": (*machine).firstProof, "First proof again": (*machine).firstProof,
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
