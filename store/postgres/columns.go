package postgres

import (
	"slices"

	"github.com/go-roster/roster/store/internal/mixin"
)

// columnType is the type of a host's column: what the tag says, else what holds
// every value of its kind.
func columnType(c *mixin.Column) string {
	if c.Type != "" {
		return c.Type
	}
	switch c.Holds() {
	case mixin.Bool:
		return "boolean"
	case mixin.Int, mixin.Uint:
		return integer(c)
	case mixin.Float:
		if c.Bits == 32 {
			return "real"
		}
		return "double precision"
	case mixin.Bytes:
		return "bytea"
	case mixin.Time:
		return "timestamptz(6)"
	case mixin.UUID:
		return "uuid"
	case mixin.JSON:
		return "json" // not jsonb: what comes out is what went in
	default:
		return "text"
	}
}

func integer(c *mixin.Column) string {
	bits := c.Bits
	if c.Kind == mixin.Uint {
		bits *= 2
	}
	switch {
	case bits <= 16:
		return "smallint"
	case bits <= 32:
		return "integer"
	default:
		return "bigint"
	}
}

// holds reports whether a column of a type, by the name that pg_type has, takes
// what the kind writes, and gives it back.
func holds(c *mixin.Column, typ string) bool {
	integers := []string{"int2", "int4", "int8"}
	switch c.Holds() {
	case mixin.Bool:
		return typ == "bool"
	case mixin.Int, mixin.Uint:
		return slices.Contains(integers, typ)
	case mixin.Float:
		return slices.Contains([]string{"float4", "float8", "numeric"}, typ)
	case mixin.Bytes:
		return typ == "bytea"
	case mixin.Time:
		return slices.Contains([]string{"timestamptz", "timestamp", "date"}, typ)
	case mixin.UUID:
		return slices.Contains([]string{"uuid", "text", "varchar", "bpchar"}, typ)
	case mixin.JSON:
		return slices.Contains([]string{"json", "jsonb", "text", "varchar"}, typ)
	case mixin.Text: // an enum too, or a type of an extension
		return !slices.Contains(append(integers, "bool", "float4", "float8", "numeric", "bytea", "timestamptz", "timestamp", "date",
			"time", "timetz", "interval", "json", "jsonb"), typ)
	default:
		return true
	}
}
