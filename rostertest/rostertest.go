// Package rostertest gives tests the real accounts, in memory and in
// microseconds: the rules and constraints are those of production, the password
// hasher is instant, mails are captured and the clock stands still until it is
// moved.
//
//	func TestSignUp(t *testing.T) {
//		env := rostertest.New(t)
//		ann := env.MustRegister("ann")
//		...
//	}
//
// An [Env] is quick to make, some 30 microseconds with a user, so each test has
// its own, and they may run in parallel. It holds nothing that has to be closed.
//
// Users, codes and tokens are random. [NewGolden] makes them the same in each run.
//
// In a bubble of package testing/synctest either clock works: Env.Clock, which the
// test moves, or that of the bubble, if a change sets o.Now = time.Now.
//
// To run the same tests on SQLite or PostgreSQL see package rostertest/dbtest.
package rostertest

import (
	"testing"
	"testing/cryptotest"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/store/memory"
)

// Env is the accounts of one test, and what it sees of the world.
type Env struct {
	*roster.Users
	Store roster.Store
	Mail  *Mailbox // every mail, whatever Options.Mailer is
	Clock *Clock

	t testing.TB
}

// New returns accounts on an empty memory store, without limits (see
// [Unlimited]). A store other than memory is for [NewOn].
//
// Each change may alter the options before they are used. A Mailer that it sets
// gets every mail, and Env.Mail keeps them beside it. o.Now is that of Env.Clock, to
// be handed to whatever else has a clock; a Mailer with a method
// UseClock(func() time.Time), such as that of package mailertest, is given it. If a
// change sets another Now, Env.Clock shows that, and to advance it fails the test.
// For passwords that come from another system set o.Hasher to password.Hasher{},
// since [Hasher] reads none of theirs.
func New(t testing.TB, changes ...func(*roster.Options)) *Env {
	t.Helper()
	return NewOn(t, memory.New(), changes...)
}

// NewGolden is New for a test that compares with a golden file: until the end of
// the test everything random in the process follows from a fixed seed, by
// [cryptotest.SetGlobalRandom], so UUIDs, codes, tokens, generated passwords and
// Message-IDs are the same whenever the test does the same in the same order. For
// this reason it cannot be used in a parallel test. What a later version of
// roster draws, and in which order, may change.
func NewGolden(t *testing.T, changes ...func(*roster.Options)) *Env {
	t.Helper()
	cryptotest.SetGlobalRandom(t, 1)
	return New(t, changes...)
}

// Unlimited returns limits that are all switched off, so that a test may fail to
// sign in, and cause mails, as often as it likes. New uses them. A test of
// throttling sets Options.Limits to the zero value, and gives its requests a
// client by [roster.WithClient].
func Unlimited() roster.Limits {
	return roster.Limits{
		Failures: -1, SourceFailures: -1, SourceCodes: -1, AddressMails: -1, SourceMails: -1, Mails: -1, Notice: -1,
	}
}

// NewOn is New on a store of your own.
func NewOn(t testing.TB, store roster.Store, changes ...func(*roster.Options)) *Env {
	t.Helper()
	env := &Env{Store: store, Mail: new(Mailbox), Clock: NewClock(), t: t}
	opts := roster.Options{
		Mailer: env.Mail,
		Hasher: Hasher{},
		Now:    env.Clock.Now,
		Limits: Unlimited(),
	}
	for _, change := range changes {
		change(&opts)
	}
	if !moves(env.Clock, opts.Now) {
		env.Clock.replace(t, opts.Now)
	}
	if c, ok := opts.Mailer.(clocked); ok {
		c.UseClock(env.Clock.Now)
	}
	opts.Mailer = env.Mail.beside(opts.Mailer)
	users, err := roster.New(store, &opts)
	if err != nil {
		t.Fatalf("rostertest: %v", err)
	}
	env.Users = users
	return env
}
