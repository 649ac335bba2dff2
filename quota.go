package roster

import (
	"context"
	"errors"
	"log/slog"
	"strconv"
	"time"
)

// perSource are the budgets of the client's address, and of the /48 that it is
// in. There are none without a client.
func (us *Users) perSource(ctx context.Context, now time.Time, most int, every time.Duration, what string) []budget {
	l, source := &us.opts.Limits, clientSource(ctx)
	if most <= 0 || source == "" {
		return nil
	}
	budgets := []budget{l.window(now, most, every, what, "source", source)}
	if site := clientPrefix(ctx, siteBits); site != source {
		budgets = append(budgets, l.window(now, siteFactor*most, every, what, "site", site))
	}
	return budgets
}

// spend counts one more in every budget, or in none: then it returns a
// ThrottledError. What it returns gives all back.
func (us *Users) spend(ctx context.Context, now time.Time, budgets []budget) (giveBack func(), err error) {
	var limiter Limiter
	var taken []string
	err = us.limited(ctx, func(l Limiter) (err error) {
		limiter = l
		taken, err = us.take(ctx, l, now, keysOf(budgets), func(map[string]LimitCount) []budget { return budgets })
		return err
	})
	return func() { us.giveBack(ctx, limiter, taken, nil) }, err
}

func keysOf(budgets []budget) []string {
	keys := make([]string, len(budgets))
	for i, b := range budgets {
		keys[i] = b.key
	}
	return keys
}

// countRequest counts a request that may cause a mail, whether it does or not.
func (us *Users) countRequest(ctx context.Context) error {
	now, l := us.now(), &us.opts.Limits
	budgets := us.perSource(ctx, now, l.SourceMails, mailWindow, "mails")
	if l.Mails > 0 {
		budgets = append(budgets, l.window(now, l.Mails, mailWindow, "mails"))
	}
	_, err := us.spend(ctx, now, budgets)
	return err
}

// The kinds of mail that have budgets of their own: whoever spends one keeps
// nobody from the others.
const (
	mailsOfClaims = "claim"
	mailsOfProofs = string(PurposeActivate)
	mailsOfResets = string(PurposeResetPassword)
)

// countMail counts a mail to an address, and says whether it may be sent. That
// it may not is not to be told. The owner of an address who is kept from a code by
// strangers who have asked for too many has the last of those.
//
// What it returns is called with the error of what caused the mail: if it was not
// sent, it does not count.
func (us *Users) countMail(ctx context.Context, kind, key string, to UserID) (may bool, done func(error), err error) {
	now, l := us.now(), &us.opts.Limits
	if l.AddressMails <= 0 {
		return true, func(error) {}, nil
	}
	every := min(mailWindow, us.opts.ActivationTTL)
	if kind == mailsOfResets {
		every = min(mailWindow, us.opts.ResetTTL)
	}
	b := l.window(now, l.AddressMails, every, "mail", kind, key, strconv.FormatInt(int64(to), 10))
	giveBack, err := us.spend(ctx, now, []budget{b})
	if errors.Is(err, ErrThrottled) {
		us.opts.Logger.InfoContext(ctx, "mail withheld", slog.String("kind", kind))
		return false, func(error) {}, nil
	}
	return err == nil, func(err error) {
		if err != nil {
			giveBack()
		}
	}, err
}

// countClaim is countMail for somebody who says that the address is theirs.
// Whether it is malformed is found out later.
func (us *Users) countClaim(ctx context.Context, address string) (may bool, done func(error), err error) {
	key, err := AddressKey(address)
	if err != nil {
		return true, func(error) {}, nil
	}
	return us.countMail(ctx, mailsOfClaims, key, 0)
}

// tryCode runs try, which redeems a code or looks at it, unless the source has
// tried too many that were no good: then it returns a ThrottledError. Codes
// cannot be guessed; it is the asking that is stopped. So looking and counting are
// apart, and who has a good code writes nothing for it.
func (us *Users) tryCode(ctx context.Context, verb string, try func() error) error {
	if err := us.ask(ctx, verb); err != nil {
		return err
	}
	now := us.now()
	budgets := us.perSource(ctx, now, us.opts.Limits.SourceCodes, guessWindow, "codes")
	tried := func() error {
		err := try()
		if errors.Is(err, ErrActivation) {
			us.emitLate(ctx, Event{Kind: EventCodeRefused, Details: details(detailVerb, verb)})
		}
		return err
	}
	if len(budgets) == 0 {
		return tried()
	}
	err := us.limited(ctx, func(l Limiter) error {
		counts, err := l.LimitCounts(ctx, now, keysOf(budgets)...)
		var wait time.Duration
		for _, c := range counts {
			for _, b := range budgets {
				if _, _, w := b.decide(c); b.key == c.Key {
					wait = max(wait, w)
				}
			}
		}
		if wait > 0 {
			return &ThrottledError{wait}
		}
		return err
	})
	if err != nil {
		return err
	}
	err = tried()
	if errors.Is(err, ErrActivation) {
		if _, failed := us.spend(ctx, now, budgets); failed != nil && !errors.Is(failed, ErrThrottled) {
			us.opts.Logger.WarnContext(ctx, "code not counted", slog.Any("error", failed))
		}
	}
	return err
}
