package bunstore

import (
	"context"
	"database/sql"
	"time"

	"github.com/go-roster/roster"
)

type activationQueries struct{ insert, byHash, redeem, void, prune *Query }

const activationColumns = "hash, purpose, user_id, email_id, created_at, expires_at"

func (s *Store) activationQueries() activationQueries {
	return activationQueries{
		insert: s.writing("INSERT INTO {activations} ("+activationColumns+") VALUES ($1, $2, $3, $4, $5, $6)", roster.FieldEmail),
		byHash: s.constant("SELECT " + activationColumns + " FROM {activations} WHERE hash = $1"),
		redeem: s.constant("DELETE FROM {activations} WHERE hash = $1 AND expires_at > $2 AND " + s.dialect.In("purpose", 3) +
			" RETURNING " + activationColumns),
		void: s.constant("DELETE FROM {activations} WHERE user_id = $1 AND (email_id = $2 OR $2 = 0) AND ($3 OR " +
			s.dialect.In("purpose", 4) + ")"),
		prune: s.planned(`WITH gone AS MATERIALIZED (
SELECT hash FROM {activations} WHERE expires_at <= $1 ORDER BY expires_at, hash LIMIT $2` + s.dialect.ForUpdate + `)
DELETE FROM {activations} WHERE hash IN (SELECT hash FROM gone)`),
	}
}

func scanActivation(a *roster.Activation) func(*sql.Rows) error {
	return func(rows *sql.Rows) error {
		return rows.Scan(&a.Hash, &a.Purpose, &a.UserID, &a.EmailID, (*moment)(&a.CreatedAt), (*moment)(&a.ExpiresAt))
	}
}

// InsertActivation implements [roster.ActivationStore]. The address must be one
// of the activation's user.
func (s *Store) InsertActivation(ctx context.Context, a *roster.Activation) error {
	_, err := s.exec(ctx, s.activation.insert, a.Hash, string(a.Purpose), int64(a.UserID), int64(a.EmailID),
		s.dialect.Time(a.CreatedAt), s.dialect.Time(a.ExpiresAt))
	return err
}

// ActivationByHash implements [roster.ActivationStore].
func (s *Store) ActivationByHash(ctx context.Context, hash string) (*roster.Activation, error) {
	a := new(roster.Activation)
	if err := s.row(ctx, s.activation.byHash, scanActivation(a), hash); err != nil {
		return nil, err
	}
	return a, nil
}

// RedeemActivation implements [roster.ActivationStore].
func (s *Store) RedeemActivation(
	ctx context.Context, hash string, now time.Time, purposes ...roster.Purpose,
) (*roster.Activation, error) {
	a := new(roster.Activation)
	err := s.returning(ctx, s.activation.redeem, scanActivation(a),
		hash, s.dialect.Time(now), s.dialect.Texts(texts(purposes)))
	switch {
	case err != nil:
		return nil, err
	case a.Hash == "":
		return nil, roster.ErrNotFound
	}
	return a, nil
}

// texts are the names as the drivers take them.
func texts[T ~string](list []T) []string {
	out := make([]string, len(list))
	for i, v := range list {
		out[i] = string(v)
	}
	return out
}

// VoidActivations implements [roster.ActivationStore].
func (s *Store) VoidActivations(
	ctx context.Context, user roster.UserID, email roster.EmailID, purposes ...roster.Purpose,
) (int, error) {
	return s.exec(ctx, s.activation.void, int64(user), int64(email), len(purposes) == 0, s.dialect.Texts(texts(purposes)))
}

// PruneActivations implements [roster.ActivationStore]. Those that expired
// first go first.
func (s *Store) PruneActivations(ctx context.Context, now time.Time, limit int) (int, error) {
	if limit <= 0 {
		return 0, s.nothing(ctx)
	}
	return s.exec(ctx, s.activation.prune, s.dialect.Time(now), limit)
}
