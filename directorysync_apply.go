package roster

import (
	"cmp"
	"context"
	"errors"
)

// SyncReport is what [Users.ApplySync] has done.
type SyncReport struct {
	Created, Updated, Regrouped, Disabled int

	Unchanged int // steps that were done before
	Skipped   int // steps that say so

	// Stale are the steps that are not to be done any more, each with its Why: of users
	// who have changed since the plan was made, or whose name or entry somebody else has by
	// now, or who is the last administrator; and who is new, if somebody was purged
	// meanwhile, since it may be who was. Nothing was done about these: make a new plan.
	Stale []PlanStep
}

// ApplySync does what a [Plan] says, a transaction for each step, so that what was
// done stays done when it is interrupted; applied again it does the rest. A user who
// was changed since, by anybody, is left alone and reported, and so is who was given
// or taken a group or an address by the directory since. What is done is
// done by the verbs' own rules: to disable somebody ends the sessions, a new name
// is only given if it is free.
//
// It returns what it has done, also beside an error; a [BrakeError] if the plan goes
// further than its [Brake]; ErrStale if it is older than a day, or from the
// future; and an [InvalidError] of [FieldDirectory] if there is no such directory any
// more.
func (us *Users) ApplySync(ctx context.Context, p *Plan) (SyncReport, error) {
	var r SyncReport
	err := us.ask(ctx, "ApplySync")
	if err == nil && us.directory(p.Directory) == nil {
		err = invalid(FieldDirectory, ReasonUnknown)
	}
	if age := us.now().Sub(p.MadeAt); err == nil && (age > maxPlanAge || age < -clockSlack) {
		err = ErrStale
	}
	if err == nil {
		err = p.braked()
	}
	if err != nil {
		return r, wrap("apply sync", 0, err)
	}
	var id UserID
	for _, step := range p.Steps {
		if err = us.applyStep(ctx, p, step, &r); err != nil {
			id = step.User
			break
		}
	}
	if done := r.Created + r.Updated + r.Regrouped + r.Disabled; done > 0 && ctx.Err() == nil {
		failed := us.store.Atomic(ctx, func(ctx context.Context) error {
			return us.emit(ctx, Event{Kind: EventDirectorySynced, Details: details(detailProvider, p.Directory, "created", r.Created,
				"updated", r.Updated, "regrouped", r.Regrouped, "disabled", r.Disabled, "stale", len(r.Stale))})
		})
		err = cmp.Or(err, failed)
	}
	return r, wrap("apply sync", id, err)
}

// staleStepError is a step that is not to be done any more, and why; errStepDone one that
// was done.
type staleStepError string

func (why staleStepError) Error() string { return "roster: stale step: " + string(why) }

const (
	errStaleStep   = staleStepError("changed")
	errDeletedStep = staleStepError("deleted")
	errPurgedStep  = staleStepError("purged")
)

var errStepDone = errors.New("roster: step done before")

// whyStale says why a step was not done. It is empty for an outage.
func whyStale(err error) string {
	var why staleStepError
	switch {
	case errors.As(err, &why):
		return string(why)
	case errors.Is(err, ErrNotFound):
		return "gone"
	case errors.Is(err, ErrLastAdmin):
		return "last_admin"
	case errors.Is(err, ErrConflict), errors.Is(err, ErrCredentials):
		return "taken"
	}
	return ""
}

func (us *Users) applyStep(ctx context.Context, p *Plan, step PlanStep, r *SyncReport) error {
	var count *int
	var err error
	switch step.Action {
	case SyncSkip:
		r.Skipped++
		return nil
	case SyncCreate:
		count, err = &r.Created, us.applyCreate(ctx, p, step)
	case SyncUpdate:
		count, err = &r.Updated, us.applyUpdate(ctx, p, step)
	case SyncRegroup:
		count, err = &r.Regrouped, us.applyUpdate(ctx, p, step)
	case SyncDisable:
		count, err = &r.Disabled, us.applyDisable(ctx, p, step)
	default:
		return invalid(FieldState, ReasonUnknown)
	}
	switch {
	case err == nil:
		*count++
	case errors.Is(err, errStepDone):
		r.Unchanged++
	default:
		if step.Why = whyStale(err); step.Why == "" {
			return err
		}
		r.Stale = append(r.Stale, step)
	}
	return nil
}

// heard is what the directory has said in a step.
func (us *Users) heard(p *Plan, step PlanStep) (*testimony, error) {
	if step.Identity == nil {
		return nil, errStaleStep
	}
	said, err := hearDirectory(us.directory(p.Directory), step.Identity)
	if err == nil && said.Subject != step.Subject {
		err = invalid(FieldSubject, ReasonUnknown)
	}
	return said, err
}

func (us *Users) applyCreate(ctx context.Context, p *Plan, step PlanStep) error {
	said, err := us.heard(p, step)
	if err != nil {
		return err
	}
	switch _, m, err := us.store.IdentityBySubject(ctx, said.Provider, said.Subject); {
	case err == nil && m.RosterUser().IsDeleted():
		return errDeletedStep
	case err == nil:
		return errStepDone
	case !errors.Is(err, ErrNotFound):
		return err
	}
	if err := us.nameDeletedSince(ctx, p, said.Name); err != nil {
		return err
	}
	_, err = us.entered(ctx, said, func(ctx context.Context) error { return us.purgedSince(ctx, p) })
	return err
}

// nameDeletedSince is an error if somebody who had the name was deleted since the plan
// was made.
func (us *Users) nameDeletedSince(ctx context.Context, p *Plan, name string) error {
	key, err := NameKey(name)
	if err != nil {
		return nil
	}
	owners, err := us.store.NameOwners(ctx, key)
	if err != nil || owners[key] == 0 {
		return err
	}
	m, err := us.store.UserByID(ctx, owners[key])
	if err == nil && m.RosterUser().DeletedAt.After(p.MadeAt.Add(-clockSlack)) {
		return errDeletedStep
	}
	return ignore(err, ErrNotFound)
}

// purgedSince is an error if anybody was purged since the plan was made: nothing is left
// that says who it was. It is asked when the row of an identity has been written, so
// that whoever had it before has been seen. Accounts that nobody has ever activated
// do not count.
func (us *Users) purgedSince(ctx context.Context, p *Plan) error {
	f := EventFilter{Kind: EventUserPurged, Since: p.MadeAt.Add(-clockSlack), Limit: maxLimit}
	for {
		page, err := us.store.EventPage(ctx, f)
		if err != nil {
			return err
		}
		for _, e := range page {
			if e.ID > p.Purge && e.Details[detailPruned] == nil {
				return errPurgedStep
			}
		}
		if len(page) < f.Limit {
			return nil
		}
		f.AfterAt, f.AfterID = page[len(page)-1].At, page[len(page)-1].ID
	}
}

// lastPurge is the last event of somebody who was purged, zero if there is none.
func (us *Users) lastPurge(ctx context.Context) (id EventID, err error) {
	page, err := us.store.EventPage(ctx, EventFilter{Kind: EventUserPurged, Limit: 1})
	for _, e := range page {
		id = e.ID
	}
	return id, err
}

func (us *Users) applyUpdate(ctx context.Context, p *Plan, step PlanStep) error {
	said, err := us.heard(p, step)
	if err != nil {
		return err
	}
	return us.store.Atomic(ctx, func(ctx context.Context) error {
		m, i, err := us.lockIdentity(ctx, said)
		if err != nil || m == nil {
			return orStale(err)
		}
		u := m.RosterUser()
		if u.ID != step.User || u.IsDeleted() || !u.Enabled || u.DirectoryID != p.Directory {
			return errStaleStep
		}
		owners, err := us.ownersOf(ctx, said.keys, i.Emails)
		if err != nil {
			return err
		}
		groups, err := us.regroupNow(ctx, u.ID, said)
		if err != nil {
			return err
		}
		switch {
		case len(us.driftOf(u, i, owners, said)) == 0 && groups.empty():
			return errStepDone
		case u.Version != step.Version:
			return errStaleStep
		}
		return us.follow(ctx, m, i, said, true)
	})
}

func (us *Users) applyDisable(ctx context.Context, p *Plan, step PlanStep) error {
	return us.live(ctx, unasked, step.User, func(ctx context.Context, m Model) error {
		u := m.RosterUser()
		switch mine, err := us.ownIdentity(ctx, u.ID, p.Directory, step.Subject); {
		case err != nil:
			return err
		case !mine || u.DirectoryID != p.Directory:
			return errStaleStep
		case !u.Enabled:
			return errStepDone
		case u.Version != step.Version:
			return errStaleStep
		}
		if err := us.keepAdmin(ctx, u); err != nil {
			return err
		}
		u.Enabled = false
		if err := us.touched(ctx, m, us.now()); err != nil {
			return err
		}
		return us.emit(ctx, Event{Kind: EventUserDisabled, User: u.ID, Details: details(detailProvider, p.Directory)})
	})
}

func orStale(err error) error {
	if err == nil {
		err = errStaleStep
	}
	return err
}
