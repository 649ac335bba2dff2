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
	// those stand, of either, the pattern and what Few has returned.
	Page  func(Parts) Texts
	Count func(Parts) Texts

	// Pattern makes an argument of a pattern.
	Pattern func(contains string) any

	// Few, if not nil, makes the function that tells by which text to search:
	// the empty string is Searched.
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
// few match.
type Texts struct{ Plain, Searched, Few string }

type searchQueries struct {
	pages, counts [4]searchTexts // by state
	few           func(ctx context.Context, contains string) (string, error)
}

type searchTexts struct{ plain, searched, few *Query }

func (s *Store) searchQueries() searchQueries {
	q := searchQueries{few: func(context.Context, string) (string, error) { return "", nil }}
	if s.dialect.Search.Few != nil {
		q.few = s.dialect.Search.Few(s.constant, s.rows)
	}
	// A name key is unique but among the deleted.
	for state, p := range []Parts{
		roster.StateActive:  {Where: "u.activated_at IS NOT NULL AND u.deleted_at IS NULL", Order: "u.name_key"},
		roster.StatePending: {Where: "u.activated_at IS NULL AND u.deleted_at IS NULL", Order: "u.name_key"},
		roster.StateLive:    {Where: "u.deleted_at IS NULL", Order: "u.name_key"},
		roster.StateDeleted: {Where: "u.deleted_at IS NOT NULL", Order: "u.name_key, u.id"},
	} {
		p.State, p.Columns = roster.State(state), s.users.columns
		q.pages[state] = s.searchTexts(s.dialect.Search.Page(p))
		q.counts[state] = s.searchTexts(s.dialect.Search.Count(p))
	}
	return q
}

func (s *Store) searchTexts(t Texts) searchTexts {
	return searchTexts{plain: s.planned(t.Plain), searched: s.planned(t.Searched), few: s.planned(t.Few)}
}

// searching chooses the query for the pattern, if there is one, and adds its
// arguments.
func (s *Store) searching(ctx context.Context, t searchTexts, contains string, args ...any) (*Query, []any, error) {
	if contains == "" {
		return t.plain, args, nil
	}
	args = append(args, s.dialect.Search.Pattern(contains))
	switch few, err := s.search.few(ctx, contains); {
	case err != nil:
		return nil, nil, err
	case few != "":
		return t.few, append(args, few), nil
	default:
		return t.searched, args, nil
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
	query, args, err := s.searching(ctx, of(&s.search.pages, q.State), q.Contains, q.AfterKey, int64(q.AfterID), q.Limit)
	if err != nil {
		return nil, err
	}
	err = s.rows(ctx, query, s.users.many(&ms), args...)
	return listed(ms, err)
}

// CountUsers implements [roster.UserStore].
func (s *Store) CountUsers(ctx context.Context, q roster.UserQuery) (n int, err error) {
	query, args, err := s.searching(ctx, of(&s.search.counts, q.State), q.Contains)
	if err != nil {
		return 0, err
	}
	err = s.rows(ctx, query, func(rows *sql.Rows) error { return rows.Scan(&n) }, args...)
	return n, err
}
