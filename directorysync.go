package roster

import (
	"fmt"
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

	// Loses is what else the user would lose, for the [Brake]: FieldName, FieldEmail. Of who
	// is disabled nothing is listed.
	Loses []string `json:",omitempty"`

	// Reasons are the fields that differ, or why: "groups", "new", "gone", "disabled",
	// "disabled_here", "name_taken", "name_not_allowed", "twice".
	Reasons []string

	// Why tells in [SyncReport].Stale why nothing was done: "changed" (the user, or what
	// the directory has given), "gone", "deleted", "purged", "taken" (the name or the
	// entry), "last_admin".
	Why string `json:",omitempty"`
}

// Plan is what [Users.PlanSync] would do. It can be printed, and kept as JSON until
// somebody has looked at it, for a day at most. It holds names and addresses.
type Plan struct {
	Directory string
	MadeAt    time.Time
	Entries   int     // that the directory has
	Users     int     // who belong to it here, and are not disabled or deleted
	Brake     Brake   // what it was made with
	Purge     EventID `json:",omitempty"` // the last one that had happened
	Steps     []PlanStep
}

// maxPlanAge is how long a plan may be applied: a directory that has changed since is
// not asked again.
const maxPlanAge = 24 * time.Hour

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
		if len(s.Loses) > 0 {
			b.WriteString("; loses " + strings.Join(s.Loses, ", "))
		}
		b.WriteByte('\n')
	}
	return b.String()
}
