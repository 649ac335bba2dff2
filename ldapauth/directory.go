package ldapauth

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/go-ldap/ldap/v3"

	"github.com/go-roster/roster"
)

// Directory signs people in against a directory. [New] makes one. It is safe
// for concurrent use.
type Directory struct {
	opts    Options
	service *pool
	people  *pool
}

var (
	_ roster.Directory                = (*Directory)(nil)
	_ roster.DirectoryLister          = (*Directory)(nil)
	_ roster.DirectoryPasswordChanger = (*Directory)(nil)
	_ roster.DirectoryGroups          = (*Directory)(nil)
	_ roster.DirectoryFinder          = (*Directory)(nil)
)

// ID implements [roster.Directory].
func (d *Directory) ID() string { return d.opts.ID }

// Close ends the connections that are idle, and each other one when it is done with.
// What is asked afterwards fails.
func (d *Directory) Close() error {
	d.service.close()
	d.people.close()
	return nil
}

// The longest of what is typed that is sent on, in bytes.
const (
	maxLogin    = 1024
	maxPassword = 4096
)

// Authenticate implements [roster.Directory]. It answers [roster.ErrUnknownUser] if
// nobody has the name; [roster.ErrCredentials], with the [Error] to be found in
// it, if the password is wrong, or right for somebody who is locked, or if several
// have the name. A [roster.UnavailableError] is an outage, or a service account, a
// base, a filter or a certificate that is wrong. An empty password is
// refused without asking anybody.
//
// The password is sent as it was typed. It answers to User.check_password and
// LDAP.auth of pbs.
func (d *Directory) Authenticate(ctx context.Context, name, password string) (*roster.Identity, error) {
	if !sendable(password) {
		return nil, roster.ErrCredentials
	}
	if name == "" || len(name) > maxLogin || !utf8.ValidString(name) || strings.ContainsFunc(name, control) {
		return nil, roster.ErrUnknownUser
	}
	id, err := d.authenticate(ctx, name, password)
	if err != nil {
		d.report(ctx, err)
		return nil, err
	}
	return id, nil
}

// sendable reports whether a password can be tried. A server may read the first part
// only of what contains NUL.
func sendable(password string) bool {
	return password != "" && len(password) <= maxPassword && strings.IndexByte(password, 0) < 0
}

func control(r rune) bool { return r < ' ' || r == 0x7f }

func (d *Directory) authenticate(ctx context.Context, name, password string) (*roster.Identity, error) {
	if d.opts.BindName != "" {
		return d.direct(ctx, name, password)
	}
	entry, err := d.find(ctx, name)
	if err != nil {
		return nil, err
	}
	if entry == nil {
		return nil, d.nobody(ctx)
	}
	id, e := d.identity(entry)
	if e != nil && e.Reason != ReasonNoName {
		return nil, unavailable(ctx, e)
	}
	err = d.try(ctx, entry.DN, password, nil)
	switch {
	case err != nil:
	case e != nil:
		err = refused(e)
	case id.Disabled:
		err = refused(&Error{Stage: StageEntry, Reason: ReasonDisabled})
	}
	if errors.Is(err, roster.ErrCredentials) {
		err = &roster.RefusedError{Subject: id.Subject, Cause: err}
	}
	if err != nil {
		return nil, err
	}
	if len(d.opts.Groups.Map) == 0 {
		return id, nil
	}
	e, err = d.with(ctx, d.service, func(c *conn) (e *Error) {
		id.Groups, e = d.groups(ctx, c, entry, id.Name, nil)
		return e
	})
	if e != nil {
		return nil, err
	}
	return id, nil
}

// find looks for the entry that a name means. It is nil if there is none.
func (d *Directory) find(ctx context.Context, name string) (entry *ldap.Entry, err error) {
	var found []*ldap.Entry
	e, err := d.with(ctx, d.service, func(c *conn) (e *Error) {
		found, e = d.search(ctx, c, d.lookup(d.opts.Base, ldap.ScopeWholeSubtree, name))
		return e
	})
	switch {
	case tooMany(e, found):
		return nil, refused(&Error{Stage: StageSearch, Code: codeOf(e), Reason: ReasonAmbiguous})
	case e != nil:
		return nil, err
	case len(found) == 0:
		return nil, nil
	}
	return found[0], nil
}

// tooMany reports whether a search for one entry came upon several, whether the server
// has said so or sent them.
func tooMany(e *Error, found []*ldap.Entry) bool {
	if e == nil {
		return len(found) > 1
	}
	return e.Stage == StageSearch && (e.Code == codeSizeLimit || e.Reason == ReasonAmbiguous)
}

func codeOf(e *Error) int {
	if e == nil {
		return 0
	}
	return e.Code
}

// lookup asks for one entry, and would take two to know that there are too many.
func (d *Directory) lookup(base string, scope int, name string) *ldap.SearchRequest {
	return &ldap.SearchRequest{
		BaseDN:           base,
		Scope:            scope,
		DerefAliases:     ldap.NeverDerefAliases,
		SizeLimit:        2,
		TimeLimit:        d.timeLimit(),
		Filter:           fill(d.opts.Schema.Filter, name, ""),
		Attributes:       d.opts.attributes(),
		Controls:         d.opts.Schema.controls(),
		EnforceSizeLimit: true,
	}
}

// timeLimit is Options.Timeout in whole seconds, for the server.
func (d *Directory) timeLimit() int { return max(1, int(d.opts.Timeout.Seconds())) }

// controls go with each search.
func (s *Schema) controls() []ldap.Control {
	if s.DomainScope {
		return []ldap.Control{ldap.NewControlString("1.2.840.113556.1.4.1339", false, "")}
	}
	return nil
}

// search makes one request. References to other servers are not followed, and the
// entries that there may be are missing.
func (d *Directory) search(ctx context.Context, c *conn, r *ldap.SearchRequest) ([]*ldap.Entry, *Error) {
	var result *ldap.SearchResult
	e := c.do(ctx, StageSearch, toSearch, d.budget(), func(l *ldap.Conn) (err error) {
		result, err = l.Search(r)
		return err
	})
	if e != nil {
		if e.Code == 0 && r.SizeLimit > 0 && result != nil && len(result.Entries) >= r.SizeLimit {
			e = &Error{Stage: StageSearch, Reason: ReasonAmbiguous} // more than were asked for
		}
		return nil, e
	}
	if n := len(result.Referrals); n > 0 {
		d.opts.Logger.Warn("directory refers to other servers, which are not asked",
			slog.String("directory", d.opts.ID), slog.Int("references", n))
	}
	return result.Entries, nil
}

// try binds with a person's password, on a connection where nothing but that
// is ever done, and asks the server who that is. Then it calls then, which may be nil.
func (d *Directory) try(ctx context.Context, dn, password string, then func(*conn) *Error) error {
	e, err := d.with(ctx, d.people, func(c *conn) *Error {
		if e := c.bind(ctx, d.budget(), dn, password); e != nil {
			return e
		}
		if e := d.prove(ctx, c, dn, password); e != nil {
			return e
		}
		if then != nil {
			return then(c)
		}
		return nil
	})
	switch {
	case e == nil:
		return nil
	case e.Stage == StageBind && refusesBind(e.Code), e.Reason == ReasonAnonymous, e.Reason == ReasonOther:
		return refused(e)
	}
	return err
}

func (c *conn) bind(ctx context.Context, budget int64, dn, password string) *Error {
	if dn == "" || password == "" { // each is an anonymous bind
		return &Error{Stage: StageBind, Code: codeCredentials}
	}
	return c.do(ctx, StageBind, toBind, budget, func(l *ldap.Conn) error { return l.Bind(dn, password) })
}

// nobody answers for a name that nobody has, after as many requests as for one that
// somebody has: the time would tell otherwise. It sends nothing that was typed.
func (d *Directory) nobody(ctx context.Context) error {
	e, err := d.with(ctx, d.people, func(c *conn) *Error {
		return c.bind(ctx, d.budget(), "cn="+rand.Text()+","+d.opts.Base, rand.Text())
	})
	if e != nil && (e.Stage != StageBind || !refusesBind(e.Code)) {
		return err
	}
	return roster.ErrUnknownUser
}

// direct binds with the name at once, and reads the entry by that person's rights.
func (d *Directory) direct(ctx context.Context, name, password string) (id *roster.Identity, err error) {
	as := bindName(d.opts.BindName, name)
	base, scope := d.opts.Base, ldap.ScopeWholeSubtree
	if isDN(d.opts.BindName) {
		base, scope = as, ldap.ScopeBaseObject
	} else if strings.ContainsAny(name, `"+,;<>=\@`) { // so as not to be somebody of another domain
		return nil, roster.ErrUnknownUser
	}
	var outcome *Error
	err = d.try(ctx, as, password, func(c *conn) *Error {
		id, outcome = nil, nil
		found, e := d.search(ctx, c, d.lookup(base, scope, name))
		switch {
		case tooMany(e, found):
			outcome = &Error{Stage: StageSearch, Code: codeOf(e), Reason: ReasonAmbiguous}
			return nil
		case e != nil:
			return e
		case len(found) == 0: // not one of those who may
			outcome = &Error{Stage: StageSearch, Code: codeNoSuchObject}
			return nil
		}
		if id, e = d.identity(found[0]); e != nil && e.Reason == ReasonNoName {
			outcome = e
			return nil
		} else if e != nil {
			return e
		}
		if id.Disabled {
			outcome = &Error{Stage: StageEntry, Reason: ReasonDisabled}
			return nil
		}
		id.Groups, e = d.groups(ctx, c, found[0], id.Name, nil)
		return e
	})
	if err != nil {
		return nil, err
	}
	if outcome != nil {
		return nil, refused(outcome)
	}
	return id, nil
}

// report logs what is more than a wrong password.
func (d *Directory) report(ctx context.Context, err error) {
	e := asError(err)
	if e == nil || e.answer != nil && e.Code == codeCredentials && slices.Contains([]string{"", "52e", "525"}, e.Detail) {
		return
	}
	attrs := []slog.Attr{
		slog.String("directory", d.opts.ID), slog.String("stage", string(e.Stage)), slog.Int("result", e.Code),
		slog.String("detail", e.Detail), slog.String("reason", string(e.Reason)),
	}
	if e.answer != nil {
		d.opts.Logger.LogAttrs(ctx, slog.LevelInfo, "directory refused a sign-in", attrs...)
		return
	}
	d.opts.Logger.LogAttrs(ctx, slog.LevelWarn, "directory failed", attrs...)
}
