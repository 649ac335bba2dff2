package postgres_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/internal/pgtest"
	"github.com/go-roster/roster/store/postgres"
)

// unavailable wants an UnavailableError whose text tells no secret.
func unavailable(t *testing.T, err error, what string, secrets ...string) {
	t.Helper()
	var u *roster.UnavailableError
	if !errors.As(err, &u) || u.What != what || !errors.Is(err, roster.ErrUnavailable) {
		t.Fatalf("%v, want an UnavailableError of %s", err, what)
	}
	for _, secret := range append(secrets, "SELECT", "INSERT", "users") {
		if strings.Contains(err.Error(), secret) {
			t.Errorf("the text %q tells %q", err, secret)
		}
	}
}

func insertUser(t testing.TB, s roster.Store, i int) *roster.User {
	t.Helper()
	u := benchUser(i)
	if err := s.InsertUser(t.Context(), u, u.NameKey); err != nil {
		t.Fatal(err)
	}
	return u
}

func TestOpenFails(t *testing.T) {
	dsn := pgtest.DSN(t, pgtest.C)
	ascii := pgtest.Database(t, "ENCODING 'SQL_ASCII' LOCALE 'C'")
	for name, c := range map[string]struct{ dsn, want string }{
		"nobody listens":   {"host=127.0.0.1 port=1 user=secret dbname=secret password=secret", ""},
		"no such socket":   {"host=/nonexistent/secret user=secret dbname=secret", ""},
		"no such database": {pgtest.With(t, dsn, "no_such_secret"), ""},
		"no such user":     {dsn + " user=no_such_secret", ""},
		"SQL_ASCII":        {ascii, "UTF8"},
	} {
		t.Run(name, func(t *testing.T) {
			start := time.Now()
			s, err := postgres.Open(t.Context(), c.dsn)
			if s != nil {
				t.Error("a store beside the error")
			}
			unavailable(t, err, roster.UnavailableDatabase, "secret", "127.0.0.1")
			if !strings.Contains(err.Error(), c.want) {
				t.Errorf("the text %q does not tell what is wrong", err)
			}
			if d := time.Since(start); d > 2*time.Second+slack {
				t.Errorf("it took %s", d)
			}
		})
	}
	for _, bad := range []string{"host=a port=secret", "postgres://a:secret@[::1", "default_query_exec_mode=secret"} {
		if _, err := postgres.Open(t.Context(), bad); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", bad, err)
		}
	}
	for _, opt := range []postgres.Option{
		postgres.Prefix("A"), postgres.Prefix("a.b"), postgres.Prefix(`a"`), postgres.Prefix(strings.Repeat("a", 33)), postgres.PoolSize(0),
	} {
		if _, err := postgres.Open(t.Context(), dsn, opt); err == nil {
			t.Error("a bad option was taken")
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := postgres.Open(ctx, dsn); !errors.Is(err, context.Canceled) {
		t.Errorf("with a context that has ended: %v", err)
	}
}

// The ways to run statements that a DSN may name, and handles of the host.
func TestModes(t *testing.T) {
	dsn := pgtest.DSN(t, pgtest.EN)
	for _, mode := range []string{"", "exec", "cache_statement", "cache_describe", "describe_exec", "simple_protocol"} {
		t.Run("Open "+mode, func(t *testing.T) {
			d := dsn
			if mode != "" {
				d += " default_query_exec_mode=" + mode
			}
			everyCallWorks(t, open(t, d))
		})
		t.Run("New "+mode, func(t *testing.T) {
			d := dsn
			if mode != "" {
				d += " default_query_exec_mode=" + mode
			}
			db := pgtest.Open(t, d)
			t.Cleanup(func() { _ = db.Close() })
			s, err := postgres.New(db, postgres.Prefix(pgtest.Prefix(t, dsn)))
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = s.Close() })
			if err := s.Migrate(t.Context()); err != nil {
				t.Fatal(err)
			}
			everyCallWorks(t, s)
			if err := s.Close(); err != nil {
				t.Error(err)
			}
			if err := db.Ping(); err != nil {
				t.Error("Close has closed the handle of the host:", err)
			}
		})
	}
	t.Run("no cache", func(t *testing.T) { everyCallWorks(t, open(t, dsn+" statement_cache_capacity=0")) })
}

// everyCallWorks registers somebody, and looks for him in all ways.
func everyCallWorks(t *testing.T, s roster.Store) {
	t.Helper()
	ctx := t.Context()
	now := time.Date(2026, 1, 2, 3, 4, 5, 6000, time.UTC)
	for i := range 7 { // more often than a plan is made anew
		if err := s.Atomic(ctx, func(ctx context.Context) error { return only(registerBench(ctx, s, i)) }); err != nil {
			t.Fatal(err)
		}
		u := insertUser(t, s, 100+i)
		everyCall(t, s, u, now)
	}
}

// takeAll takes under one key, under two and so on.
func takeAll(ctx context.Context, s roster.Store, prefix string, now time.Time) error {
	var takes []roster.LimitTake
	for i := range roster.MaxLimits {
		takes = append(takes, roster.LimitTake{Key: prefix + strconv.Itoa(i), Max: 1000, ExpiresAt: now.Add(time.Hour)})
		if taken, err := s.TakeLimits(ctx, now, takes...); err != nil || len(taken) != i+1 {
			return fmt.Errorf("taken: %d of %d, %w", len(taken), i+1, err)
		}
	}
	return nil
}

// everyCall calls every method with arguments that suit the user, who is gone
// in the end.
func everyCall(t *testing.T, s roster.Store, u *roster.User, now time.Time) {
	t.Helper()
	ctx := t.Context()
	e := &roster.UserEmail{UserID: u.ID, Address: "A", AddressKey: u.NameKey, CreatedAt: now}
	a := &roster.Activation{Hash: u.NameKey, Purpose: "p", UserID: u.ID, CreatedAt: now, ExpiresAt: now.Add(time.Hour)}
	c := &roster.Credential{UserID: u.ID, Hash: roster.NewSecret("h"), CreatedAt: now}
	m := &roster.QueuedMail{UserID: u.ID, To: "a", QueuedAt: now, DueAt: now, Claim: "c"}
	for i, call := range []func() error{
		func() error { return s.UpdateUser(ctx, u, "text of "+u.NameKey) },
		func() error { return only(s.UserByID(ctx, u.ID)) },
		func() error { return only(s.UserByUUID(ctx, u.UUID)) },
		func() error { return only(s.UserByName(ctx, u.NameKey)) },
		func() error { return only(s.LockUser(ctx, u.ID)) },
		func() error {
			return s.Atomic(ctx, func(ctx context.Context) error { return only(s.LockUser(ctx, u.ID)) })
		},
		func() error { return only(s.UsersByID(ctx, u.ID, 2)) },
		func() error { return only(s.UsersAfter(ctx, 1, 10)) },
		func() error { return s.InsertEmail(ctx, e) },
		func() error { return only(s.EmailsByID(ctx, e.ID, 2)) },
		func() error { return only(s.EmailsOf(ctx, u.ID, 2)) },
		func() error { return only(s.EmailsByKey(ctx, e.AddressKey)) },
		func() error { return only(s.ActivatedEmails(ctx, e.AddressKey, "nobody")) },
		func() error {
			return s.Atomic(ctx, func(ctx context.Context) error { return only(s.LockEmails(ctx, e.AddressKey)) })
		},
		func() error { return only(s.EmailsAfter(ctx, 1, 10)) },
		func() error { return s.ActivateEmail(ctx, e.ID, now) },
		func() error { return only(s.UserByEmail(ctx, e.AddressKey)) },
		func() error { return s.ClearPrimary(ctx, u.ID) },
		func() error { return s.MarkPrimary(ctx, e.ID) },
		func() error { return only(s.DeleteReleased(ctx, e.AddressKey, u.ID)) },
		func() error { return s.ReleaseEmails(ctx, u.ID, now) },
		func() error { return s.ReclaimEmails(ctx, u.ID) },
		func() error { return only(s.PruneEmails(ctx, now, 10)) },
		func() error { return s.ClaimName(ctx, u.NameKey, u.ID, now) },
		func() error { return s.RetireName(ctx, u.NameKey, u.ID, now) },
		func() error { return only(s.NameOwners(ctx, u.NameKey, "nobody")) },
		func() error { return only(s.PruneNames(ctx, now, 10)) },
		func() error { a.EmailID = e.ID; return s.InsertActivation(ctx, a) },
		func() error { return only(s.ActivationByHash(ctx, a.Hash)) },
		func() error { return only(s.RedeemActivation(ctx, a.Hash, now, "p")) },
		func() error { return only(s.VoidActivations(ctx, u.ID, 0)) },
		func() error { return only(s.VoidActivations(ctx, u.ID, e.ID, "p")) },
		func() error { return only(s.PruneActivations(ctx, now, 10)) },
		func() error { return takeAll(ctx, s, u.NameKey, now) },
		func() error { return only(s.LimitCounts(ctx, now, u.NameKey)) },
		func() error { return s.GiveLimits(ctx, []string{u.NameKey}, []string{"b"}) },
		func() error { return only(s.PruneLimits(ctx, now, 10)) },
		func() error { return s.PutCredential(ctx, c) },
		func() error { return s.SwapCredential(ctx, u.ID, 0, c.Hash, roster.NewSecret("i")) },
		func() error { return only(s.Credential(ctx, u.ID, 0)) },
		func() error { return only(s.CredentialsAfter(ctx, 1, 0, 10)) },
		func() error { _, _, err := s.LoginByName(ctx, u.NameKey); return err },
		func() error { _, _, err := s.LoginByEmail(ctx, e.AddressKey); return err },
		func() error { return s.RecordLogin(ctx, u.ID, now, "::1") },
		func() error { return s.DeleteCredential(ctx, u.ID, 0) },
		func() error { return s.InsertMail(ctx, m) },
		func() error { return only(s.ClaimMails(ctx, "c", now, now.Add(time.Hour), 10)) },
		func() error { return s.SettleMail(ctx, m) },
		func() error { return only(s.MailsAfter(ctx, roster.OutboxPending, 1, 10)) },
		func() error { return only(s.MailsAfter(ctx, roster.OutboxSent, 1, 10)) },
		func() error { return only(s.MailsAfter(ctx, roster.OutboxFailed, 1, 10)) },
		func() error { return only(s.CountMails(ctx, 10)) },
		func() error { return only(s.RequeueMails(ctx, now, m.ID, 2)) },
		func() error { return only(s.WipeMails(ctx, now, 10)) },
		func() error { return only(s.PruneMails(ctx, now, 10)) },
		func() error { return only(s.PruneUsers(ctx, now, 1, 10)) },
		func() error { return only(s.DeleteEmails(ctx, e.ID)) },
	} {
		if err := call(); err != nil {
			t.Fatalf("call %d: %v", i, err)
		}
	}
	for _, state := range []roster.State{roster.StateActivated, roster.StatePending, roster.StateLive, roster.StateDeleted} {
		for contains, want := range map[string]int{"": -1, "x": -1, "text of " + u.NameKey: 1, "nobody at all": 0} {
			q := roster.UserQuery{State: state, Contains: contains, Limit: 10}
			ms, err := s.UserPage(ctx, q)
			n, err2 := s.CountUsers(ctx, q)
			if err := errors.Join(err, err2); err != nil {
				t.Fatal(err)
			}
			if state == roster.StateActivated && want >= 0 && (len(ms) != want || n != want) {
				t.Errorf("%q finds %d and counts %d, want %d", contains, len(ms), n, want)
			}
		}
	}
	everyCallOnGroups(t, s, u, now)
	if err := s.PurgeUser(ctx, u.ID); err != nil {
		t.Fatal(err)
	}
}

// everyCallOnGroups is everyCall for groups and grants.
func everyCallOnGroups(t *testing.T, s roster.Store, u *roster.User, now time.Time) {
	t.Helper()
	ctx := t.Context()
	g := &roster.Group{UUID: u.UUID, Name: u.Name, NameKey: u.NameKey, CreatedAt: now, UpdatedAt: now, Version: 1}
	if err := s.InsertGroup(ctx, g); err != nil {
		t.Fatal(err)
	}
	own, shared := roster.Grant{Subject: roster.ToUser(u.ID), CreatedAt: now}, roster.Grant{Subject: roster.ToGroup(g.ID), ScopeID: 1, Until: now, CreatedAt: now}
	for i, call := range []func() error{
		func() error { return only(s.OfferGroup(ctx, g)) },
		func() error { return s.UpdateGroup(ctx, g) },
		func() error { return only(s.GroupByName(ctx, g.NameKey)) },
		func() error { return only(s.GroupByUUID(ctx, g.UUID)) },
		func() error { return only(s.LockGroup(ctx, g.ID)) },
		func() error {
			return s.Atomic(ctx, func(ctx context.Context) error { return only(s.LockGroup(ctx, g.ID)) })
		},
		func() error { return only(s.GroupsByID(ctx, g.ID, 2)) },
		func() error { return only(s.GroupPage(ctx, "a", 10)) },
		func() error {
			return only(s.PutMember(ctx, &roster.Membership{GroupID: g.ID, UserID: u.ID, CreatedAt: now}))
		},
		func() error { return only(s.MembersAfter(ctx, g.ID, 0, 10)) },
		func() error { return only(s.MembershipsOf(ctx, u.ID, 2)) },
		func() error { return only(s.PutGrants(ctx, own, "p", "q")) },
		func() error { return only(s.PutGrants(ctx, shared, "p", "q")) },
		func() error { return only(s.GrantsOf(ctx, own.Subject)) },
		func() error { return only(s.GrantsOf(ctx, shared.Subject)) },
		func() error { return only(s.GrantsIn(ctx, 1, 0, 10)) },
		func() error { _, _, err := s.HeldGrants(ctx, u.ID, 1); return err },
		func() error { return only(s.PruneGrants(ctx, now, 10)) },
		func() error { return only(s.Holds(ctx, u.ID, "p", now, 1, 0)) },
		func() error { return only(s.HeldAnywhere(ctx, u.ID, 2)) },
		func() error {
			return only(s.HeldByAll(ctx, "p", now, []roster.ScopeID{0, 1}, []roster.UserID{u.ID, 2}))
		},
		func() error { return only(s.HoldersAfter(ctx, "p", now, 1, 0, 0, 10)) },
		func() error { return only(s.ScopesAfter(ctx, u.ID, "p", now, -1, 10)) },
		func() error { return only(s.Privileged(ctx, now, nil, u.ID, 2)) },
		func() error { return only(s.Privileged(ctx, now, []roster.ScopeID{0, 1}, u.ID, 2)) },
		func() error { return only(s.DeleteGrants(ctx, own.Subject, 0, "p")) },
		func() error { return only(s.DeleteGrants(ctx, shared.Subject, 1, "p")) },
		func() error { return s.DeleteMember(ctx, g.ID, u.ID) },
		func() error { return s.DeleteGroup(ctx, g.ID) },
	} {
		if err := call(); err != nil {
			t.Fatalf("call %d on groups: %v", i, err)
		}
	}
}

// Nothing is left in a session: no prepared statements but the constant ones.
func TestSessions(t *testing.T) {
	s := open(t, pgtest.DSN(t, pgtest.C), postgres.PoolSize(1))
	everyCallWorks(t, s)
	db := postgres.Handle(s)
	var before, after int
	const prepared = "SELECT count(*) FROM pg_prepared_statements"
	if err := db.QueryRow(prepared).Scan(&before); err != nil {
		t.Fatal(err)
	}
	for i := range 50 {
		u := insertUser(t, s, 1000+i)
		_, err := s.UserPage(t.Context(), roster.UserQuery{Contains: u.NameKey, AfterKey: u.NameKey, Limit: i + 1})
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := db.QueryRow(prepared).Scan(&after); err != nil {
		t.Fatal(err)
	}
	if after != before || before > 100 {
		t.Errorf("%d prepared statements became %d", before, after)
	}
}

// Whatever ends its context, no transaction stays open and no goroutine behind.
func TestNoLeak(t *testing.T) {
	dsn := pgtest.DSN(t, pgtest.C)
	prefix := pgtest.Prefix(t, dsn)
	watch := pgtest.Open(t, dsn)
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	defer watch.Close()
	s, err := postgres.Open(t.Context(), dsn+" application_name="+prefix, postgres.Prefix(prefix))
	if err != nil {
		t.Fatal(err)
	}
	u := insertUser(t, s, 1)
	for i := range 40 {
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Duration(i)*100*time.Microsecond, cancel)
		_ = s.Atomic(ctx, func(ctx context.Context) error {
			_, _ = s.LockUser(ctx, u.ID)
			return s.RecordLogin(ctx, u.ID, time.Now(), "")
		})
		_, _ = s.UserPage(ctx, roster.UserQuery{State: roster.StateLive, Limit: 10})
		cancel()
	}
	if err := s.RecordLogin(t.Context(), u.ID, time.Now(), ""); err != nil {
		t.Error(err)
	}
	idle := func() (n int) {
		if err := watch.QueryRow("SELECT count(*) FROM pg_stat_activity WHERE application_name = $1 AND state LIKE 'idle in transaction%'", prefix).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	for deadline := time.Now().Add(5 * time.Second); idle() > 0; {
		if time.Now().After(deadline) {
			t.Fatalf("%d transactions stayed open", idle())
		}
		time.Sleep(10 * time.Millisecond)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	_, err = s.UserByID(t.Context(), u.ID)
	unavailable(t, err, roster.UnavailableDatabase)
}

// A pool of one serves many.
func TestPoolOfOne(t *testing.T) {
	s := open(t, pgtest.DSN(t, pgtest.C), postgres.PoolSize(1))
	u := insertUser(t, s, 1)
	errs := make(chan error)
	for range 64 {
		go func() {
			errs <- s.Atomic(t.Context(), func(ctx context.Context) error {
				if _, err := s.UserByID(ctx, u.ID); err != nil {
					return err
				}
				return s.RecordLogin(ctx, u.ID, time.Now(), "")
			})
		}()
	}
	for range 64 {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
}

// New asks nothing, so it succeeds on a handle that leads nowhere.
func TestNewDialsNothing(t *testing.T) {
	db, err := sql.Open("pgx", "host=127.0.0.1 port=1 user=u dbname=d")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	s, err := postgres.New(db)
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.UserByID(t.Context(), 1)
	unavailable(t, err, roster.UnavailableDatabase, "127.0.0.1")
	unavailable(t, s.Migrate(t.Context()), roster.UnavailableDatabase, "127.0.0.1")
	unavailable(t, s.Atomic(t.Context(), func(context.Context) error { return nil }), roster.UnavailableDatabase)
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}
