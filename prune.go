package roster

import (
	"cmp"
	"context"
)

// Budget bounds a piece of housekeeping.
type Budget struct {
	Rows int // of each kind; zero means 1000
}

const defaultPruneRows = 1000

// Pruned counts what [Users.Prune] has removed.
type Pruned struct {
	Activations int // codes that expired
	Undos       int // codes of notices that expired
	Emails      int // claims on addresses that nobody proved
	Users       int // accounts that nobody activated
	Names       int // names that were held back long enough
	Mails       int // mails that were done with long enough ago, or emptied since their code expired
	Limits      int // counts of failures and mails that are over
	Sessions    int // sessions that expired
	Grants      int // grants that ended long enough ago
	Events      int // records of what happened long enough ago
}

// Total is all of it. Zero means that there is nothing left to do.
func (p Pruned) Total() int {
	return p.Activations + p.Undos + p.Emails + p.Users + p.Names + p.Mails + p.Limits + p.Sessions + p.Grants + p.Events
}

// Prune removes what has expired, within the budget: run it now and then, again
// while it removes something. Nothing depends on it: what has expired is dead
// before it is removed.
//
// An account is removed if nobody proved its address within Options.PendingTTL
// and the life of a code that was sent at the end of that, it was never activated or signed in, belongs to no directory and is not
// flagged Privileged or NeverClean; nor is anybody removed whom somebody has put into a group or granted something, over or not. Of an account that stays, addresses are
// removed that nobody proved for as long; the primary one too, if the account
// was activated without it. Accounts without an address, such as Create
// makes, stay, and so do those whom a foreign key of the host's own tables needs:
// they are left alone for a day then. It returns what it has removed, also beside an error (outside
// [Users.Atomic]), and an [InvalidError] of [FieldLimit] for a negative budget.
func (us *Users) Prune(ctx context.Context, b Budget) (Pruned, error) {
	p, err := us.prune(ctx, b)
	return p, wrap("prune", 0, err)
}

func (us *Users) prune(ctx context.Context, b Budget) (Pruned, error) {
	p, err := us.pruneRows(ctx, b)
	if p.Total() == 0 {
		return p, err
	}
	e := Event{Kind: EventPruned, Details: details(
		"activations", p.Activations, "undos", p.Undos, "emails", p.Emails, "users", p.Users, "names", p.Names, "mails", p.Mails,
		"limits", p.Limits, "sessions", p.Sessions, "grants", p.Grants, "events", p.Events)}
	failed := us.store.Atomic(ctx, func(ctx context.Context) error { return us.emit(ctx, e) })
	return p, cmp.Or(err, failed)
}

func (us *Users) pruneRows(ctx context.Context, b Budget) (p Pruned, err error) {
	if err := us.ask(ctx, "Prune"); err != nil {
		return p, err
	}
	rows := b.Rows
	if rows == 0 {
		rows = defaultPruneRows
	}
	if rows < 0 {
		return p, invalid(FieldLimit, ReasonNotPositive)
	}
	now := us.now()
	if p.Activations, err = us.store.PruneActivations(ctx, now, rows); err != nil {
		return p, err
	}
	if p.Undos, err = us.store.PruneUndos(ctx, now, rows); err != nil {
		return p, err
	}
	if p.Names, err = us.store.PruneNames(ctx, now, rows); err != nil {
		return p, err
	}
	if p.Mails, err = us.pruneMails(ctx, now, rows); err != nil {
		return p, err
	}
	if p.Limits, err = us.store.PruneLimits(ctx, now, rows); err != nil {
		return p, err
	}
	if p.Sessions, err = us.store.PruneSessions(ctx, now, rows); err != nil {
		return p, err
	}
	if us.opts.GrantKeep >= 0 {
		if p.Grants, err = us.store.PruneGrants(ctx, now.Add(-us.opts.GrantKeep), rows); err != nil {
			return p, err
		}
	}
	if us.opts.EventKeep >= 0 {
		if p.Events, err = us.store.PruneEvents(ctx, now.Add(-us.opts.EventKeep), rows); err != nil {
			return p, err
		}
	}
	if us.opts.PendingTTL < 0 {
		return p, nil
	}
	// No code is sent when PendingTTL is over. Until the last one has expired, all
	// stay, also those who claim the address of another and are sent none: else
	// who sees that one is gone learns whose address it is.
	before := now.Add(-us.opts.PendingTTL - max(us.opts.ActivationTTL, us.opts.ResetTTL))
	if p.Emails, err = us.store.PruneEmails(ctx, before, rows); err != nil {
		return p, err
	}
	var ids []UserID
	err = us.store.Atomic(ctx, func(ctx context.Context) (err error) {
		ids, err = us.store.PruneUsers(ctx, before, FlagPrivileged|FlagNeverClean, rows)
		if err != nil || len(ids) == 0 {
			return err
		}
		return us.purged(ctx, true, ids...)
	})
	if err == nil {
		p.Users = len(ids)
	}
	return p, err
}
