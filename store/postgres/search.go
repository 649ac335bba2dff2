package postgres

import (
	"context"
	"database/sql"
	"strings"

	"github.com/go-roster/roster/store/internal/bunstore"
)

const after = " AND (u.name_key, u.id) > ($1, $2)"

// page: what many match turns up among the next users in order. If it does not,
// those who match are found by their trigrams and sorted; an expression to sort
// by keeps the planner from filtering all users in order.
func page(p bunstore.Parts) bunstore.Texts {
	sel, end := "SELECT "+p.Columns+" FROM ", " ORDER BY "+p.Order+" LIMIT $3"
	far := sel + "{users} u WHERE " + p.Where + after + " AND strpos(u.search, $4) > 0"
	sorted := " ORDER BY u.name_key || '', u.id LIMIT $3"
	return bunstore.Texts{
		Plain: sel + "{users} u WHERE " + p.Where + after + end,
		Near: sel + "(SELECT " + p.Columns + ", u.search FROM {users} u WHERE " + p.Where + after +
			" ORDER BY " + p.Order + " LIMIT 2000 + $3) u WHERE strpos(u.search, $4) > 0" + end,
		Searched: far + sorted,
		Few:      far + " AND u.search LIKE $5" + sorted,
	}
}

func count(p bunstore.Parts) bunstore.Texts {
	all := "SELECT count(*) FROM {users} u WHERE " + p.Where
	searched := all + " AND strpos(u.search, $1) > 0"
	return bunstore.Texts{Plain: all, Searched: searched, Few: searched + " AND u.search LIKE $2"}
}

// few returns a pattern for LIKE that the users must match too and for which
// the trigram index is read: the longest part of the pattern without trigrams
// that many have, as to read where those are takes longer than to look at the
// users. What many have is told by some users.
func few(constant func(string) *bunstore.Query, rows bunstore.Rows) func(context.Context, string) (string, error) {
	some := constant("SELECT u.search FROM {users} u LIMIT 300")
	return func(ctx context.Context, pattern string) (string, error) {
		runes := []rune(pattern)
		if len(runes) < 3 {
			return "", nil
		}
		seen, common := 0, make([]int, len(runes)-2)
		if err := rows(ctx, some, func(r *sql.Rows) error {
			var text string
			err := r.Scan(&text)
			seen++
			for i := range common {
				if strings.Contains(text, string(runes[i:i+3])) {
					common[i]++
				}
			}
			return err
		}); err != nil {
			return "", err
		}
		best := runes
		var part []rune
		for from, i := 0, 0; i < len(common); i++ {
			if common[i]*20 > seen {
				from = i + 1
				continue
			}
			if i+3-from > len(part) {
				part = runes[from : i+3]
				best = part
			}
		}
		return "%" + literal.Replace(string(best)) + "%", nil
	}
}

// literal makes every character an ordinary one for LIKE.
var literal = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)
