package roster

import (
	"cmp"
	"fmt"
	"strings"
	"time"
)

// String says it in a sentence, by IDs, for a log or an administrator:
//
//	user 3 may not vote in scope 7: the user is disabled; grant 5 of vote in
//	scope 7 ended at 2026-03-01 12:00:00 UTC; what is missing is a grant of vote
//	to user 3 in scope 7
func (e *Explanation) String() string {
	parts := make([]string, 0, 4)
	if !e.CanLogin {
		parts = append(parts, "the user is "+cmp.Or(strings.Join(e.Bars, " and "), "one who cannot sign in"))
	}
	for i := range e.By {
		s := e.By[i].String()
		if until := e.By[i].Until; !until.IsZero() {
			s += " until " + until.Format(explainedTime)
		}
		if !e.CanLogin {
			s += " waits for that to change"
		}
		parts = append(parts, s)
	}
	for i := range e.Otherwise {
		parts = append(parts, e.Otherwise[i].String()+" "+e.idle(&e.Otherwise[i].Held))
	}
	if m := e.Missing; m != nil {
		parts = append(parts, fmt.Sprintf("what is missing is a grant of %s to %s %s", m.Permission, m.Subject, inScope(m.ScopeID)))
	}
	may := "may"
	if !e.Allowed {
		may = "may not"
	}
	return fmt.Sprintf("user %d %s %s %s: %s", e.User, may, e.Permission, inScope(e.Scope), strings.Join(parts, "; "))
}

// idle says why a grant does not count.
func (e *Explanation) idle(h *Held) string {
	switch {
	case h.isOver(e.At):
		return "ended at " + h.Until.Format(explainedTime)
	case h.From.After(e.At):
		return "begins at " + h.From.Format(explainedTime)
	case h.ScopeID == 0:
		return "does not count: the question is what is held in the scope itself"
	default:
		return "does not count: the question is what is held globally"
	}
}

func (r *Reach) String() string {
	what := string(r.Permission)
	if r.Permission == permAll {
		what = "everything"
	}
	s := fmt.Sprintf("grant %d of %s %s", r.GrantID, what, inScope(r.ScopeID))
	if r.GroupID != 0 {
		s += fmt.Sprintf(" through group %d", r.GroupID)
	}
	return s
}

// inScope is a scope in a sentence.
func inScope(id ScopeID) string {
	if id == 0 {
		return "in scope 0 (global)"
	}
	return fmt.Sprintf("in scope %d", id)
}

const explainedTime = time.DateTime + " MST"
