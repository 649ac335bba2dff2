package roster

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// SyncAction is what a [PlanStep] does.
type SyncAction string

// The actions.
const (
	SyncCreate  SyncAction = "create"  // somebody new, as at the first sign-in
	SyncUpdate  SyncAction = "update"  // what the directory says has changed
	SyncRegroup SyncAction = "regroup" // nothing has changed but the groups
	SyncDisable SyncAction = "disable" // who is gone there, or disabled
	SyncSkip    SyncAction = "skip"    // nothing: an administrator has to look at it
)

// PlanStep is what is to be done about one person.
type PlanStep struct {
	Action   SyncAction
	User     UserID    `json:",omitempty"` // zero for somebody new
	Version  int64     `json:",omitempty"` // of the user, when the plan was made
	Subject  string    // who it is in the directory
	Identity *Identity `json:",omitempty"` // what the directory says; nil for who is gone

	// Join and Leave are the groups here that the user is put into, and taken out
	// of, by name.
	Join  []string `json:",omitempty"`
	Leave []string `json:",omitempty"`

	// Reasons are the fields that differ, or why: "groups", "new", "gone", "disabled",
	// "disabled_here", "name_taken", "name_not_allowed", "unreadable", "twice".
	Reasons []string
}

// Plan is what [Users.PlanSync] would do. It can be printed, and kept as JSON until
// somebody has looked at it. It holds names and addresses.
type Plan struct {
	Directory string
	MadeAt    time.Time
	Entries   int   // that the directory has
	Users     int   // who belong to it here, and are not disabled or deleted
	Brake     Brake // what it was made with
	Steps     []PlanStep
}

// Brake bounds how many users a plan may disable, lest a wrong filter or a moved
// subtree disable everybody. The zero Brake lets 10 go, or a twentieth of all,
// whichever is more.
type Brake struct {
	Users   int // at most so many, or
	Percent int // so many of a hundred who belong to the directory; 100 is all
}

// The zero Brake.
const (
	defaultBrakeUsers   = 10
	defaultBrakePercent = 5
)

// allows reports whether n of all users may be disabled. All of them may not, but
// by a Percent of 100.
func (b Brake) allows(n, all int) bool {
	if b == (Brake{}) {
		b = Brake{defaultBrakeUsers, defaultBrakePercent}
	}
	if n == 0 || b.Percent >= 100 {
		return true
	}
	return n < all && (n <= b.Users || n*100 <= b.Percent*all)
}

// BrakeError says that a plan would disable more users than its [Brake] lets it.
type BrakeError struct {
	Disable int // so many
	Users   int // of these
}

func (e *BrakeError) Error() string {
	return fmt.Sprintf("roster: the plan would disable %d of %d users", e.Disable, e.Users)
}

// Is makes a BrakeError an [ErrForbidden].
func (e *BrakeError) Is(target error) bool { return target == ErrForbidden }

// Count returns how many steps do that.
func (p *Plan) Count(a SyncAction) int {
	n := 0
	for _, s := range p.Steps {
		if s.Action == a {
			n++
		}
	}
	return n
}

// braked is a BrakeError if the plan goes too far.
func (p *Plan) braked() error {
	if n := p.Count(SyncDisable); !p.Brake.allows(n, p.Users) {
		return &BrakeError{n, p.Users}
	}
	return nil
}

// String is the plan for people to read, a step a line. It shows names, quoted if
// they are odd, and no addresses.
func (p *Plan) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %d entries, %d users; create %d, update %d, regroup %d, disable %d, skip %d\n", p.Directory, p.Entries, p.Users,
		p.Count(SyncCreate), p.Count(SyncUpdate), p.Count(SyncRegroup), p.Count(SyncDisable), p.Count(SyncSkip))
	for _, s := range p.Steps {
		fmt.Fprintf(&b, "%s", s.Action)
		if s.User != 0 {
			fmt.Fprintf(&b, " user %d", s.User)
		}
		if s.Identity != nil {
			fmt.Fprintf(&b, " %+q", s.Identity.Name)
		}
		fmt.Fprintf(&b, " (%+q): %s", s.Subject, strings.Join(s.Reasons, ", "))
		for _, g := range s.Join {
			fmt.Fprintf(&b, " +%+q", g)
		}
		for _, g := range s.Leave {
			fmt.Fprintf(&b, " -%+q", g)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// PlanSync compares a directory, which has to be a [DirectoryLister], with the
// users who belong to it, and says what there is to do; it does nothing. Who is new
// is created, who has changed is updated, as their next sign-in would do, and who is
// gone or disabled there is disabled. Nobody is enabled by it, and no local user
// touched. The plan is for [Users.ApplySync], now or after somebody has read it.
//
// It reads all of the directory first. It returns an [UnavailableError] if that
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
	var err error
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
