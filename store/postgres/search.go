package postgres

import (
	"strings"

	"github.com/go-roster/roster/store/internal/bunstore"
)

const after = " AND (u.name_key, u.id) > ($1, $2)"

// page: what many match turns up soon if users are filtered in order. If it
// does not, those who match are found by their trigrams and sorted; an
// expression to sort by keeps the planner from filtering all users in order.
func page(p bunstore.Parts) bunstore.Texts {
	plain := strings.ReplaceAll(p.Columns, "u.", "")
	return bunstore.Texts{
		Plain: "SELECT " + p.Columns + " FROM {users} u WHERE " + p.Where + after + " ORDER BY " + p.Order + " LIMIT $3",
		Searched: `WITH near AS MATERIALIZED (
	SELECT ` + p.Columns + ` FROM (
		SELECT ` + p.Columns + `, u.search FROM {users} u WHERE ` + p.Where + after + ` ORDER BY ` + p.Order + ` LIMIT 2000 + $3
	) u WHERE u.search LIKE $4 ORDER BY ` + p.Order + ` LIMIT $3
), far AS (
	SELECT ` + p.Columns + ` FROM {users} u
	WHERE (SELECT count(*) FROM near) < $3 AND u.search LIKE $4 AND ` + p.Where + after + `
	ORDER BY u.name_key || '', u.id LIMIT $3
)
SELECT ` + plain + ` FROM near WHERE (SELECT count(*) FROM near) >= $3
UNION ALL SELECT ` + plain + ` FROM far ORDER BY name_key, id`,
	}
}

func count(p bunstore.Parts) bunstore.Texts {
	all := "SELECT count(*) FROM {users} u WHERE " + p.Where
	return bunstore.Texts{Plain: all, Searched: all + " AND u.search LIKE $1"}
}

var literal = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)

// pattern is for LIKE, with every character an ordinary one.
func pattern(contains string) any { return "%" + literal.Replace(contains) + "%" }
