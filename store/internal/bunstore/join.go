package bunstore

import (
	"context"
	"database/sql"
	"errors"
	"reflect"
	"slices"
	"sync"
	"time"

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
	if errors.Is(err, roster.ErrTxDone) {
		return nil, nil, s.refused("the context is that of a transaction that has ended: join with the one that it was made from", err)
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
	d := done{end: end}
	if !nested {
		d.check = func() (early bool, err error) { return s.checkCommit(ctx, t) }
	}
	return joined, d.tell, nil
}

// done is told how a transaction of the host ended.
type done struct {
	end   func(committed bool)
	check func() (early bool, err error) // nil: whoever says so is believed

	mu   sync.Mutex
	told bool
	lost error // why what waited for the commit never runs
}

func (d *done) tell(outcome error) error {
	d.mu.Lock()
	if d.told {
		defer d.mu.Unlock()
		if outcome == nil {
			return d.lost
		}
		return outcome
	}
	if outcome == nil && d.check != nil {
		var early bool
		if early, outcome = d.check(); early {
			d.mu.Unlock()
			return outcome
		}
	}
	d.told, d.lost = true, outcome
	d.mu.Unlock() // what waited may take its time
	d.end(outcome == nil)
	return outcome
}

// checkCommit refuses to believe that a transaction was committed which has not
// ended, early, or of which nothing is there.
func (s *Store) checkCommit(ctx context.Context, t *tx) (early bool, err error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), backTimeout)
	defer cancel()
	if !ended(ctx, t.Tx) {
		return true, s.refused("the joined transaction was said to be committed, and has not ended: say so when Commit has returned", nil)
	}
	t.mu.Lock()
	written := t.events
	t.mu.Unlock()
	if len(written) == 0 {
		return false, nil
	}
	ids := make([]int64, len(written))
	for i, e := range written {
		ids[i] = e.id
	}
	kept := false
	err = s.ask(ctx, s.event.byIDs, false, func(rows *sql.Rows) error {
		var one noted
		err := rows.Scan(&one.id, (*moment)(&one.at))
		kept = kept || slices.ContainsFunc(written, func(e noted) bool { return e.id == one.id && e.at.Equal(one.at) })
		return err
	}, []any{s.dialect.IDs(ids)})
	if err == nil && !kept { // an error says nothing about it
		return false, s.refused("the joined transaction was said to be committed, and nothing that was written in it is there", nil)
	}
	return false, nil
}

// noted is an event that was written in a joined transaction, so that what became
// of that can be told: every verb that changes something writes one.
type noted struct {
	id int64
	at time.Time
}

// maxNoted is how many are kept in mind: of one that has many, most are there or
// none.
const maxNoted = 64

// note keeps an event in mind, if the transaction in ctx is a joined one.
func (s *Store) note(ctx context.Context, id int64, at time.Time) {
	t, inside, err := s.txns.Tx(ctx)
	if err != nil || !inside || !t.joined {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.events) < maxNoted {
		t.events = append(t.events, noted{id, at.Truncate(time.Microsecond)})
	}
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
	_, err := tx.ExecContext(ctx, "SELECT 1")
	return errors.Is(err, sql.ErrTxDone)
}

// ofHandle reports whether the transaction was begun by the handle, as far as
// that can be known: database/sql does not tell, so it looks. What it does not
// recognize is a guest, which costs a question to the database, and no more.
func ofHandle(tx *sql.Tx, db *sql.DB) bool {
	field := reflect.ValueOf(tx).Elem().FieldByName("db")
	return field.IsValid() && field.Kind() == reflect.Pointer && field.Pointer() == reflect.ValueOf(db).Pointer()
}
