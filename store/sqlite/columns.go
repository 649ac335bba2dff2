package sqlite

import (
	"strings"

	"github.com/go-roster/roster/store/internal/mixin"
)

// columnType is the type of a host's column. STRICT tables know five, so what
// the tag says counts only where the kind says nothing.
func columnType(c *mixin.Column) string {
	switch c.Holds() {
	case mixin.Bool, mixin.Int, mixin.Uint:
		return "INTEGER"
	case mixin.Float:
		return "REAL"
	case mixin.Bytes:
		return "BLOB"
	case mixin.Own:
		return affinity(c.Type)
	default:
		return "TEXT"
	}
}

// affinity is the type in STRICT tables that comes closest to one of SQL.
func affinity(typ string) string {
	typ = strings.ToUpper(typ)
	for _, a := range []struct{ typ, words string }{
		{"TEXT", "CHAR CLOB TEXT JSON UUID TIME DATE INET CIDR"},
		{"BLOB", "BLOB BYTEA BINARY"},
		{"REAL", "REAL FLOA DOUB"},
		{"INTEGER", "INT BOOL SERIAL"},
	} {
		for _, word := range strings.Fields(a.words) {
			if strings.Contains(typ, word) {
				return a.typ
			}
		}
	}
	return "ANY"
}

// holds reports whether a column of a type holds what one of another does.
func holds(want, typ string) bool {
	typ = strings.ToUpper(typ)
	return typ == want || typ == "ANY" || want == "INTEGER" && typ == "INT"
}
