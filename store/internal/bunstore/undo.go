package bunstore

import (
	"context"
	"database/sql"
	"time"

	"github.com/go-roster/roster"
)

type undoQueries struct{ insert, byHash, of, redeem, void, prune *Query }

const undoColumns = "hash, user_id, address, address_key, rank, created_at, expires_at"

func (s *Store) undoQueries() undoQueries {
	return undoQueries{
		insert: s.writing("INSERT INTO {undos} ("+undoColumns+") VALUES ($1, $2, $3, $4, $5, $6, $7)", roster.FieldUser),
		byHash: s.constant("SELECT " + undoColumns + " FROM {undos} WHERE hash = $1"),
		of:     s.constant("SELECT " + undoColumns + " FROM {undos} WHERE user_id = $1 ORDER BY rank, hash"),
		redeem: s.constant("DELETE FROM {undos} WHERE hash = $1 AND expires_at > $2 RETURNING " + undoColumns),
		void:   s.constant("DELETE FROM {undos} WHERE user_id = $1 AND (address_key = $2 OR rank > $3)"),
		prune: s.planned(`WITH gone AS MATERIALIZED (
SELECT hash FROM {undos} WHERE expires_at <= $1 ORDER BY expires_at, hash LIMIT $2` + s.dialect.ForUpdate + `)
DELETE FROM {undos} WHERE hash IN (SELECT hash FROM gone)`),
	}
}

func scanUndo(u *roster.Undo) func(*sql.Rows) error {
	return func(rows *sql.Rows) error {
		return rows.Scan(&u.Hash, &u.UserID, &u.Address, &u.AddressKey, &u.Rank, (*moment)(&u.CreatedAt), (*moment)(&u.ExpiresAt))
	}
}

// InsertUndo implements [roster.UndoStore].
func (s *Store) InsertUndo(ctx context.Context, u *roster.Undo) error {
	_, err := s.exec(ctx, s.undo.insert, u.Hash, int64(u.UserID), u.Address, u.AddressKey, u.Rank,
		s.dialect.Time(u.CreatedAt), s.dialect.Time(u.ExpiresAt))
	return err
}

// UndoByHash implements [roster.UndoStore].
func (s *Store) UndoByHash(ctx context.Context, hash string) (*roster.Undo, error) {
	u := new(roster.Undo)
	if err := s.row(ctx, s.undo.byHash, scanUndo(u), hash); err != nil {
		return nil, err
	}
	return u, nil
}

// UndosOf implements [roster.UndoStore].
func (s *Store) UndosOf(ctx context.Context, user roster.UserID) ([]*roster.Undo, error) {
	var list []*roster.Undo
	err := s.rows(ctx, s.undo.of, func(rows *sql.Rows) error {
		u := new(roster.Undo)
		list = append(list, u)
		return scanUndo(u)(rows)
	}, int64(user))
	return listed(list, err)
}

// RedeemUndo implements [roster.UndoStore].
func (s *Store) RedeemUndo(ctx context.Context, hash string, now time.Time) (*roster.Undo, error) {
	u := new(roster.Undo)
	err := s.returning(ctx, s.undo.redeem, scanUndo(u), hash, s.dialect.Time(now))
	switch {
	case err != nil:
		return nil, err
	case u.Hash == "":
		return nil, roster.ErrNotFound
	}
	return u, nil
}

// VoidUndos implements [roster.UndoStore].
func (s *Store) VoidUndos(ctx context.Context, user roster.UserID, key string, above int64) (int, error) {
	return s.exec(ctx, s.undo.void, int64(user), key, above)
}

// PruneUndos implements [roster.UndoStore]. Those that expired first go first.
func (s *Store) PruneUndos(ctx context.Context, now time.Time, limit int) (int, error) {
	if limit <= 0 {
		return 0, s.nothing(ctx)
	}
	return s.exec(ctx, s.undo.prune, s.dialect.Time(now), limit)
}
