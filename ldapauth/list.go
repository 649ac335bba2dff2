package ldapauth

import (
	"context"
	"iter"

	"github.com/go-ldap/ldap/v3"

	"github.com/go-roster/roster"
)

// maxPages ends what would go on for ever: pages may be empty.
const maxPages = 1 << 20

// All implements [roster.DirectoryLister]: everybody whom Schema.Everybody finds, with
// their groups, in no order. Only if no error comes is it everybody: a lost connection, a limit
// of the server (which sends what is within it, and says so), a
// reference to another server, an entry without an ID, two with the same one, and nobody at all
// are errors. Somebody without a name that can be used comes with none.
//
// It holds a page in memory at a time. Each caller takes a connection until the end.
func (d *Directory) All(ctx context.Context) iter.Seq2[*roster.Identity, error] {
	return func(yield func(*roster.Identity, error) bool) {
		stopped := false
		err := d.all(ctx, func(id *roster.Identity) bool {
			stopped = !yield(id, nil)
			return !stopped
		})
		if err != nil && !stopped {
			d.report(ctx, err)
			yield(nil, err)
		}
	}
}

func (d *Directory) all(ctx context.Context, yield func(*roster.Identity) bool) error {
	waiting, cancel := context.WithTimeout(ctx, d.opts.Timeout+d.opts.DialTimeout)
	c, e, err := d.service.take(waiting, true)
	cancel()
	if e != nil {
		return unavailable(ctx, e)
	}
	if err != nil {
		return err
	}
	defer d.service.give(c)
	known := map[string]bool{}
	seen := parents{}
	var page []*ldap.Entry
	flush := func() *Error { // between pages, since a connection does one thing at a time
		for _, entry := range page {
			id, e := d.identity(entry)
			if e != nil && e.Reason != ReasonNoName {
				return e
			}
			if known[id.Subject] {
				return &Error{Stage: StageEntry, Reason: ReasonDuplicate}
			}
			known[id.Subject] = true
			if id.Groups, e = d.groups(ctx, c, entry, id.Name, seen); e != nil {
				return e
			}
			if !yield(id) {
				return errStop
			}
		}
		page = nil
		return nil
	}
	e = d.paged(ctx, c, &ldap.SearchRequest{
		BaseDN:       d.opts.Base,
		Scope:        ldap.ScopeWholeSubtree,
		DerefAliases: ldap.NeverDerefAliases,
		TimeLimit:    d.timeLimit(),
		Filter:       d.opts.Schema.Everybody,
		Attributes:   d.opts.attributes(),
		Controls:     d.opts.Schema.controls(),
	}, func(found *ldap.Entry) *Error {
		page = append(page, found)
		return nil
	}, flush)
	switch {
	case e == errStop:
		c.dead = true // the server keeps a place in the list
		return nil
	case e != nil:
		c.dead = true
		return unavailable(ctx, e)
	case len(known) == 0:
		return unavailable(ctx, &Error{Stage: StageSearch, Reason: ReasonEmpty})
	}
	return nil
}

// errStop says that the caller has had enough.
var errStop = &Error{Reason: "stop"}

// pages makes a search that may have any number of entries.
func (d *Directory) pages(ctx context.Context, c *conn, r *ldap.SearchRequest, each func(*ldap.Entry) *Error) *Error {
	return d.paged(ctx, c, r, each, func() *Error { return nil })
}

// paged is pages, and calls after each page (RFC 2696). A reference to another server is an error: what is
// there is missing. A server that knows no pages sends everything at once, if
// its limits allow.
func (d *Directory) paged(ctx context.Context, c *conn, r *ldap.SearchRequest, each func(*ldap.Entry) *Error, after func() *Error) *Error {
	paging := ldap.NewControlPaging(uint32(d.opts.PageSize))
	r.Controls = append(r.Controls, paging)
	for range maxPages {
		var result *ldap.SearchResult
		e := c.do(ctx, StageSearch, toSearch, d.pageBudget(), func(l *ldap.Conn) (err error) {
			result, err = l.Search(r)
			return err
		})
		if e != nil {
			return e
		}
		if len(result.Referrals) > 0 {
			return &Error{Stage: StageSearch, Reason: ReasonReferral}
		}
		for _, entry := range result.Entries {
			if e := each(entry); e != nil {
				return e
			}
		}
		if e := after(); e != nil {
			return e
		}
		answer, ok := ldap.FindControl(result.Controls, ldap.ControlTypePaging).(*ldap.ControlPaging)
		if !ok || len(answer.Cookie) == 0 {
			return nil
		}
		paging.SetCookie(answer.Cookie)
	}
	return &Error{Stage: StageSearch, Reason: ReasonIncomplete}
}

// pageBudget is how many bytes a page may have.
func (d *Directory) pageBudget() int64 { return d.budget() + int64(d.opts.PageSize)*(64<<10) }
