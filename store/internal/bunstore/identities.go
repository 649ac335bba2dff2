package bunstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"strings"

	"github.com/go-roster/roster"
)

type identityQueries struct{ insert, bySubject, of, after, update, remove *Query }

const identityColumns = "i.provider, i.subject, i.user_id, i.emails, i.data, i.created_at, i.updated_at"

func (s *Store) identityQueries() identityQueries {
	sel := "SELECT " + identityColumns + " FROM {identities} i WHERE "
	return identityQueries{
		insert: s.writing("INSERT INTO {identities} ("+strings.ReplaceAll(identityColumns, "i.", "")+
			") VALUES ("+placeholders(7)+")", roster.FieldUser),
		bySubject: s.constant("SELECT " + s.users.columns + ", " + identityColumns +
			" FROM {identities} i JOIN {users} u ON u.id = i.user_id WHERE i.provider = $1 AND i.subject = $2"),
		of:     s.constant(sel + s.dialect.In("i.user_id", 1) + " ORDER BY i.user_id, i.provider, i.subject"),
		after:  s.constant(sel + "i.provider = $1 AND i.subject > $2 ORDER BY i.subject LIMIT $3"),
		update: s.constant("UPDATE {identities} SET emails = $4, data = $5, updated_at = $6 WHERE provider = $1 AND subject = $2 AND user_id = $3"),
		remove: s.constant("DELETE FROM {identities} WHERE user_id = $1 AND ($2 = '' OR provider = $2) AND ($3 = '' OR subject = $3)"),
	}
}

// identityDests are where the columns of an identity are scanned to.
func identityDests(i *roster.UserIdentity) []any {
	return []any{
		&i.Provider, &i.Subject, &i.UserID, (*keyList)(&i.Emails), (*data)(&i.Data), (*moment)(&i.CreatedAt), (*moment)(&i.UpdatedAt),
	}
}

// keyList scans a JSON array of strings. An empty one is nil.
type keyList []string

// Scan implements [sql.Scanner].
func (t *keyList) Scan(src any) error {
	var text sql.NullString
	if err := text.Scan(src); err != nil {
		return err
	}
	*t = nil
	if text.String == "" {
		return nil
	}
	return json.Unmarshal([]byte(text.String), (*[]string)(t))
}

// encodeKeys returns what keyList scans.
func encodeKeys(list []string) (string, error) {
	if len(list) == 0 {
		return "", nil
	}
	raw, err := json.Marshal(list)
	return string(raw), err
}

// identityList runs a query for rows of identities.
func (s *Store) identityList(ctx context.Context, q *Query, args ...any) (list []*roster.UserIdentity, err error) {
	err = s.rows(ctx, q, func(rows *sql.Rows) error {
		i := new(roster.UserIdentity)
		list = append(list, i)
		return rows.Scan(identityDests(i)...)
	}, args...)
	return listed(list, err)
}

// InsertIdentity implements [roster.IdentityStore].
func (s *Store) InsertIdentity(ctx context.Context, i *roster.UserIdentity) error {
	emails, bag, err := encodeIdentity(i)
	if err != nil {
		return err
	}
	_, err = s.exec(ctx, s.identity.insert, i.Provider, i.Subject, int64(i.UserID), emails, bag,
		s.dialect.Time(i.CreatedAt), s.dialect.Time(i.UpdatedAt))
	return err
}

// encodeIdentity returns the columns that are JSON.
func encodeIdentity(i *roster.UserIdentity) (emails string, bag any, err error) {
	if bag, err = encodeData(i.Data); err != nil {
		return "", nil, err
	}
	emails, err = encodeKeys(i.Emails)
	return emails, bag, err
}

// IdentityBySubject implements [roster.IdentityStore].
func (s *Store) IdentityBySubject(
	ctx context.Context, provider, subject string,
) (i *roster.UserIdentity, m roster.Model, err error) {
	i = new(roster.UserIdentity)
	err = s.row(ctx, s.identity.bySubject, func(rows *sql.Rows) (err error) {
		m, err = s.users.scan(rows, identityDests(i)...)
		return err
	}, provider, subject)
	if err != nil {
		return nil, nil, err
	}
	return i, m, nil
}

// IdentitiesOf implements [roster.IdentityStore].
func (s *Store) IdentitiesOf(ctx context.Context, users ...roster.UserID) ([]*roster.UserIdentity, error) {
	if len(users) == 0 {
		return nil, s.nothing(ctx)
	}
	return s.identityList(ctx, s.identity.of, s.dialect.IDs(int64s(users)))
}

// IdentitiesAfter implements [roster.IdentityStore].
func (s *Store) IdentitiesAfter(
	ctx context.Context, provider, after string, limit int,
) ([]*roster.UserIdentity, error) {
	if limit <= 0 {
		return nil, s.nothing(ctx)
	}
	return s.identityList(ctx, s.identity.after, provider, after, limit)
}

// UpdateIdentity implements [roster.IdentityStore].
func (s *Store) UpdateIdentity(ctx context.Context, i *roster.UserIdentity) error {
	emails, bag, err := encodeIdentity(i)
	if err != nil {
		return err
	}
	return found(s.exec(ctx, s.identity.update, i.Provider, i.Subject, int64(i.UserID), emails, bag, s.dialect.Time(i.UpdatedAt)))
}

// DeleteIdentities implements [roster.IdentityStore].
func (s *Store) DeleteIdentities(ctx context.Context, user roster.UserID, provider, subject string) (int, error) {
	return s.exec(ctx, s.identity.remove, int64(user), provider, subject)
}
