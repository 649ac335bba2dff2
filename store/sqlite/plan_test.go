package sqlite_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	modernc "modernc.org/sqlite"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/store/sqlite"
)

// recorder notes every statement that goes to the driver.
type recorder struct {
	driver.Connector
	mu    sync.Mutex
	texts []string
}

func (r *recorder) Connect(ctx context.Context) (driver.Conn, error) {
	c, err := r.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return &recorded{c.(sqliteConn), r}, nil
}

func (r *recorder) note(text string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !slices.Contains(r.texts, text) {
		r.texts = append(r.texts, text)
	}
}

// sqliteConn is what the driver's connections can do.
type sqliteConn interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.ExecerContext
	driver.QueryerContext
	driver.SessionResetter
	driver.Validator
}

type recorded struct {
	sqliteConn
	to *recorder
}

func (c *recorded) PrepareContext(ctx context.Context, text string) (driver.Stmt, error) {
	c.to.note(text)
	return c.sqliteConn.PrepareContext(ctx, text)
}

func (c *recorded) QueryContext(ctx context.Context, text string, args []driver.NamedValue) (driver.Rows, error) {
	c.to.note(text)
	return c.sqliteConn.QueryContext(ctx, text, args)
}

func (c *recorded) ExecContext(ctx context.Context, text string, args []driver.NamedValue) (driver.Result, error) {
	c.to.note(text)
	return c.sqliteConn.ExecContext(ctx, text, args)
}

// everyCall calls every method of a store, outside a transaction and inside.
func everyCall(ctx context.Context, s roster.Store) {
	now := time.Now()
	u := benchUser(1)
	_ = s.InsertUser(ctx, u, "text of ann")
	_ = s.UpdateUser(ctx, u, "text of ann")
	_, _ = s.UserByID(ctx, 1)
	_, _ = s.UserByUUID(ctx, u.UUID)
	_, _ = s.UserByName(ctx, "ann")
	_, _ = s.UserByEmail(ctx, "ann")
	_, _ = s.LockUser(ctx, 1)
	_, _ = s.UsersByID(ctx, 1, 2)
	_, _ = s.UsersAfter(ctx, 1, 10)
	for _, state := range []roster.State{roster.StateActivated, roster.StatePending, roster.StateLive, roster.StateDeleted} {
		for _, contains := range []string{"", "x", "text", "nobody at all"} {
			q := roster.UserQuery{State: state, Contains: contains, AfterKey: "a", AfterID: 1, Limit: 10}
			_, _ = s.UserPage(ctx, q)
			_, _ = s.CountUsers(ctx, q)
		}
	}
	_, _ = s.PruneUsers(ctx, now, 1, 10)
	_ = s.ClaimName(ctx, "ann", u.ID, now)
	_ = s.RetireName(ctx, "ann", u.ID, now)
	_, _ = s.NameOwners(ctx, "ann", "ben")
	_, _ = s.PruneNames(ctx, now, 10)
	e := &roster.UserEmail{UserID: u.ID, Address: "a", AddressKey: "a", CreatedAt: now}
	_ = s.InsertEmail(ctx, e)
	_, _ = s.EmailsByID(ctx, 1, 2)
	_, _ = s.EmailsOf(ctx, 1, 2)
	_, _ = s.EmailsByKey(ctx, "a")
	_, _ = s.ActivatedEmails(ctx, "a", "b")
	_, _ = s.LockEmails(ctx, "a")
	_, _ = s.EmailsAfter(ctx, 1, 10)
	_ = s.ActivateEmail(ctx, e.ID, now)
	_ = s.ClearPrimary(ctx, 1)
	_ = s.MarkPrimary(ctx, e.ID)
	_, _ = s.DeleteReleased(ctx, "a", 2)
	_ = s.ReleaseEmails(ctx, 1, now)
	_ = s.ReclaimEmails(ctx, 1)
	_, _ = s.DeleteEmails(ctx, 77)
	_, _ = s.PruneEmails(ctx, now, 10)
	_ = s.InsertActivation(ctx, &roster.Activation{Hash: "h", Purpose: "p", UserID: u.ID, EmailID: e.ID, CreatedAt: now, ExpiresAt: now})
	_, _ = s.ActivationByHash(ctx, "h")
	_, _ = s.RedeemActivation(ctx, "h", now, "p")
	_, _ = s.VoidActivations(ctx, 1, 0, "p")
	_, _ = s.PruneActivations(ctx, now, 10)
	_ = s.InsertUndo(ctx, &roster.Undo{Hash: "h", UserID: u.ID, Address: "a", AddressKey: "a", Rank: 1, CreatedAt: now, ExpiresAt: now})
	_, _ = s.UndoByHash(ctx, "h")
	_, _ = s.UndosOf(ctx, 1)
	_, _ = s.RedeemUndo(ctx, "h", now)
	_, _ = s.VoidUndos(ctx, 1, "a", 1)
	_, _ = s.PruneUndos(ctx, now, 10)
	_ = s.PutCredential(ctx, &roster.Credential{UserID: u.ID, Hash: roster.NewSecret("h"), CreatedAt: now})
	_ = s.SwapCredential(ctx, u.ID, 0, roster.NewSecret("h"), roster.NewSecret("i"))
	_, _ = s.Credential(ctx, u.ID, 0)
	_, _ = s.CredentialsAfter(ctx, 1, 0, 10)
	_, _, _ = s.LoginByName(ctx, "ann")
	_, _, _ = s.LoginByEmail(ctx, "a")
	_ = s.RecordLogin(ctx, u.ID, now, "::1")
	_ = s.InsertMail(ctx, &roster.QueuedMail{UserID: u.ID, To: "a", QueuedAt: now, DueAt: now})
	claimed, _ := s.ClaimMails(ctx, "c", now, now, 10)
	for _, m := range claimed {
		_ = s.SettleMail(ctx, m)
	}
	_, _ = s.MailsAfter(ctx, roster.OutboxPending, 1, 10)
	_, _ = s.MailsAfter(ctx, roster.OutboxSent, 1, 10)
	_, _ = s.MailsAfter(ctx, roster.OutboxFailed, 1, 10)
	_, _ = s.CountMails(ctx, 10)
	_, _ = s.RequeueMails(ctx, now, 1, 2)
	_, _ = s.WipeMails(ctx, now, 10)
	_, _ = s.PruneMails(ctx, now, 10)
	var takes []roster.LimitTake
	for i := range roster.MaxLimits {
		takes = append(takes, roster.LimitTake{Key: string(rune('a' + i)), Max: 1, ExpiresAt: now.Add(time.Hour)})
		_, _ = s.TakeLimits(ctx, now, takes...)
	}
	_, _ = s.LimitCounts(ctx, now, "a", "b")
	_ = s.GiveLimits(ctx, []string{"a"}, []string{"b"})
	_, _ = s.PruneLimits(ctx, now, 10)
	_ = s.DeleteCredential(ctx, u.ID, 0)
	token := roster.NewSecret("h")
	one := &roster.Session{ID: u.UUID, Hash: token, UserID: u.ID, CreatedAt: now, AuthenticatedAt: now, LastSeenAt: now, ExpiresAt: now}
	_ = s.InsertSession(ctx, one)
	_, _, _ = s.SessionByHash(ctx, token)
	_ = s.UpdateSession(ctx, token, one)
	_ = s.SeeSession(ctx, token, now, now)
	_, _ = s.SessionsOf(ctx, u.ID, 10)
	_ = s.DeleteSession(ctx, u.ID, one.ID)
	_ = s.DropSession(ctx, token)
	_, _ = s.DeleteSessions(ctx, u.ID, one.ID)
	_, _ = s.PruneSessions(ctx, now, 10)
	i := &roster.UserIdentity{Provider: "p", Subject: "s", UserID: u.ID, CreatedAt: now, UpdatedAt: now}
	_ = s.InsertIdentity(ctx, i)
	_, _, _ = s.IdentityBySubject(ctx, "p", "s")
	_, _ = s.IdentitiesOf(ctx, 1, 2)
	_, _ = s.IdentitiesAfter(ctx, "p", "a", 10)
	_ = s.UpdateIdentity(ctx, i)
	_, _ = s.DeleteIdentities(ctx, u.ID, "p", "")
	_ = s.InsertEvent(ctx, &roster.Event{Kind: "k", At: now, LastAt: now})
	_ = s.CountEvent(ctx, "e", &roster.Event{Kind: "k", At: now, LastAt: now})
	for bits := range 8 {
		_, _ = s.EventPage(ctx, roster.EventFilter{
			User: roster.UserID(bits & 1), RealActor: roster.UserID(bits >> 1 & 1), Kind: roster.EventKind("k"[:bits>>2]),
			Since: now, AfterAt: now, AfterID: 9, Limit: 10,
		})
	}
	_, _ = s.ForgetClients(ctx, 1, 2)
	_, _ = s.PruneEvents(ctx, now, 10)
	g := &roster.Group{UUID: u.UUID, Name: "g", NameKey: "g", CreatedAt: now, UpdatedAt: now, Version: 1}
	_ = s.InsertGroup(ctx, g)
	_, _ = s.OfferGroup(ctx, g)
	_ = s.UpdateGroup(ctx, g)
	_, _ = s.GroupByName(ctx, "g")
	_, _ = s.GroupByUUID(ctx, g.UUID)
	_, _ = s.LockGroup(ctx, g.ID)
	_, _ = s.GroupsByID(ctx, 1, 2)
	_, _ = s.GroupPage(ctx, "a", 10)
	_, _ = s.PutMember(ctx, &roster.Membership{GroupID: g.ID, UserID: u.ID, CreatedAt: now})
	_, _ = s.MembersAfter(ctx, g.ID, 0, 10)
	_, _ = s.MembershipsOf(ctx, 1, 2)
	for _, to := range []roster.Subject{roster.ToUser(u.ID), roster.ToGroup(g.ID)} {
		_, _ = s.PutGrants(ctx, roster.Grant{Subject: to, CreatedAt: now}, "p", "q")
		_, _ = s.GrantsOf(ctx, to)
		_, _ = s.DeleteGrants(ctx, to, 0, "q")
	}
	_, _ = s.GrantsIn(ctx, 0, 0, 10)
	_, _, _ = s.HeldGrants(ctx, u.ID, 1)
	_, _ = s.HeldAnywhere(ctx, 1, 2)
	_, _ = s.PruneGrants(ctx, now, 10)
	_, _ = s.Holds(ctx, u.ID, "p", now, 1, 0)
	_, _ = s.HeldByAll(ctx, "p", now, []roster.ScopeID{0, 1}, []roster.UserID{1, 2})
	_, _ = s.HoldersAfter(ctx, "p", now, 1, 0, 0, 10)
	_, _ = s.ScopesAfter(ctx, u.ID, "p", now, 0, 10)
	_, _ = s.Privileged(ctx, now, nil, 1, 2)
	_, _ = s.Privileged(ctx, now, []roster.ScopeID{0}, 1, 2)
	_ = s.DeleteMember(ctx, g.ID, u.ID)
	_ = s.DeleteGroup(ctx, g.ID)
	_ = s.PurgeUser(ctx, u.ID)
}

// recording returns a store on a new database, and what records its statements.
func recording(t *testing.T) (*sqlite.Store, *recorder, *sql.DB) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "test.db")
	open(t, path)
	base, err := modernc.NewConnector("file:" + path + "?_txlock=immediate&_pragma=busy_timeout(100)&_pragma=foreign_keys(1)")
	if err != nil {
		t.Fatal(err)
	}
	r := &recorder{Connector: base}
	db := sql.OpenDB(r)
	t.Cleanup(func() { _ = db.Close() })
	s, err := sqlite.New(db)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s, r, raw(t, path)
}

// Every statement goes by an index, but those that are to see all.
func TestPlans(t *testing.T) {
	s, r, db := recording(t)
	everyCall(t.Context(), s)
	_ = s.Atomic(t.Context(), func(ctx context.Context) error { everyCall(ctx, s); return nil })

	scans := regexp.MustCompile(`^SCAN ([\w-]+)( USING (COVERING )?INDEX \w+)?`)
	checked := 0
	for _, text := range r.texts {
		if !strings.Contains(text, "roster_") || strings.HasSuffix(text, "WHERE FALSE") {
			continue
		}
		checked++
		steps, err := db.QueryContext(t.Context(), "EXPLAIN QUERY PLAN "+text, make([]any, 60)[:strings.Count(text, "$")]...)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		for steps.Next() {
			var id, parent, none int
			var detail string
			if err := steps.Scan(&id, &parent, &none, &detail); err != nil {
				t.Fatal(err)
			}
			m := scans.FindStringSubmatch(detail)
			switch {
			case m == nil, strings.Contains(detail, "VIRTUAL TABLE"), m[1] == "gone", m[1] == "due", m[1] == "pending", m[1] == "j", m[1] == "CONSTANT",
				m[1] == "found", m[1] == "held", slices.Contains([]string{"h", "o", "w", "y"}, m[1]), strings.HasSuffix(detail, "VALUES CLAUSE"):
			case m[2] != "" && (strings.Contains(text, "LIMIT") || strings.Contains(text, "count(*)")):
			default:
				t.Errorf("%s\n\tgoes through a table: %s", text, detail)
			}
		}
		if err := steps.Err(); err != nil {
			t.Fatal(err)
		}
	}
	if checked < 45 {
		t.Errorf("only %d statements were seen", checked)
	}
}

// All statements are constant: what a caller passes is never part of one.
func TestStatementsAreConstant(t *testing.T) {
	s, r, _ := recording(t)
	everyCall(t.Context(), s)
	_ = s.Atomic(t.Context(), func(ctx context.Context) error { everyCall(ctx, s); return nil })
	before := len(r.texts)
	for i := range 20 {
		u := benchUser(i)
		u.RealName = "'); DROP TABLE roster_users; --"
		if err := s.InsertUser(t.Context(), u, u.RealName); err != nil {
			t.Fatal(err)
		}
		for _, contains := range []string{u.RealName, `"`, `""" OR x`, "%", u.NameKey} {
			if _, err := s.UserPage(t.Context(), roster.UserQuery{Contains: contains, AfterKey: u.RealName, Limit: i + 1}); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := s.EmailsOf(t.Context(), make([]roster.UserID, i+1)...); err != nil {
			t.Fatal(err)
		}
	}
	if len(r.texts) != before {
		t.Errorf("new statements: %q", r.texts[before:])
	}
}
