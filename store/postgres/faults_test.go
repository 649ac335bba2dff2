package postgres_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/internal/pgtest"
	"github.com/go-roster/roster/store/postgres"
)

// A lock that somebody else holds is waited for as long as the busy timeout
// says, and no longer than the context, alone and in a transaction, whoever
// bounds the waiting.
func TestLockTimeout(t *testing.T) {
	dsn := pgtest.DSN(t, pgtest.C)
	prefix := pgtest.Prefix(t, dsn)
	busy := postgres.BusyTimeout(300 * time.Millisecond)
	opened, err := postgres.Open(t.Context(), dsn, postgres.Prefix(prefix), busy)
	if err != nil {
		t.Fatal(err)
	}
	defer opened.Close()
	db := pgtest.Open(t, dsn)
	defer db.Close()
	made, err := postgres.New(db, postgres.Prefix(prefix), busy)
	if err != nil {
		t.Fatal(err)
	}
	if postgres.Local(opened) || !postgres.Local(made) {
		t.Fatal("the sessions of Open bound the waiting, those of New do not")
	}
	u := insertUser(t, opened, 1)

	other, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Rollback()                                                                                // the end
	if _, err := other.ExecContext(t.Context(), "LOCK TABLE "+prefix+"users IN SHARE MODE"); err != nil { // readers may go on
		t.Fatal(err)
	}
	for name, s := range map[string]roster.Store{"Open": opened, "New": made} {
		write := func(ctx context.Context) error { return s.RecordLogin(ctx, u.ID, time.Now(), "") }
		for what, call := range map[string]func(ctx context.Context) error{
			"alone": write, "Atomic": func(ctx context.Context) error { return s.Atomic(ctx, write) },
		} {
			start := time.Now()
			unavailable(t, call(t.Context()), roster.UnavailableBusy, prefix)
			if d := time.Since(start); d < 250*time.Millisecond || d > 2*time.Second {
				t.Errorf("%s, %s: waited for %s", name, what, d)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			if err := call(ctx); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%s, %s: %v, want DeadlineExceeded", name, what, err)
			}
			cancel()
		}
		if _, err := s.UserByID(t.Context(), u.ID); err != nil {
			t.Errorf("%s: a read: %v", name, err)
		}
	}
	if err := other.Rollback(); err != nil {
		t.Fatal(err)
	}
	m, err := opened.UserByID(t.Context(), u.ID)
	if err != nil || !m.RosterUser().LastLoginAt.Equal(u.LastLoginAt) {
		t.Errorf("%v, %v: a write that was refused has happened all the same", m, err)
	}
	insertUser(t, made, 2)
}

func TestReadOnly(t *testing.T) {
	dsn := pgtest.DSN(t, pgtest.C)
	prefix := pgtest.Prefix(t, dsn)
	_, err := postgres.Open(t.Context(), dsn+" default_transaction_read_only=on", postgres.Prefix(prefix))
	unavailable(t, err, roster.UnavailableReadOnly, prefix)
	rw, err := postgres.Open(t.Context(), dsn, postgres.Prefix(prefix))
	if err != nil {
		t.Fatal(err)
	}
	defer rw.Close()
	u := insertUser(t, rw, 1)
	s, err := postgres.Open(t.Context(), dsn+" default_transaction_read_only=on", postgres.Prefix(prefix))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, _, err := s.LoginByName(t.Context(), u.NameKey); err != nil {
		t.Errorf("a read: %v", err)
	}
	unavailable(t, s.RecordLogin(t.Context(), u.ID, time.Now(), ""), roster.UnavailableReadOnly)
	unavailable(t, s.Atomic(t.Context(), func(ctx context.Context) error {
		return only(s.LockUser(ctx, u.ID))
	}), roster.UnavailableReadOnly)
}

// At the strictest isolation transactions fail for the sake of others, and run
// again.
func TestSerializable(t *testing.T) {
	s := open(t, pgtest.DSN(t, pgtest.C)+" default_transaction_isolation=serializable")
	u := insertUser(t, s, 1)
	errs := make(chan error)
	const racers, each = 4, 10
	for range racers {
		go func() {
			errs <- func() error {
				for range each {
					if err := s.Atomic(t.Context(), func(ctx context.Context) error {
						m, err := s.UserByID(ctx, u.ID)
						if err != nil {
							return err
						}
						m.RosterUser().RealName += "x"
						return s.UpdateUser(ctx, m, "")
					}); err != nil {
						return err
					}
					if err := s.RecordLogin(t.Context(), u.ID, time.Now(), ""); err != nil {
						return err
					}
				}
				return nil
			}()
		}()
	}
	for range racers {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	m, err := s.UserByID(t.Context(), u.ID)
	if err != nil || len(m.RosterUser().RealName) != len(u.RealName)+racers*each {
		t.Errorf("%v, %v: want %d more", m, err, racers*each)
	}
}

// A backend that is terminated costs its transaction and no other.
func TestBackendTerminated(t *testing.T) {
	s := open(t, pgtest.DSN(t, pgtest.C))
	u := insertUser(t, s, 1)
	terminate := func(app string) {
		t.Helper()
		db := pgtest.Open(t, pgtest.Server(t))
		defer db.Close()
		if _, err := db.Exec("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1", app); err != nil {
			t.Fatal(err)
		}
	}
	app := u.UUID.String()
	named, err := postgres.Open(t.Context(), pgtest.DSN(t, pgtest.C)+" application_name="+app, postgres.Prefix(pgtest.Prefix(t, pgtest.DSN(t, pgtest.C))))
	if err != nil {
		t.Fatal(err)
	}
	defer named.Close()
	u = insertUser(t, named, 1)
	err = named.Atomic(t.Context(), func(ctx context.Context) error {
		if err := named.RecordLogin(ctx, u.ID, time.Now(), "gone"); err != nil {
			return err
		}
		terminate(app)
		return named.RecordLogin(ctx, u.ID, time.Now(), "gone")
	})
	unavailable(t, err, roster.UnavailableDatabase, "administrator")
	terminate(app)
	m, err := named.UserByID(t.Context(), u.ID)
	if err != nil || m.RosterUser().LastLoginIP == "gone" {
		t.Errorf("%v, %v: want the row as it was", m, err)
	}
}

// Prepared statements that a session has lost, or that are not good any more,
// are no trouble to anybody.
func TestLostStatements(t *testing.T) {
	dsn := pgtest.DSN(t, pgtest.C)
	for name, query := range map[string]string{
		"lost":  "DEALLOCATE ALL",
		"stale": "ALTER TABLE {users} ALTER COLUMN locale TYPE varchar(1000)",
	} {
		t.Run(name, func(t *testing.T) {
			prefix := pgtest.Prefix(t, dsn)
			s, err := postgres.Open(t.Context(), dsn, postgres.Prefix(prefix), postgres.PoolSize(1))
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			u := insertUser(t, s, 1)
			calls := map[string]func(ctx context.Context) error{
				"read":  func(ctx context.Context) error { return only(s.UserByID(ctx, u.ID)) },
				"write": func(ctx context.Context) error { return s.RecordLogin(ctx, u.ID, time.Now(), "") },
				"transaction": func(ctx context.Context) error {
					return s.Atomic(ctx, func(ctx context.Context) error {
						return errors.Join(only(s.UserByID(ctx, u.ID)), s.RecordLogin(ctx, u.ID, time.Now(), ""))
					})
				},
			}
			for what, call := range calls {
				for range 2 {
					if err := call(t.Context()); err != nil {
						t.Fatal(err)
					}
				}
				change := strings.ReplaceAll(strings.ReplaceAll(query, "{", prefix), "}", "")
				if name == "stale" {
					db := pgtest.Open(t, dsn)
					_, err = db.ExecContext(t.Context(), strings.ReplaceAll(change, "1000", []string{"900", "800", "700"}[len(what)%3]))
					_ = db.Close()
				} else {
					_, err = postgres.Handle(s).ExecContext(t.Context(), change)
				}
				if err != nil {
					t.Fatal(err)
				}
				if err := call(t.Context()); err != nil {
					t.Errorf("%s: %v", what, err)
				}
			}
		})
	}
}

// No error tells a value: not of a constraint, not of what the database itself
// refuses.
func TestErrorsTellNoValues(t *testing.T) {
	s := open(t, pgtest.DSN(t, pgtest.EN))
	ctx := t.Context()
	const secret = "secret-value"
	user := func() *roster.User {
		u := benchUser(1)
		u.Name, u.NameKey = secret, secret
		return u
	}
	first := user()
	if err := s.InsertUser(ctx, first, secret); err != nil {
		t.Fatal(err)
	}
	e := &roster.UserEmail{UserID: first.ID, Address: secret, AddressKey: secret, CreatedAt: time.Now()}
	if err := s.InsertEmail(ctx, e); err != nil {
		t.Fatal(err)
	}
	unnamed, nul, broken := benchUser(2), benchUser(3), benchUser(4)
	unnamed.NameKey = ""
	nul.RealName = secret + "\x00"
	broken.RealName = secret + "\xff"
	for name, err := range map[string]error{
		"name":           s.InsertUser(ctx, user(), secret),
		"address":        s.InsertEmail(ctx, e),
		"no user":        s.PutCredential(ctx, &roster.Credential{UserID: 99, Hash: roster.NewSecret(secret)}),
		"an empty key":   s.InsertUser(ctx, unnamed, secret),
		"NUL":            s.InsertUser(ctx, nul, secret),
		"not UTF-8":      s.InsertUser(ctx, broken, secret),
		"a broken value": s.InsertUser(ctx, &roster.User{NameKey: secret, Data: roster.Data{secret: []byte(secret)}}, ""),
		"no address":     s.InsertActivation(ctx, &roster.Activation{Hash: secret, UserID: 99, EmailID: 99}),
		"an aborted transaction": s.Atomic(ctx, func(ctx context.Context) error {
			_ = s.InsertUser(ctx, user(), secret)
			return nil
		}),
	} {
		if err == nil {
			t.Errorf("%s: no error", name)
		} else if strings.Contains(err.Error(), secret) || strings.Contains(err.Error(), "users") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
