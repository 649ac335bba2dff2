package storebench

import (
	"context"
	"database/sql"
	"testing"
	"time"

	"github.com/go-roster/roster"
)

// patterns are what to search among a million for.
var patterns = []struct{ name, text string }{
	{"absent", "nobody"},
	{"one", "user0987654"},
	{"rare", "lindqvist"},
	{"some", "meyer123"},
	{"many", "olga meyer"},
	{"all", "user"},
	{"all_at_the_end", "user099"},
	{"short", "ma"},
	{"short_absent", "qq"},
}

// Searches looks for text among a million users, beside LIKE, which is the
// condition like on u with one placeholder; and for pages of them all.
func Searches(b *testing.B, p *Place, like string) {
	s := p.Store
	plain := "SELECT " + Columns + " FROM " + p.Prefix + "users u WHERE " + like +
		" AND u.deleted_at IS NULL AND u.activated_at IS NOT NULL ORDER BY u.name_key LIMIT 20"
	for _, pattern := range patterns {
		b.Run(pattern.name, func(b *testing.B) {
			start := time.Now()
			if err := drain(p.DB.QueryContext(b.Context(), plain, "%"+pattern.text+"%")); err != nil {
				b.Fatal(err)
			}
			took := time.Since(start)
			q := roster.UserQuery{Contains: pattern.text, Limit: 20}
			b.ReportMetric(Median(b, func() error { return only(s.UserPage(b.Context(), q)) }), "ms/ours")
			b.ReportMetric(took.Seconds()*1000, "ms/LIKE")
		})
	}
	for name, text := range map[string]string{"rare": "lindqvist", "all": ""} {
		b.Run("count/"+name, func(b *testing.B) {
			for b.Loop() {
				if n, err := s.CountUsers(b.Context(), roster.UserQuery{Contains: text}); err != nil || n == 0 {
					b.Fatal(n, err)
				}
			}
		})
	}
	b.Run("page", func(b *testing.B) { pages(b, s) })
}

// pages compares the last of 10,000 pages with the first.
func pages(b *testing.B, s roster.Store) {
	far := roster.UserQuery{State: roster.StateLive, AfterKey: "user0999990", Limit: 100}
	if ms, err := s.UserPage(b.Context(), far); err != nil || len(ms) == 0 || len(ms) > 20 {
		b.Fatal(len(ms), err)
	}
	far.AfterKey = "user0999800"
	first := roster.UserQuery{State: roster.StateLive, Limit: 100}
	page := func(ctx context.Context, q roster.UserQuery) func() error {
		return func() error { return only(s.UserPage(ctx, q)) }
	}
	Compare(b, page(b.Context(), far), page(b.Context(), first))
}

func drain(rows *sql.Rows, err error) error {
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() { // the rows are of no interest
	}
	return rows.Err()
}
