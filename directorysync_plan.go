package roster

import (
	"cmp"
	"context"
	"errors"
	"slices"
)

// PlanSync compares a directory, which has to be a [DirectoryLister], with the
// users who belong to it, and says what there is to do; it does nothing. Who is new
// is created, who has changed is updated, as their next sign-in would do, and who is
// gone or disabled there is disabled. Nobody is enabled by it, and no local user
// touched. The plan is for [Users.ApplySync], now or after somebody has read it.
//
// The plan is good for a day. It reads all of the directory first. It returns an [UnavailableError] if that
// fails, or finds nobody, or somebody without subject: from half a list nothing
// follows. It returns an [InvalidError] of [FieldDirectory] if there is no such
// directory, or it cannot list its people; and the plan beside a [BrakeError] if it
// goes further than the brake, which ApplySync refuses.
func (us *Users) PlanSync(ctx context.Context, directory string, brake Brake) (*Plan, error) {
	err := us.ask(ctx, "PlanSync")
	var p *Plan
	if err == nil {
		p, err = us.planSync(ctx, directory, brake)
	}
	if err == nil {
		err = p.braked()
	}
	return p, wrap("plan sync", 0, err)
}

func (us *Users) planSync(ctx context.Context, directory string, brake Brake) (*Plan, error) {
	d := us.directory(directory)
	lister, ok := d.(DirectoryLister)
	if !ok {
		return nil, invalid(FieldDirectory, ReasonUnknown)
	}
	c := &comparing{
		us: us, d: d, said: map[string]*testimony{}, names: map[string]string{},
		plan: &Plan{Directory: directory, MadeAt: us.now(), Brake: brake},
	}
	var err error
	if c.plan.Purge, err = us.lastPurge(ctx); err != nil { // before anybody is looked for
		return nil, err
	}
	for id, err := range lister.All(ctx) {
		if err == nil {
			err = ctx.Err()
		}
		if err == nil && id == nil {
			err = errors.New("roster: a directory has nothing to say")
		}
		if err == nil {
			err = c.read(id)
		}
		if err != nil {
			return nil, outage(ctx, err)
		}
	}
	if c.plan.Entries == 0 {
		return nil, outage(ctx, errors.New("roster: a directory lists nobody"))
	}
	if c.groups, err = us.allowListOf(ctx, directory); err != nil {
		return nil, err
	}
	if err := c.known(ctx); err != nil {
		return nil, err
	}
	if err := c.unknown(ctx); err != nil {
		return nil, err
	}
	order := []SyncAction{SyncDisable, SyncUpdate, SyncRegroup, SyncCreate, SyncSkip} // a name may have to be given up first
	slices.SortFunc(c.plan.Steps, func(a, b PlanStep) int {
		return cmp.Or(cmp.Compare(slices.Index(order, a.Action), slices.Index(order, b.Action)), cmp.Compare(a.Subject, b.Subject))
	})
	return c.plan, nil
}

// comparing is the making of a plan.
type comparing struct {
	us    *Users
	d     Directory
	plan  *Plan
	said  map[string]*testimony // by subject, those that have not been found here
	names map[string]string     // the subject of each name key

	groups *allowList
}

// read takes in one entry.
func (c *comparing) read(id *Identity) error {
	said, err := hearDirectory(c.d, id)
	if err != nil {
		return err
	}
	c.plan.Entries++
	if c.said[said.Subject] != nil {
		return errors.New("roster: a directory lists a subject twice")
	}
	c.said[said.Subject] = said
	return nil
}

// syncPage is how many rows are looked at at once.
const syncPage = 500

// known compares those who have an identity of the directory.
func (c *comparing) known(ctx context.Context) error {
	for after := ""; ; {
		page, err := c.us.store.IdentitiesAfter(ctx, c.plan.Directory, after, syncPage)
		if err != nil || len(page) == 0 {
			return err
		}
		after = page[len(page)-1].Subject
		ids := make([]UserID, len(page))
		var keys []string
		for n, i := range page {
			ids[n] = i.UserID
			if said := c.said[i.Subject]; said != nil {
				keys = append(append(keys, said.keys...), i.Emails...)
			}
		}
		models, err := c.us.store.UsersByID(ctx, ids...)
		if err != nil {
			return err
		}
		users := make(map[UserID]*User, len(models))
		for _, m := range models {
			users[m.RosterUser().ID] = m.RosterUser()
		}
		owners, err := c.us.ownersOf(ctx, keys)
		if err != nil {
			return err
		}
		in := map[UserID][]*Membership{}
		if c.groups != nil {
			all, err := c.us.store.MembershipsOf(ctx, ids...)
			if err != nil {
				return err
			}
			for _, m := range all {
				in[m.UserID] = append(in[m.UserID], m)
			}
		}
		for _, i := range page {
			if u := users[i.UserID]; u != nil {
				c.one(u, i, owners, in[u.ID])
			}
			delete(c.said, i.Subject)
		}
	}
}

// one compares one user.
func (c *comparing) one(u *User, i *UserIdentity, owners map[string]*UserEmail, in []*Membership) {
	if u.IsDeleted() || u.DirectoryID != c.plan.Directory {
		return
	}
	said := c.said[i.Subject]
	step := PlanStep{User: u.ID, Version: u.Version, Subject: i.Subject}
	if said != nil {
		step.Identity = &said.Identity
	}
	gone := said == nil || said.Disabled
	switch {
	case !u.Enabled && gone:
		return
	case !u.Enabled:
		step.Action, step.Reasons = SyncSkip, []string{"disabled_here"}
	case gone:
		step.Action, step.Reasons = SyncDisable, []string{"gone"}
		if said != nil {
			step.Reasons = []string{"disabled"}
		}
	default:
		step.Action, step.Reasons = SyncUpdate, c.us.driftOf(u, i, owners, said)
		step.Loses = c.us.lossesOf(u, i, owners, said)
		if r := c.groups.regroupOf(in, said); !r.empty() {
			if len(step.Reasons) == 0 {
				step.Action = SyncRegroup
			}
			step.Reasons = append(step.Reasons, "groups")
			step.Join, step.Leave = namesOf(r.join), namesOf(r.leave)
		}
	}
	if u.Enabled {
		c.plan.Users++
	}
	if len(step.Reasons) > 0 {
		c.plan.Steps = append(c.plan.Steps, step)
	}
}

// unknown plans for those who are new.
func (c *comparing) unknown(ctx context.Context) error {
	subjects := make([]string, 0, len(c.said))
	for subject, said := range c.said {
		if !said.Disabled {
			subjects = append(subjects, subject)
		}
	}
	slices.Sort(subjects)
	for page := range slices.Chunk(subjects, syncPage) {
		keys := make(map[string]string, len(page)) // by subject
		var asked []string
		for _, subject := range page {
			u := User{Name: c.said[subject].Name}
			if u.Name != "" && c.us.checkName(&u, new(User)) == nil && !c.us.reserved(u.NameKey) {
				keys[subject] = u.NameKey
				asked = append(asked, u.NameKey)
			}
		}
		owners, err := c.us.store.NameOwners(ctx, asked...)
		if err != nil {
			return err
		}
		ids := make([]UserID, 0, len(owners))
		for _, id := range owners {
			ids = append(ids, id)
		}
		models, err := c.us.store.UsersByID(ctx, ids...)
		if err != nil {
			return err
		}
		awaited := make(map[string]bool, len(models))
		for _, m := range models {
			u := m.RosterUser()
			awaited[u.NameKey] = u.DirectoryID == c.plan.Directory && !u.IsDeleted()
		}
		for _, subject := range page {
			said, key := c.said[subject], keys[subject]
			step := PlanStep{
				Action: SyncCreate, Subject: subject, Identity: &said.Identity, Reasons: []string{"new"},
				Join: namesOf(c.groups.regroupOf(nil, said).join),
			}
			other, twice := c.names[key]
			switch {
			case key == "":
				step.Action, step.Reasons = SyncSkip, []string{"name_not_allowed"}
			case twice && other != subject:
				step.Action, step.Reasons = SyncSkip, []string{"twice"}
			case owners[key] != 0 && !awaited[key]:
				step.Action, step.Reasons = SyncSkip, []string{"name_taken"}
			}
			c.names[key] = subject
			c.plan.Steps = append(c.plan.Steps, step)
		}
	}
	return nil
}

// lossesOf says what somebody would lose who is made what the directory says.
func (us *Users) lossesOf(u *User, i *UserIdentity, owners map[string]*UserEmail, said *testimony) (losses []string) {
	if us.namedOtherwise(u, said) {
		if key, err := NameKey(said.Name); err != nil || key != u.NameKey {
			losses = append(losses, FieldName)
		}
	}
	gone := func(key string) bool {
		e := owners[key]
		return e != nil && e.UserID == u.ID && !slices.Contains(said.keys, key)
	}
	if said.EmailsVerified && slices.ContainsFunc(i.Emails, gone) {
		losses = append(losses, FieldEmail)
	}
	return losses
}
