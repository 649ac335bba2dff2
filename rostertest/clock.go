package rostertest

import (
	"sync"
	"testing"
	"time"
)

// Clock is a clock that stands still until it is moved. It is safe for
// concurrent use.
type Clock struct {
	mu  sync.Mutex
	now time.Time

	other func() time.Time // what it shows instead, nil for nothing
	t     testing.TB       // of which that is an option; nil for none
}

// NewClock returns a clock that shows the first of January 2030, noon.
func NewClock() *Clock {
	return &Clock{now: time.Date(2030, 1, 1, 12, 0, 0, 0, time.UTC)}
}

// Now returns what the clock shows.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.other != nil {
		return c.other()
	}
	return c.now
}

// Advance moves the clock on, or back if d is negative. It fails the test if that
// would move nothing, since Options.Now is another clock.
func (c *Clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.other != nil {
		c.t.Helper()
		c.t.Fatalf("rostertest: Env.Clock does not move the accounts, since a change has set Options.Now: " +
			"leave that as it is (and give it to what else has a clock), or move your own")
	}
	c.now = c.now.Add(d)
}

// clocked is a Mailer that tells the time in its mails.
type clocked interface{ UseClock(now func() time.Time) }

// replace makes the clock show what another one does. Nil is time.Now.
func (c *Clock) replace(t testing.TB, now func() time.Time) {
	if now == nil {
		now = time.Now
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t, c.other = t, now
}

// moves reports whether now follows the clock, which it leaves as it was.
func moves(c *Clock, now func() time.Time) bool {
	if now == nil {
		return false
	}
	const step = 1000 * time.Hour
	before := now()
	c.Advance(step)
	after := now()
	c.Advance(-step)
	return after.Sub(before) == step
}
