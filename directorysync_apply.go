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

	// Stale are the steps of users who have changed since the plan was made, or whose
	// name or entry somebody else has by now, or who is the last administrator.
	// Nothing was done: make a new plan.
	Stale []PlanStep
}

// ApplySync does what a [Plan] says, a transaction for each step, so that what was
// done stays done when it is interrupted; applied again it does the rest. A user who
// was changed since, by anybody, is left alone and reported. What is done is
// done by the verbs' own rules: to disable somebody ends the sessions, a new name
// is only given if it is free.
//
// It returns what it has done, also beside an error; a [BrakeError] if the plan goes
// further than its [Brake]; and an [InvalidError] of [FieldDirectory] if there is no
// such directory any more.
func (us *Users) ApplySync(ctx context.Context, p *Plan) (SyncReport, error) {
	var r SyncReport
	err := us.ask(ctx, "ApplySync")
	if err == nil && us.directory(p.Directory) == nil {
		err = invalid(FieldDirectory, ReasonUnknown)
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

// errStale is a step that is not to be done any more; errDone one that was done.
var (
	errStaleStep = errors.New("roster: stale step")
	errStepDone  = errors.New("roster: step done before")
)

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
	case errors.Is(err, errStaleStep), errors.Is(err, ErrNotFound), errors.Is(err, ErrConflict),
		errors.Is(err, ErrCredentials), errors.Is(err, ErrLastAdmin):
		r.Stale = append(r.Stale, step)
	default:
		return err
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
	switch _, _, err := us.store.IdentityBySubject(ctx, said.Provider, said.Subject); {
	case err == nil:
		return errStepDone
	case !errors.Is(err, ErrNotFound):
		return err
	}
	_, err = us.entered(ctx, said)
	return err
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
