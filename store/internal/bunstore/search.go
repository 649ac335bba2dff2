package bunstore

import (
	"context"
	"database/sql"

	"github.com/go-roster/roster"
)

// Search is how a dialect pages through users and finds what contains a
// pattern.
type Search struct {
	// Page and Count give the texts of the queries for a state. The arguments of
	// a page are the key and the ID after which it begins and the limit; behind
	// those stand, of either, the pattern and, for Few, what the function Few has
	// returned.
	Page  func(Parts) Texts
	Count func(Parts) Texts

	// Few makes the function that is asked, with the condition of the state, how
	// to find the users who match if they are few. The empty string says that
	// they are not.
	Few func(constant func(text string) *Query, rows Rows) func(ctx context.Context, contains string) (string, error)
}

// Parts are what the queries for a state are made of. They speak of the users
// u.
type Parts struct {
	State   roster.State
	Columns string
	Where   string // the condition of the state
	Order   string
}

// Texts are the texts of a query without a pattern, with one, and with one that
// few match. Near, if there is one, finds those who match among the next ones in
// order; the others are run only if they are too few for the page.
type Texts struct{ Plain, Near, Searched, Few string }

type searchQueries struct {
	pages, counts [4]searchTexts // by state
	few           func(ctx context.Context, contains string) (string, error)
}

type searchTexts struct{ plain, near, searched, few *Query }

func (s *Store) searchQueries() searchQueries {
	q := searchQueries{few: s.dialect.Search.Few(s.constant, s.rows)}
	// A name key is unique but among the deleted.
	for state, p := range []Parts{
		roster.StateActivated: {Where: "u.activated_at IS NOT NULL AND u.deleted_at IS NULL", Order: "u.name_key"},
		roster.StatePending:   {Where: "u.activated_at IS NULL AND u.deleted_at IS NULL", Order: "u.name_key"},
		roster.StateLive:      {Where: "u.deleted_at IS NULL", Order: "u.name_key"},
		roster.StateDeleted:   {Where: "u.deleted_at IS NOT NULL", Order: "u.name_key, u.id"},
	} {
		p.State, p.Columns = roster.State(state), s.users.columns
		q.pages[state] = s.searchTexts(s.dialect.Search.Page(p))
		q.counts[state] = s.searchTexts(s.dialect.Search.Count(p))
	}
	return q
}

func (s *Store) searchTexts(t Texts) searchTexts {
	q := searchTexts{plain: s.planned(t.Plain), searched: s.planned(t.Searched), few: s.planned(t.Few)}
	if t.Near != "" {
		q.near = s.planned(t.Near)
	}
	return q
}

// searching runs the query that suits the pattern, if there is one.
func (s *Store) searching(ctx context.Context, t searchTexts, contains string, scan func(*sql.Rows) error, args ...any) error {
	if contains == "" {
		return s.rows(ctx, t.plain, scan, args...)
	}
	few, err := s.search.few(ctx, contains)
	switch args = append(args, contains); {
	case err != nil:
		return err
	case few != "":
		return s.rows(ctx, t.few, scan, append(args, few)...)
	default:
		return s.rows(ctx, t.searched, scan, args...)
	}
}

// of returns what is for the state. An unknown one is live.
func of(texts *[4]searchTexts, state roster.State) searchTexts {
	if int(state) >= len(texts) {
		state = roster.StateLive
	}
	return texts[state]
}

// UserPage implements [roster.UserStore].
func (s *Store) UserPage(ctx context.Context, q roster.UserQuery) (ms []roster.Model, err error) {
	if q.Limit <= 0 {
		return nil, s.nothing(ctx)
	}
	t := of(&s.search.pages, q.State)
	args := []any{q.AfterKey, int64(q.AfterID), q.Limit}
	if q.Contains != "" && t.near != nil {
		err := s.rows(ctx, t.near, s.users.many(&ms), append(args, q.Contains)...)
		if err != nil || len(ms) == q.Limit {
			return listed(ms, err)
		}
		ms = nil
	}
	err = s.searching(ctx, t, q.Contains, s.users.many(&ms), args...)
	return listed(ms, err)
}

// CountUsers implements [roster.UserStore].
func (s *Store) CountUsers(ctx context.Context, q roster.UserQuery) (n int, err error) {
	err = s.searching(ctx, of(&s.search.counts, q.State), q.Contains, func(rows *sql.Rows) error { return rows.Scan(&n) })
	return n, err
}
