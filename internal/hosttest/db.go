package hosttest

import (
	"context"
	"database/sql"
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"github.com/go-roster/roster"
)

func newUser(name string) *roster.User {
	now := time.Now().UTC().Truncate(time.Microsecond)
	return &roster.User{UUID: uuid.New(), Name: name, NameKey: name, Enabled: true, CreatedAt: now, UpdatedAt: now}
}

// What the host writes and what roster writes are committed together, and nobody
// sees either before.
func dbAtomic(t *testing.T, p *Place) {
	outer := t.Context()
	for _, result := range []error{errHost, nil} {
		err := p.Store.Atomic(outer, func(ctx context.Context) error {
			ann, err := p.user(ctx, "ann")
			ok(t, err)
			ok(t, order(ctx, p.Store.DB(ctx), ann, "lamp"))
			_, err = p.Store.SQL(ctx).ExecContext(ctx, "INSERT INTO orders (user_id, item) VALUES ($1, $2)", int64(ann.ID), "desk")
			ok(t, err)
			_, err = p.Store.DB(ctx).ExecContext(ctx, "INSERT INTO orders (user_id, item) VALUES (?, ?)", ann.ID, "it's a ? chair")
			ok(t, err)
			var n int
			ok(t, p.Store.SQL(ctx).QueryRowContext(ctx, "SELECT count(*) FROM orders WHERE user_id = $1", int64(ann.ID)).Scan(&n))
			if n != 3 {
				t.Errorf("%d orders inside, want 3", n)
			}
			p.rows(t, 0, 0)
			return result
		})
		fails(t, "Atomic", err, result)
	}
	p.rows(t, 1, 3)
}

// A statement of the host that fails dooms as one of roster does, on every
// database; and a call of roster that fails stops the host.
func dbDoom(t *testing.T, p *Place) {
	outer := t.Context()
	bad := "INSERT INTO orders (user_id, item) VALUES (-1, 'nobody')"
	for what, fail := range map[string]func(ctx context.Context) error{
		"Exec":      func(ctx context.Context) error { _, err := p.Store.SQL(ctx).ExecContext(ctx, bad); return err },
		"bun's":     func(ctx context.Context) error { _, err := p.Store.DB(ctx).ExecContext(ctx, bad); return err },
		"a builder": func(ctx context.Context) error { return order(ctx, p.Store.DB(ctx), &roster.User{ID: -1}, "x") },
		"QueryRow": func(ctx context.Context) error {
			return p.Store.SQL(ctx).QueryRowContext(ctx, bad+" RETURNING id").Scan(new(int))
		},
		"Query": func(ctx context.Context) error {
			rows, err := p.Store.SQL(ctx).QueryContext(ctx, "SELECT nothing FROM nowhere")
			if err == nil {
				err = errors.Join(rows.Err(), rows.Close())
			}
			return err
		},
		"Prepare": func(ctx context.Context) error {
			_, err := p.Store.SQL(ctx).PrepareContext(ctx, "SELECT nothing FROM nowhere")
			return err
		},
	} {
		err := p.Store.Atomic(outer, func(ctx context.Context) error {
			_, err := p.user(ctx, "ann")
			ok(t, err)
			if err := fail(ctx); err == nil || errors.Is(err, roster.ErrTxAborted) {
				t.Errorf("%s: %v, want the error of the driver", what, err)
			}
			_, err = p.user(ctx, "ben")
			fails(t, "roster's after "+what, err, roster.ErrTxAborted)
			p.refuses(ctx, t, "after "+what, roster.ErrTxAborted)
			return nil
		})
		fails(t, "Atomic after "+what, err, roster.ErrTxAborted)
		if errors.Is(err, roster.ErrConflict) {
			t.Errorf("Atomic after %s: %v, as if it were a conflict of roster's", what, err)
		}
	}
	err := p.Store.Atomic(outer, func(ctx context.Context) error {
		_, err := p.user(ctx, "ann")
		ok(t, err)
		_, err = p.user(ctx, "ann")
		fails(t, "a taken name", err, roster.ErrConflict)
		p.refuses(ctx, t, "after a conflict", roster.ErrTxAborted)
		return nil
	})
	fails(t, "Atomic", err, roster.ErrTxAborted)
	p.rows(t, 0, 0)
}

// refuses wants every way of the host to fail so.
func (p *Place) refuses(ctx context.Context, t testing.TB, when string, want error) {
	t.Helper()
	refused(ctx, t, p.Store.DB(ctx), p.Store.SQL(ctx), when, want)
}

func refused(ctx context.Context, t testing.TB, db bun.IDB, plain Conn, when string, want error) {
	t.Helper()
	for name, conn := range map[string]interface {
		ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
		QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
		QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
	}{"DB": db, "SQL": plain} {
		_, err := conn.ExecContext(ctx, "DELETE FROM orders")
		fails(t, name+": Exec "+when, err, want)
		rows, err := conn.QueryContext(ctx, "SELECT 1")
		fails(t, name+": Query "+when, err, want)
		if err == nil {
			ok(t, errors.Join(rows.Err(), rows.Close()))
		}
		fails(t, name+": QueryRow "+when, conn.QueryRowContext(ctx, "SELECT 1").Scan(new(int)), want)
	}
	_, err := plain.PrepareContext(ctx, "SELECT 1")
	fails(t, "Prepare "+when, err, want)
	fails(t, "a builder "+when, db.NewSelect().Model(&[]Order{}).Scan(ctx), want)
	_, err = db.BeginTx(ctx, nil)
	fails(t, "BeginTx "+when, err, want)
	fails(t, "RunInTx "+when, db.RunInTx(ctx, nil, func(context.Context, bun.Tx) error { return nil }), want)
}

// An inner Atomic that fails after a statement of the host dooms the outer one,
// however it was written.
func dbInner(t *testing.T, p *Place) {
	outer := t.Context()
	for what, write := range map[string]func(ctx context.Context, stmt *sql.Stmt, ann *roster.User) error{
		"DB": func(ctx context.Context, _ *sql.Stmt, ann *roster.User) error {
			return order(ctx, p.Store.DB(ctx), ann, "desk")
		},
		"SQL": func(ctx context.Context, _ *sql.Stmt, ann *roster.User) error {
			return p.Store.SQL(ctx).QueryRowContext(ctx, "INSERT INTO orders (user_id, item) VALUES ($1, 'desk') RETURNING id", int64(ann.ID)).Scan(new(int64))
		},
		"a prepared one": func(ctx context.Context, stmt *sql.Stmt, ann *roster.User) error {
			_, err := stmt.ExecContext(ctx, int64(ann.ID))
			return err
		},
	} {
		err := p.Store.Atomic(outer, func(ctx context.Context) error {
			ann, err := p.user(ctx, "ann")
			ok(t, err)
			var stmt *sql.Stmt
			if what == "a prepared one" {
				stmt, err = p.Store.SQL(ctx).PrepareContext(ctx, "INSERT INTO orders (user_id, item) VALUES ($1, 'desk')")
				ok(t, err)
				defer stmt.Close()
			}
			fails(t, "the inner one", p.Store.Atomic(ctx, func(ctx context.Context) error {
				ok(t, write(ctx, stmt, ann))
				return errHost
			}), errHost)
			return nil
		})
		fails(t, "Atomic after "+what, err, roster.ErrTxAborted)
	}
	p.rows(t, 0, 0)
}

// What is kept past the end of the transaction answers ErrTxDone.
func dbKept(t *testing.T, p *Place) {
	var kept context.Context
	var db bun.IDB
	var plain Conn
	for _, result := range []error{nil, errHost} {
		fails(t, "Atomic", p.Store.Atomic(t.Context(), func(ctx context.Context) error {
			kept, db, plain = ctx, p.Store.DB(ctx), p.Store.SQL(ctx) //nolint:fatcontext // kept on purpose
			return result
		}), result)
		p.refuses(kept, t, "with a context kept", roster.ErrTxDone)
		refused(t.Context(), t, db, plain, "kept, with another context", roster.ErrTxDone)
	}
}

// The host cannot end, or divide, roster's transaction.
func dbEnds(t *testing.T, p *Place) {
	fails(t, "Atomic", p.Store.Atomic(t.Context(), func(ctx context.Context) error {
		ann, err := p.user(ctx, "ann")
		ok(t, err)
		db := p.Store.DB(ctx)
		ok(t, order(ctx, db, ann, "lamp"))
		for _, v := range []any{db, p.Store.SQL(ctx)} {
			switch v.(type) {
			case interface{ Commit() error }, interface{ Rollback() error }, bun.Tx, *sql.Tx:
				t.Errorf("%T can end a transaction", v)
			}
		}
		if _, err := db.BeginTx(ctx, nil); err == nil {
			t.Error("BeginTx inside a transaction")
		}
		if err := db.RunInTx(ctx, nil, func(context.Context, bun.Tx) error { return nil }); err == nil {
			t.Error("RunInTx inside a transaction")
		}
		for _, query := range []string{
			"COMMIT", "commit", " ;\n rollback ", "-- a comment\nEND", "/* one */ -- two\n ABORT", "BEGIN", "savepoint x",
			"Release x", "START TRANSACTION", "PREPARE TRANSACTION 'x'", "COMMIT;",
		} {
			if _, err := db.ExecContext(ctx, query); err == nil || errors.Is(err, roster.ErrTxAborted) {
				t.Errorf("%q: %v, want it refused", query, err)
			}
			if err := db.NewRaw(query).Scan(ctx); err == nil {
				t.Errorf("%q as a query", query)
			}
		}
		_, err = p.user(ctx, "ben") // what was refused has doomed nothing
		ok(t, err)
		return errHost
	}), errHost)
	p.rows(t, 0, 0)
}

// Outside of a transaction the host's statements run alone, and wait for others
// as those of roster do.
func dbOutside(t *testing.T, p *Place) {
	ctx := t.Context()
	ann, err := p.user(ctx, "ann")
	ok(t, err)
	db := p.Store.DB(ctx)
	ok(t, order(ctx, db, ann, "lamp"))
	p.rows(t, 1, 1)
	fails(t, "RunInTx", db.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		ok(t, order(ctx, tx, ann, "desk"))
		return errHost
	}), errHost)
	func() {
		defer func() { _ = recover() }()
		_ = db.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
			ok(t, order(ctx, tx, ann, "desk"))
			panic(1)
		})
	}()
	ok(t, db.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error { return order(ctx, tx, ann, "chair") }))
	p.rows(t, 1, 2)
	within, written := make(chan struct{}), make(chan error, 2)
	ok(t, p.Store.Atomic(ctx, func(inner context.Context) error { // the writer, where there is one at a time
		_, err := p.user(inner, "ben")
		go func() {
			close(within)
			written <- order(ctx, db, ann, "bed")
			written <- db.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error { return order(ctx, tx, ann, "rug") })
		}()
		<-within
		time.Sleep(Busy / 4) // not a check: it gives the other something to wait for
		return err
	}))
	ok(t, <-written)
	ok(t, <-written)
	p.rows(t, 2, 4)
}

// A statement is in the transaction of its own context, else in that which DB was
// called with.
func dbBound(t *testing.T, p *Place) {
	outer := t.Context()
	early := p.Store.DB(outer)
	fails(t, "Atomic", p.Store.Atomic(outer, func(ctx context.Context) error {
		ann, err := p.user(ctx, "ann")
		ok(t, err)
		ok(t, order(ctx, early, ann, "made before"))
		ok(t, order(outer, p.Store.DB(ctx), ann, "with the context outside"))
		return errHost
	}), errHost)
	p.rows(t, 0, 0)
}

// The builders of bun work in the transaction, also those that ask more than one
// question.
func dbBuilders(t *testing.T, p *Place) {
	fails(t, "Atomic", p.Store.Atomic(t.Context(), func(ctx context.Context) error {
		ann, err := p.user(ctx, "ann")
		ok(t, err)
		db := p.Store.DB(ctx)
		o := &Order{UserID: ann.ID, Item: "lamp"}
		_, err = db.NewInsert().Model(o).Exec(ctx)
		ok(t, err)
		_, err = db.NewInsert().Model(&[]*Line{{OrderID: o.ID, Text: "one"}, {OrderID: o.ID, Text: "two"}}).Exec(ctx)
		ok(t, err)
		_, err = db.NewUpdate().Model(o).Set("item = ?", "big lamp").WherePK().Exec(ctx)
		ok(t, err)
		var all []*Order
		n, err := db.NewSelect().Model(&all).Relation("Lines").ScanAndCount(ctx)
		ok(t, err)
		if n != 1 || len(all) != 1 || len(all[0].Lines) != 2 || all[0].Item != "big lamp" {
			t.Errorf("%d orders: %+v", n, all)
		}
		there, err := db.NewSelect().Model(o).WherePK().Exists(ctx)
		ok(t, err)
		var one int
		ok(t, db.NewRaw("SELECT ?", 1).Scan(ctx, &one))
		fails(t, "no rows", db.NewSelect().Model(new(Order)).Where("id = -1").Scan(ctx), sql.ErrNoRows)
		_, err = db.NewDelete().Model(o).WherePK().Exec(ctx)
		ok(t, err)
		if !there || one != 1 || db.Dialect() == nil {
			t.Error("a builder saw something else")
		}
		_, err = p.user(ctx, "ben") // finding nothing dooms nothing
		ok(t, err)
		return errHost
	}), errHost)
	p.rows(t, 0, 0)
}

// A transaction that the database gives up because of a statement of the host runs
// again.
func dbRetry(t *testing.T, p *Place) {
	ctx := t.Context()
	ann, err := p.user(ctx, "ann")
	ok(t, err)
	ok(t, order(ctx, p.Store.DB(ctx), ann, "a"))
	ok(t, order(ctx, p.Store.DB(ctx), ann, "b"))
	met := make(chan struct{}, 2)
	errs := make(chan error, 2)
	for _, items := range [][2]string{{"a", "b"}, {"b", "a"}} {
		go func() {
			tries := 0
			errs <- p.Store.Atomic(ctx, func(ctx context.Context) error {
				tries++
				for i, item := range items { // crosswise, so that one of the two is given up
					if _, err := p.Store.SQL(ctx).ExecContext(ctx, "UPDATE orders SET user_id = user_id WHERE item = $1", item); err != nil {
						return errHost // hidden, and yet it is known
					}
					if i == 0 && tries == 1 {
						met <- struct{}{}
						for n := 0; n < 20 && len(met) < 2; n++ {
							time.Sleep(5 * time.Millisecond)
						}
					}
				}
				return nil
			})
		}()
	}
	ok(t, <-errs)
	ok(t, <-errs)
}

// A mailer is a hook inside the transaction of a verb: what it writes is part of
// it.
func dbEvent(t *testing.T, p *Place) {
	for _, result := range []error{errHost, nil} {
		users, err := roster.New(p.Store, &roster.Options{Mailer: roster.MailerFunc(func(ctx context.Context, m roster.Mail) error {
			return errors.Join(order(ctx, p.Store.DB(ctx), &roster.User{ID: m.User.ID}, "welcome"), result)
		})})
		ok(t, err)
		_, err = users.Register(t.Context(), roster.NewUser{Name: "ann", Email: "ann@example.org", Password: "correct horse battery"})
		fails(t, "Register", err, result)
	}
	p.rows(t, 1, 1)
}
