package bunstore

import (
	"context"
	"database/sql"
	"errors"
	"reflect"
	"sync"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/store/internal/txn"
)

// Join makes a context in which the store works in a transaction that the host
// has begun, on whatever handle, and will end. The comments of the stores say
// more.
func (s *Store) Join(ctx context.Context, host *sql.Tx) (context.Context, func(error) error, error) {
	if host == nil {
		return nil, nil, s.refused("there is no transaction to join", nil)
	}
	t := &tx{session: &session{Tx: host, store: s, joined: true, guest: !ofHandle(host, s.db.DB)}, leave: func() {}}
	joined, end, nested, err := s.txns.Join(ctx, t, func(outer *tx) bool { return outer.Tx == host })
	if errors.Is(err, txn.ErrElsewhere) {
		return nil, nil, s.refused("the context is in another transaction of this store", nil)
	}
	if err != nil {
		return nil, nil, err
	}
	if !nested {
		if err := s.admit(ctx, t); err != nil {
			end(false)
			return nil, nil, err
		}
	}
	var once sync.Once
	return joined, func(outcome error) error {
		once.Do(func() {
			if outcome == nil && !nested && !ended(ctx, host) {
				outcome = s.refused("the joined transaction was said to be committed, and is not", nil)
			}
			end(outcome == nil)
		})
		return outcome
	}, nil
}

// admit refuses a transaction of another database.
func (s *Store) admit(ctx context.Context, t *tx) error {
	if !t.guest {
		return nil
	}
	place, err := s.dialect.Place(ctx, t.Tx, s.prefix)
	if err != nil {
		var foreign *Error
		if err := s.failed(ctx, nil, true, false, err); !errors.As(err, &foreign) || errors.Is(err, roster.ErrUnavailable) {
			return err
		}
		return s.refused("the transaction is not of this database", err)
	}
	own, err := s.place(ctx)
	if err != nil {
		return err
	}
	if !s.dialect.Same(own, place) {
		return s.refused("the transaction is not of this database", nil)
	}
	return nil
}

// place is where the store's own database is.
func (s *Store) place(ctx context.Context) (string, error) {
	if own := s.own.Load(); own != nil {
		return *own, nil
	}
	place, err := s.dialect.Place(ctx, s.db.DB, s.prefix)
	if err != nil {
		return "", s.failed(ctx, nil, false, false, err)
	}
	s.own.Store(&place)
	return place, nil
}

func (s *Store) refused(text string, cause error) error {
	return &Error{s.dialect.Name + ": " + text, cause}
}

// ended reports whether the transaction has ended. It asks the database only if it
// has not.
func ended(ctx context.Context, tx *sql.Tx) bool {
	_, err := tx.ExecContext(context.WithoutCancel(ctx), "SELECT 1")
	return errors.Is(err, sql.ErrTxDone)
}

// ofHandle reports whether the transaction was begun by the handle, as far as
// that can be known: database/sql does not tell, so it looks. What it does not
// recognize is a guest, which costs a question to the database, and no more.
func ofHandle(tx *sql.Tx, db *sql.DB) bool {
	field := reflect.ValueOf(tx).Elem().FieldByName("db")
	return field.IsValid() && field.Kind() == reflect.Pointer && field.Pointer() == reflect.ValueOf(db).Pointer()
}
