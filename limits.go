package roster

import (
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"time"
)

// Limits say how often strangers may guess and cause mails. Zero is the safe
// default of each, a negative number switches it off.
//
// A source is the address of the client (see [WithClient]), of IPv6 the /64 that
// one customer has. What a source may do, a /48 may do ten times, since whoever
// has one chooses among 65,536 sources. Where the context has no client nothing
// is counted per source, and what is counted per account and source is counted
// per account: then whoever spends the budget of an account keeps its owner
// waiting, too. So a program that strangers reach passes the client. Inside
// [Users.Atomic], and where the store cannot be written to, the memory of the
// process counts, so that a rollback gives nothing back.
//
// Counting never tells whether there is an account. What was typed is counted in
// its canonical form (see [NameKey]), whether it means somebody or not.
type Limits struct {
	// Failures is how many wrong passwords in a row one source may try for one
	// account until it has to wait, and after each one more. Zero means 5. More
	// than 100 is refused; at 100 it does not go on (NIST SP 800-63B-4, section
	// 3.2.2) until the password is another, or the source was silent for 30 days.
	Failures int

	// Delay is the first wait. It doubles with every failure up to MaxDelay. Zero
	// means 30 seconds, and one hour.
	Delay, MaxDelay time.Duration

	// SourceFailures is how many wrong passwords one source may try in ten
	// minutes, whatever the account. Zero means 100. A hall where hundreds sign in
	// from one address, for the first time and at once, may want more. Accounts that have signed in from the source
	// before are not kept out by what others there do.
	SourceFailures int

	// SourceCodes is how many codes that are no good one source may try in ten
	// minutes. Zero means 100.
	SourceCodes int

	// AddressMails is how many mails of one kind strangers may cause to one
	// address in an hour; if the code in it is good for less than that, in that
	// time, so that the last one is good as long as no other is sent. Zero means 3. What is over is not sent, and nobody is told.
	AddressMails int

	// SourceMails is how many requests that may cause a mail one source may make
	// in an hour. Zero means 100.
	SourceMails int

	// Mails is how many requests that may cause a mail all may make in an hour.
	// Zero means 10,000.
	Mails int

	// Notice is after how many failures a sign-in is worth a
	// [MailSignInAfterFailures] to the owner. Zero means 5.
	Notice int

	// Key, if not empty, makes hashes of what is counted with a key. Without,
	// somebody who reads the table can try out what was typed: now and then a
	// password, into the wrong field. All programs on one store use the same.
	Key Secret
}

// The defaults and bounds of [Limits].
const (
	defaultFailures       = 5
	maxFailures           = 100
	defaultDelay          = 30 * time.Second
	defaultMaxDelay       = time.Hour
	defaultSourceFailures = 100
	defaultSourceCodes    = 100
	defaultAddressMails   = 3
	defaultSourceMails    = 100
	defaultMails          = 10_000
	defaultNotice         = 5

	guessWindow = 10 * time.Minute
	mailWindow  = time.Hour
	siteFactor  = 10 // what a /48 may do, in sources
	siteBits    = 48
	shortMemory = 24 * time.Hour      // of failures
	longMemory  = 30 * 24 * time.Hour // of the hundredth, and of sources that are known
	clockSlack  = time.Minute         // by which the clocks of two servers may differ
	unlimited   = 1 << 30
	maxBudget   = 100_000_000 // siteFactor times as many are less than unlimited
)

// setDefaults replaces what is zero, and refuses what makes no sense.
func (l *Limits) setDefaults() error {
	l.Failures = cmp.Or(l.Failures, defaultFailures)
	l.Delay = cmp.Or(l.Delay, defaultDelay)
	l.MaxDelay = cmp.Or(l.MaxDelay, max(defaultMaxDelay, l.Delay))
	l.SourceFailures = cmp.Or(l.SourceFailures, defaultSourceFailures)
	l.SourceCodes = cmp.Or(l.SourceCodes, defaultSourceCodes)
	l.AddressMails = cmp.Or(l.AddressMails, defaultAddressMails)
	l.SourceMails = cmp.Or(l.SourceMails, defaultSourceMails)
	l.Mails = cmp.Or(l.Mails, defaultMails)
	l.Notice = cmp.Or(l.Notice, defaultNotice)
	most := max(l.SourceFailures, l.SourceCodes, l.AddressMails, l.SourceMails, l.Mails, l.Notice)
	switch {
	case most > maxBudget:
		return fmt.Errorf("a number must not be more than %d; negative is without a limit", maxBudget)
	case l.Failures > maxFailures:
		return fmt.Errorf("failures must not be more than %d", maxFailures)
	case l.Delay < 0 || l.MaxDelay < l.Delay || l.MaxDelay > shortMemory:
		return fmt.Errorf("delays must be positive, the longest at least the first and at most %s", shortMemory)
	}
	return nil
}

// key is what something is counted under: a hash, since people type passwords
// into the field for the name.
func (l *Limits) key(parts ...string) string {
	mac := hmac.New(sha256.New, []byte(l.Key.Reveal()))
	for _, p := range parts {
		_, _ = mac.Write(binary.AppendUvarint(nil, uint64(len(p))))
		_, _ = mac.Write([]byte(p))
	}
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil)[:18])
}

// budget is one thing that is counted, and how far that may go.
type budget struct {
	key string

	// decide says, given the count, how far it may go now and when it is
	// forgotten; or how long to wait.
	decide func(c LimitCount) (most int, expires time.Time, wait time.Duration)
}

// window is a budget that is whole again at the end of each window. Each has a
// key of its own, so that a clock that goes back does not find the next one
// spent.
func (l *Limits) window(now time.Time, most int, every time.Duration, parts ...string) budget {
	begin := now.Truncate(every)
	end := begin.Add(every)
	return budget{
		key: l.key(append(parts, strconv.FormatInt(begin.Unix(), 10))...),
		decide: func(c LimitCount) (int, time.Time, time.Duration) {
			if c.N >= most {
				return 0, end, end.Sub(now)
			}
			return most, end.Add(clockSlack), 0
		},
	}
}

// ladder is a budget of failures in a row: so many are free, each one more
// doubles the wait.
func (l *Limits) ladder(now time.Time, free int, first, most time.Duration, parts ...string) budget {
	last := max(maxFailures, free)
	return budget{l.key(parts...), func(c LimitCount) (int, time.Time, time.Duration) {
		forgotten := now.Add(shortMemory + most)
		if c.N+1 >= last {
			forgotten = now.Add(longMemory)
		}
		switch {
		case c.N < free:
			return free, forgotten, 0
		case c.N >= last:
			return 0, forgotten, c.ExpiresAt.Sub(now)
		}
		wait := most
		if steps := c.N - free; steps < 16 {
			wait = min(most, first<<steps)
		}
		// A clock that has gone back keeps nobody waiting.
		if since := now.Sub(c.LastAt); since < wait && since >= -clockSlack {
			return 0, forgotten, wait - since
		}
		return c.N + 1, forgotten, 0
	}}
}

// tally is a budget without an end: it only counts.
func (l *Limits) tally(now time.Time, keep time.Duration, parts ...string) budget {
	return budget{l.key(parts...), func(LimitCount) (int, time.Time, time.Duration) { return unlimited, now.Add(keep), 0 }}
}

// limited runs fn with the limiter that is in charge: the host's, else the
// store. What must not be undone by the end of the caller's transaction, and what
// a store that cannot be written to should have counted, is counted in the memory
// of this process.
func (us *Users) limited(ctx context.Context, fn func(Limiter) error) error {
	switch {
	case us.opts.Limiter != nil:
		err := fn(us.opts.Limiter)
		if err == nil || errors.Is(err, ErrThrottled) || errors.Is(err, ErrUnavailable) || ctx.Err() != nil {
			return err
		}
		return &UnavailableError{UnavailableLimiter, err}
	case inTransaction(ctx):
		return fn(us.spare)
	}
	err := fn(us.store)
	if unavailable := new(UnavailableError); errors.As(err, &unavailable) && unavailable.What != UnavailableDatabase {
		us.opts.Logger.WarnContext(ctx, "limits counted in memory only", slog.String("unavailable", unavailable.What))
		return fn(us.spare)
	}
	return err
}

// take counts one more in every budget, or in none: then it returns a
// ThrottledError of the longest wait. It looks first, so that who is refused
// writes nothing. plan picks the budgets that are to be asked, given all counts.
func (us *Users) take(
	ctx context.Context, l Limiter, now time.Time, keys []string, plan func(counts map[string]LimitCount) []budget,
) (taken []string, err error) {
	if len(keys) == 0 {
		return nil, nil
	}
	for range 3 {
		counts, err := l.LimitCounts(ctx, now, keys...)
		if err != nil {
			return nil, err
		}
		byKey := make(map[string]LimitCount, len(counts))
		for _, c := range counts {
			byKey[c.Key] = c
		}
		var wait time.Duration
		var takes []LimitTake
		for _, b := range plan(byKey) {
			most, expires, w := b.decide(byKey[b.key])
			wait = max(wait, w)
			takes = append(takes, LimitTake{b.key, most, expires})
		}
		if wait > 0 {
			return nil, &ThrottledError{wait}
		}
		if len(takes) == 0 {
			return nil, nil
		}
		if taken, err = l.TakeLimits(ctx, now, takes...); err != nil {
			return nil, err
		}
		if len(taken) == len(takes) {
			return taken, nil
		}
		// Others were quicker. What they have left to wait for is seen next time.
		if err := l.GiveLimits(ctx, taken, nil); err != nil {
			return nil, err
		}
	}
	return nil, &ThrottledError{us.opts.Limits.Delay}
}

// giveBack returns what was taken. It is done also if the context has ended; if
// it fails there is less left for somebody who has done nothing wrong.
func (us *Users) giveBack(ctx context.Context, l Limiter, one, all []string) {
	if len(one)+len(all) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	if err := l.GiveLimits(ctx, one, all); err != nil {
		us.opts.Logger.WarnContext(ctx, "limits not given back", slog.Any("error", err))
	}
}
