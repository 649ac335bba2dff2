package difftest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/internal/hosttype"
)

// show writes an answer so that it reads the same for every store.
func (p *player) show(v any) string {
	switch v := v.(type) {
	case nil:
		return "ok"
	case pair:
		if err, failed := v.B.(error); failed {
			if u, isUser := v.A.(*roster.User); isUser { // what a failure did to the argument
				return p.show(err) + fmt.Sprintf(" version %d", u.Version)
			}
			return p.show(err)
		}
		if v.B == nil {
			return p.show(v.A)
		}
		return p.show(v.A) + " " + p.show(v.B)
	case error:
		return "error(" + class(v) + ")"
	case *roster.User:
		return p.showUser(v)
	case *hosttype.Subscriber:
		return p.showUser(&v.User) + " " + showOwn(v)
	case *roster.UserEmail:
		return fmt.Sprintf("email{%s of %s %q %q primary %v %v}", p.emails.name(int64(v.ID)), p.users.name(int64(v.UserID)),
			v.Address, v.AddressKey, v.Primary, moments(v.ActivatedAt, v.ReleasedAt, v.CreatedAt))
	case *roster.Activation:
		return fmt.Sprintf("activation{%q %q of %s %s %v}", v.Hash, v.Purpose, p.users.name(int64(v.UserID)),
			p.emails.name(int64(v.EmailID)), moments(v.CreatedAt, v.ExpiresAt))
	case *roster.QueuedMail:
		return fmt.Sprintf("mail{%s of %s %q %q %q %q %q claim %q tries %d error %q %v}", p.mails.name(int64(v.ID)), p.users.name(int64(v.UserID)),
			v.MessageID, v.Kind, v.To, v.Locale, v.Payload.Reveal(), v.Claim, v.Attempts, v.LastError,
			moments(v.QueuedAt, v.ExpiresAt, v.DueAt, v.SentAt, v.FailedAt))
	case *roster.Session:
		return fmt.Sprintf("session{%q %x of %s by %s %v %q %v}", v.Hash.Reveal(), v.ID[15:], p.users.name(int64(v.UserID)),
			p.users.name(int64(v.ImpersonatorID)), moments(v.AuthChangedAt, v.ImpersonatorChangedAt, v.CreatedAt, v.AuthenticatedAt,
				v.LastSeenAt, v.ExpiresAt), v.UserAgent, v.TLS)
	case []*roster.Session:
		return showAll(v, func(s *roster.Session) string { return p.show(s) })
	case *roster.Credential:
		if v == nil {
			return "no credential"
		}
		return fmt.Sprintf("credential{%s %d %q must change %v %v}", p.users.name(int64(v.UserID)), v.ScopeID, v.Hash.Reveal(),
			v.MustChange, moments(v.CreatedAt, v.ExpiresAt))
	case *roster.Undo:
		return fmt.Sprintf("undo{%q of %s %q %q rank %d %v}", v.Hash, p.users.name(int64(v.UserID)), v.Address, v.AddressKey,
			v.Rank, moments(v.CreatedAt, v.ExpiresAt))
	case *roster.UserIdentity:
		return fmt.Sprintf("identity{%q %q of %s %q %v %v}", v.Provider, v.Subject, p.users.name(int64(v.UserID)), v.Emails, showBag(v.Data),
			moments(v.CreatedAt, v.UpdatedAt))
	case []*roster.UserIdentity:
		return showAll(v, func(i *roster.UserIdentity) string { return p.show(i) })
	case *roster.Event:
		return fmt.Sprintf("event{%q %s %s %s of %d in %d %q %v %v %d times}", v.Kind, p.users.name(int64(v.Actor)), p.users.name(int64(v.RealActor)),
			p.users.name(int64(v.User)), v.Group, v.Scope, v.Addr, showBag(v.Details), moments(v.At, v.LastAt), v.Count)
	case []*roster.Event:
		return showAll(v, func(e *roster.Event) string { return p.show(e) })
	case []roster.LimitCount:
		return showAll(v, func(c roster.LimitCount) string {
			return fmt.Sprintf("%q %d %v", c.Key, c.N, moments(c.LastAt, c.ExpiresAt))
		})
	case *roster.Group:
		return p.showGroup(v)
	case *hosttype.Team:
		return p.showGroup(&v.Group) + " " + showTeam(v)
	case *roster.Grant:
		return p.showGrant(v)
	case *roster.Membership:
		return fmt.Sprintf("member{%s of %s %q %v}", p.users.name(int64(v.UserID)), p.groups.name(int64(v.GroupID)), v.Rights, moments(v.CreatedAt))
	case []roster.GroupModel:
		return showAll(v, func(m roster.GroupModel) string { return p.show(m) })
	case []*roster.Grant:
		return showAll(v, p.showGrant)
	case []*roster.Membership:
		return showAll(v, func(m *roster.Membership) string { return p.show(m) })
	case []roster.Held:
		return showAll(v, p.showHeld)
	case roster.UserID:
		return p.users.name(int64(v))
	case map[string]roster.UserID:
		return showAll(slices.Sorted(maps.Keys(v)), func(key string) string { return fmt.Sprintf("%q of %s", key, p.show(v[key])) })
	case []roster.UserID:
		return showAll(v, func(id roster.UserID) string { return p.show(id) })
	case []roster.Model:
		return showAll(v, func(m roster.Model) string { return p.show(m) })
	case []*roster.UserEmail:
		return showAll(v, func(e *roster.UserEmail) string { return p.show(e) })
	case []*roster.QueuedMail:
		return showAll(v, func(m *roster.QueuedMail) string { return p.show(m) })
	case []*roster.Credential:
		return showAll(v, func(c *roster.Credential) string { return p.show(c) })
	case []*roster.Undo:
		return showAll(v, func(u *roster.Undo) string { return p.show(u) })
	case []roster.StoredUser:
		return showAll(v, func(u roster.StoredUser) string { return fmt.Sprintf("%s %q", p.show(u.User), u.Search) })
	default:
		return fmt.Sprint(v)
	}
}

func showAll[T any](list []T, show func(T) string) string {
	var b strings.Builder
	for _, v := range list {
		b.WriteString("\n\t\t" + show(v))
	}
	return fmt.Sprint(len(list), b.String())
}

func (p *player) showUser(u *roster.User) string {
	return fmt.Sprintf("user{%s %x %q %q auto %v %q %q %q dir %q %q on %v flags %d %v ip %q %v v%d}", p.users.name(int64(u.ID)), u.UUID[14:],
		u.Name, u.NameKey, u.NameAuto, u.RealName, u.Locale, u.Timezone, u.DirectoryDN, u.DirectoryID, u.Enabled, u.Flags,
		moments(u.ActivatedAt, u.DeletedAt, u.LastLoginAt, u.PasswordChangedAt, u.AuthChangedAt, u.CreatedAt, u.UpdatedAt),
		u.LastLoginIP, showBag(u.Data), u.Version)
}

// showBag lists the values by key.
func showBag(d roster.Data) []string {
	var bag []string
	for key, raw := range d {
		bag = append(bag, fmt.Sprintf("%q:%s", key, raw))
	}
	slices.Sort(bag)
	return bag
}

// moments are times as microseconds after the start, and what is not UTC.
func moments(times ...time.Time) string {
	var b strings.Builder
	for _, t := range times {
		switch {
		case t.IsZero():
			b.WriteString(" never")
		case t.Location() != time.UTC:
			b.WriteString(" " + t.String())
		default:
			fmt.Fprintf(&b, " %v", t.Sub(start).Nanoseconds())
		}
	}
	return b.String()[1:]
}

// class is what of an error the contract speaks of.
func class(err error) string {
	var names []string
	for _, c := range []struct {
		name string
		err  error
	}{
		{"not found", roster.ErrNotFound},
		{"stale", roster.ErrStale},
		{"aborted", roster.ErrTxAborted},
		{"done", roster.ErrTxDone},
		{"unavailable", roster.ErrUnavailable},
		{"canceled", context.Canceled},
		{"end", errEnd},
		{"unknown", roster.ErrOutcomeUnknown},
	} {
		if errors.Is(err, c.err) {
			names = append(names, c.name)
		}
	}
	var conflict *roster.ConflictError
	if errors.As(err, &conflict) {
		names = append(names, "conflict of "+conflict.Field)
	}
	if names == nil {
		return err.Error()
	}
	return strings.Join(names, ", ")
}
