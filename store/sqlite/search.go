package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"slices"
	"strings"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/store/internal/bunstore"
)

const (
	after = " AND (u.name_key, u.id) > ($1, $2)"

	// fewUsers are those that match and the condition.
	fewUsers = "{users_search} CROSS JOIN {users} u ON u.id = {users_search}.rowid WHERE "
)

// page: what few match is asked of the trigrams and sorted, what many match is
// filtered in order.
func page(p bunstore.Parts) bunstore.Texts {
	plain, searched := "{users_name}", "{users_page}"
	switch p.State {
	case roster.StatePending:
		plain, searched = "{users_pending}", "{users_pending}"
	case roster.StateDeleted:
		plain, searched = "{users_deleted}", "{users_deleted}"
	}
	sel, end := "SELECT "+p.Columns+" FROM ", " ORDER BY "+p.Order+" LIMIT $3"
	return bunstore.Texts{
		Plain:    sel + "{users} u INDEXED BY " + plain + " WHERE " + p.Where + after + end,
		Searched: sel + "{users} u INDEXED BY " + searched + " WHERE " + p.Where + after + " AND instr(u.search, $4) > 0" + end,
		Few:      sel + fewUsers + p.Where + after + " AND instr(u.search, $4) > 0 AND {users_search} MATCH $5" + end,
	}
}

// count asks the indices alone, but for the pending and the deleted, who are
// few.
func count(p bunstore.Parts) bunstore.Texts {
	of := func(index, where, and string) string {
		return "SELECT count(*) FROM {users} u INDEXED BY " + index + " WHERE " + where + and
	}
	const live, pending, deleted = "u.deleted_at IS NULL", "u.activated_at IS NULL AND u.deleted_at IS NULL", "u.deleted_at IS NOT NULL"
	all := func(live0, and string) string {
		switch p.State {
		case roster.StatePending:
			return of("{users_pending}", pending, and)
		case roster.StateDeleted:
			return of("{users_deleted}", deleted, and)
		case roster.StateActivated:
			return "SELECT (" + of(live0, live, and) + ") - (" + of("{users_pending}", pending, and) + ")"
		default:
			return of(live0, live, and)
		}
	}
	return bunstore.Texts{
		Plain:    all("{users_name}", ""),
		Searched: all("{users_page}", " AND instr(u.search, $1) > 0"),
		Few:      "SELECT count(*) FROM " + fewUsers + p.Where + " AND instr(u.search, $1) > 0 AND {users_search} MATCH $2",
	}
}

// What tells few from many. All of it is about speed alone.
const (
	maxTrigrams = 16   // that are looked at
	useTrigrams = 4    // that are asked for
	sample      = 200  // users that have a trigram; the ID of the last tells how rare it is
	common      = 4000 // if that is it, one user in twenty has the trigram
	fewEnough   = 2000 // users to fetch and sort, rather than to go through all in order
)

// few returns an expression for those who have the rarest trigrams of the
// pattern, if they are few.
func few(constant func(string) *bunstore.Query, rows bunstore.Rows) func(context.Context, string) (string, error) {
	rarity := constant(`SELECT value FROM (
	SELECT j.value, coalesce((SELECT rowid FROM {users_search} WHERE {users_search} MATCH j.value LIMIT 1 OFFSET $2), 9223372036854775807) AS id
	FROM json_each($1) j
) WHERE id > $3 ORDER BY id DESC LIMIT $4`)
	matches := constant("SELECT count(*) FROM (SELECT 1 FROM {users_search} WHERE {users_search} MATCH $1 LIMIT $2)")
	return func(ctx context.Context, pattern string) (string, error) {
		all, err := json.Marshal(trigrams(pattern))
		if err != nil || string(all) == "null" {
			return "", err
		}
		var rare []string
		if err := rows(ctx, rarity, func(r *sql.Rows) error {
			var trigram string
			err := r.Scan(&trigram)
			rare = append(rare, trigram)
			return err
		}, string(all), sample-1, common, useTrigrams); err != nil || rare == nil {
			return "", err
		}
		expr := strings.Join(rare, " AND ")
		n := 0
		if err := rows(ctx, matches, func(r *sql.Rows) error { return r.Scan(&n) }, expr, fewEnough+1); err != nil || n > fewEnough {
			return "", err
		}
		return expr, nil
	}
}

// trigrams are all runs of three characters of the pattern, each once and
// quoted, or some of them if they are many.
func trigrams(pattern string) []string {
	runes := []rune(pattern)
	var all []string
	for i := 0; i+3 <= len(runes); i++ {
		all = append(all, `"`+strings.ReplaceAll(string(runes[i:i+3]), `"`, `""`)+`"`)
	}
	slices.Sort(all)
	all = slices.Compact(all)
	if len(all) <= maxTrigrams {
		return all
	}
	some := make([]string, maxTrigrams)
	for i := range some {
		some[i] = all[i*len(all)/maxTrigrams]
	}
	return some
}
