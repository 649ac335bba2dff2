package roster

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"time"
)

// account is whom a password is tried for.
type account struct {
	typed string // the canonical form of what was typed, or the ID of who is signed in
	user  *User  // nil if it means nobody
}

// accountOf is whom a login means, if m is who was found for it. Whatever nobody
// can be called is one account, that of nobody.
func accountOf(login string, m Model) account {
	var a account
	if m != nil {
		a.user = m.RosterUser()
	}
	keyOf := NameKey
	if isAddress(login) {
		keyOf = AddressKey
	}
	a.typed, _ = keyOf(login)
	return a
}

// accountByID is somebody who is signed in and asked for the password again. u
// is nil if there is no such user.
func accountByID(id UserID, u *User) account {
	return account{"#" + strconv.FormatInt(int64(id), 10), u}
}

// guess runs try, which compares a password with the stored one (or asks a
// directory to), if that may be done once more. Every way to try a password leads
// through here. It returns the error of try, or a ThrottledError without the
// work; and how many failures there were before a success.
//
// The attempt is counted before it is made, in one step with asking whether it
// may be, so that of any number at once no more are made than are left. If try
// returns nil, ErrNotActivated or ErrMustChangePassword, the password was right: what was counted for
// the account is forgotten, and what was counted for the source is as before. If
// it returns ErrCredentials, it stays counted. Any other error says nothing of
// the password, and the attempt is given back.
//
// If the guess is blind, try does the work and refuses, whatever the password is.
//
// # What is counted
//
// The failures in a row of one source for what was typed. Five are free, then
// there is a wait of 30 seconds, which doubles up to an hour, and at a hundred an
// end until the password is another. It answers to a thousand guesses a month
// and address. Strangers elsewhere cannot spend it, so they keep no owner waiting: not by ten
// thousand failures, and not by a hundred sources. (ASVS 6.1.1; the lock-out
// by account that NIST SP 800-63B-4, section 3.2.2, may be read to ask for is one
// that strangers hold.)
//
// The failures of all sources for what was typed, within a day. They keep nobody
// out. Where there were a hundred without a success, the account is under attack
// from many sources, and each source that it has never been signed in from has
// one free failure, and then waits an hour, two, and so on up to a day: of ten
// thousand addresses come ten thousand guesses on the first day, not 300,000. The owner who types
// the right password gets in from anywhere.
//
// The failures of one source for one user, under whatever name and address: twice
// as many are free, so that who knows a name and three addresses has not four
// times the guesses. To say so would tell that name and address belong together,
// and so whether there is an account with that address. So who has spent only this is
// refused in silence, as for a wrong password and after the same work. People who
// go from their name to their address do not come so far: by then they wait openly.
//
// The failures of one source at one entry of a directory, see [guess.entry]: as many as for
// one user, and refused in silence, too. A directory knows people by more names than roster:
// by other addresses, in other spellings, and before they have an account here.
//
// The failures of one source, and of a /48, for everybody, in ten minutes:
// somebody who tries one password for all users. Accounts that were signed in
// from the source within 30 days are not refused for it, so that in a house with
// one address one person cannot keep out the others. From the same address one can
// find out by it whether somebody has signed in from there; whoever that is
// worse for switches it off by -1.
//
// All but the last two belong to one password: a new one has budgets of its own.
func (us *Users) guess(ctx context.Context, verb string, who account, try func(ctx context.Context, g *guess) error) (failures int, err error) {
	g := us.newGuess(ctx, who)
	err = us.limited(ctx, func(l Limiter) (err error) {
		g.limiter = l
		g.taken, err = us.take(ctx, l, g.now, g.keys(), g.plan)
		return err
	})
	if err == nil {
		finished := false
		defer func() {
			if !finished { // it has panicked
				us.giveBack(ctx, g.limiter, g.taken, nil)
			}
		}()
		err = try(ctx, g)
		finished = true
		g.settle(ctx, err)
	}
	g.log(ctx, verb, err)
	return g.failures, err
}

// guess is one attempt at a password.
type guess struct {
	us     *Users
	who    account
	source string
	now    time.Time

	pair, attacked, user, all, each, site budget // those that are not counted have no key
	known                                 string

	// As it was found:
	limiter   Limiter
	taken     []string
	entries   []string // of those, in the order in which they were tried
	blind     bool
	failures  int  // for what was typed, since the last success
	fromKnown bool // the account was signed in from the source lately
	refresh   bool // and that is to be written down again
}

func (us *Users) newGuess(ctx context.Context, who account) *guess {
	g := &guess{us: us, who: who, source: clientSource(ctx), now: us.now()}
	l := &us.opts.Limits
	// The same for who is unknown, so that nothing differs.
	since, user := "0", who.typed
	if u := who.user; u != nil {
		since, user = strconv.FormatInt(u.PasswordChangedAt.UnixMicro(), 10), accountByID(u.ID, u).typed
	}
	if l.Failures > 0 {
		g.pair = l.ladder(g.now, l.Failures, l.Delay, l.MaxDelay, "pair", who.typed, g.source, since)
		g.attacked = l.ladder(g.now, 1, l.MaxDelay, shortMemory, "pair", who.typed, g.source, since)
		g.user = l.ladder(g.now, 2*l.Failures, l.Delay, l.MaxDelay, "user", user, g.source, since)
	}
	if l.Failures > 0 || l.Notice > 0 {
		g.all = l.tally(g.now, shortMemory, "all", who.typed)
	}
	if g.source == "" {
		return g
	}
	g.known = l.key("known", who.typed, g.source, since)
	if l.SourceFailures > 0 {
		g.each = l.window(g.now, l.SourceFailures, guessWindow, "source", g.source)
		if site := clientPrefix(ctx, siteBits); site != g.source {
			g.site = l.window(g.now, siteFactor*l.SourceFailures, guessWindow, "site", site)
		}
	}
	return g
}

// keys are all that it has to look at.
func (g *guess) keys() []string {
	var keys []string
	for _, key := range []string{g.pair.key, g.user.key, g.all.key, g.each.key, g.site.key} {
		if key != "" {
			keys = append(keys, key)
		}
	}
	if len(keys) > 0 && g.known != "" {
		keys = append(keys, g.known)
	}
	return keys
}

// plan picks the budgets that are asked.
func (g *guess) plan(counts map[string]LimitCount) (budgets []budget) {
	known := counts[g.known]
	g.failures = counts[g.all.key].N
	g.fromKnown = known.N > 0
	g.refresh = !g.fromKnown || g.now.Sub(known.LastAt) > shortMemory
	g.blind = false
	add := func(b budget) {
		if b.key != "" {
			budgets = append(budgets, b)
		}
	}
	if g.pair.key != "" {
		if g.failures >= maxFailures && !g.fromKnown && g.source != "" {
			add(g.attacked)
		} else {
			add(g.pair)
		}
		_, _, wait := g.user.decide(counts[g.user.key])
		if g.blind = wait > 0; !g.blind {
			add(g.user)
		}
	}
	add(g.all)
	for _, b := range []budget{g.each, g.site} {
		if b.key != "" && g.fromKnown {
			b = budget{b.key, func(c LimitCount) (int, time.Time, time.Duration) { return unlimited, g.now.Add(guessWindow), 0 }}
		}
		add(b)
	}
	return budgets
}

// entry counts the attempt for the entry of a directory that the password was tried for, or
// for nobody if subject is empty, and reports whether the answer may be told. Which entry a
// name means is known only after the directory was asked; so this is done before anybody
// learns the answer, right or wrong, in one step with asking whether it may be: of any
// number of answers that come at once no more are told than are left.
func (g *guess) entry(ctx context.Context, provider, subject string) (bool, error) {
	l := &g.us.opts.Limits
	if l.Failures <= 0 {
		return true, nil
	}
	what := []string{"entry", provider, subject, g.source}
	if subject == "" {
		what = []string{"no entry", g.who.typed, g.source}
	}
	b := l.ladder(g.now, 2*l.Failures, l.Delay, l.MaxDelay, what...)
	err := g.us.limited(ctx, func(limiter Limiter) error {
		taken, err := g.us.take(ctx, limiter, g.now, []string{b.key}, func(map[string]LimitCount) []budget { return []budget{b} })
		g.taken = append(g.taken, taken...)
		g.entries = append(g.entries, taken...)
		return err
	})
	if errors.Is(err, ErrThrottled) {
		return false, nil
	}
	return err == nil, err
}

// settle gives back what the attempt turned out not to cost.
func (g *guess) settle(ctx context.Context, err error) {
	switch {
	case len(g.taken) == 0, errors.Is(err, ErrCredentials):
		return
	case err != nil && !errors.Is(err, ErrNotActivated) && !errors.Is(err, ErrMustChangePassword):
		g.us.giveBack(ctx, g.limiter, g.taken, nil)
		return
	}
	var one, all []string
	for _, key := range g.taken {
		other := slices.Contains(g.entries, key) && key != g.entries[len(g.entries)-1] // somebody else's entry
		if key == g.each.key || key == g.site.key || other {
			one = append(one, key)
		} else {
			all = append(all, key)
		}
	}
	g.us.giveBack(ctx, g.limiter, one, all)
	if g.known == "" || !g.refresh || errors.Is(err, ErrNotActivated) {
		return
	}
	_, err = g.limiter.TakeLimits(ctx, g.now, LimitTake{g.known, unlimited, g.now.Add(longMemory)})
	if err != nil {
		g.us.opts.Logger.WarnContext(ctx, "source not noted", slog.Any("error", err))
	}
}

// log writes one record for every attempt, with what came of it.
func (g *guess) log(ctx context.Context, verb string, err error) {
	outcome, level := "error", slog.LevelWarn
	for _, o := range []struct {
		err     error
		outcome string
	}{
		{nil, "success"},
		{ErrNotActivated, "not_activated"},
		{ErrMustChangePassword, "must_change"},
		{ErrCredentials, "refused"},
		{ErrThrottled, "throttled"},
		{ErrBusy, "busy"},
		{ErrUnavailable, "unavailable"},
	} {
		if errors.Is(err, o.err) {
			outcome, level = o.outcome, slog.LevelInfo
			break
		}
	}
	attrs := []slog.Attr{slog.String("verb", verb), slog.String("method", "password"), slog.String("outcome", outcome)}
	if g.who.user != nil {
		attrs = append(attrs, slog.Int64("user", int64(g.who.user.ID)))
	}
	if g.source != "" {
		attrs = append(attrs, slog.String("source", g.source))
	}
	if g.blind && outcome == "refused" {
		attrs = append(attrs, slog.Bool("throttled", true))
	}
	g.us.opts.Logger.LogAttrs(ctx, level, "password attempt", attrs...)
	g.emit(ctx, verb, outcome)
}

// emit records what was refused. What succeeds is for the verb to record.
func (g *guess) emit(ctx context.Context, verb, outcome string) {
	e := Event{Kind: EventSignInFailed, Details: details(detailVerb, verb, detailOutcome, outcome)}
	switch outcome {
	case "refused", "not_activated", "must_change":
	case "throttled":
		e.Kind, e.Details = EventSignInThrottled, details(detailVerb, verb)
	default:
		return
	}
	if g.who.user != nil {
		e.User = g.who.user.ID
	}
	g.us.emitLate(ctx, e)
}

// noticeFailures tells the primary address that the right password came after
// many that were wrong.
func (us *Users) noticeFailures(ctx context.Context, u *User, failures int) {
	if limit := us.opts.Limits.Notice; limit <= 0 || failures < limit || us.opts.Mailer == nil {
		return
	}
	us.noticeApart(ctx, MailSignInAfterFailures, u.ID, func(ctx context.Context) error {
		e, err := us.spokesman(ctx, u.ID)
		if err != nil || e == nil {
			return err
		}
		return us.send(ctx, Mail{
			Kind: MailSignInAfterFailures, User: u, To: e.mailbox(), Locale: u.Locale,
			At: us.now(), Client: ClientFrom(ctx), Failures: failures,
		})
	})
}

// isAddress tells the two kinds of logins apart: names never contain an at sign,
// addresses always do.
func isAddress(login string) bool {
	return strings.Contains(login[:min(len(login), maxLogin)], "@")
}
