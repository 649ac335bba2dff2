package mixin

import (
	"database/sql/driver"
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"reflect"
	"strings"
	"time"

	"github.com/google/uuid"
)

// Column is one that a host's type adds. Its values are those of database/sql:
// nil, bool, int64, float64, string, []byte, and time.Time in UTC with
// microseconds. JSON is a string.
type Column struct {
	Name     string
	Field    string // of which type
	Kind     Kind
	Bits     int    // of a number
	Type     string // what the tag says; empty: by the Kind
	NotNull  bool
	NullZero bool // the zero value is NULL

	typ     reflect.Type // of the field, and
	ptr     bool         // whether it is a pointer to that
	index   []int
	deflt   string // as it stands in the tag
	literal any    // its value, or now
	unique  []string
}

// Kind is what a column holds.
type Kind uint8

// The kinds.
const (
	Bool Kind = iota + 1
	Int
	Uint
	Float
	Text
	Bytes
	Time
	UUID
	JSON
	Own // what the type's own Value says
)

var kinds = map[reflect.Kind]Kind{
	reflect.Bool: Bool, reflect.String: Text, reflect.Float32: Float, reflect.Float64: Float,
	reflect.Int: Int, reflect.Int8: Int, reflect.Int16: Int, reflect.Int32: Int, reflect.Int64: Int,
	reflect.Uint: Uint, reflect.Uint8: Uint, reflect.Uint16: Uint, reflect.Uint32: Uint, reflect.Uint64: Uint,
	reflect.Struct: JSON, reflect.Map: JSON, reflect.Slice: JSON, reflect.Array: JSON,
}

type scanner interface{ Scan(src any) error }

var (
	scannerType = reflect.TypeFor[scanner]()
	valuerType  = reflect.TypeFor[driver.Valuer]()
	timeType    = reflect.TypeFor[time.Time]()
	textTypes   = []reflect.Type{reflect.TypeFor[netip.Addr](), reflect.TypeFor[netip.Prefix](), reflect.TypeFor[net.IP]()}
)

// fit finds the kind of a field.
func (c *Column) fit(typ reflect.Type) error {
	if c.ptr = typ.Kind() == reflect.Pointer; c.ptr {
		typ = typ.Elem()
	}
	c.typ = typ
	pointer := reflect.PointerTo(typ)
	switch {
	case typ == timeType:
		c.Kind = Time
	case typ == reflect.TypeFor[uuid.UUID]():
		c.Kind = UUID
	case isText(typ):
		c.Kind = Text
	case pointer.Implements(valuerType) && pointer.Implements(scannerType):
		c.Kind = Own
	case typ.Kind() == reflect.Slice && typ.Elem().Kind() == reflect.Uint8 && typ != reflect.TypeFor[json.RawMessage]():
		c.Kind = Bytes
	case typ.Kind() == reflect.Interface && typ.NumMethod() == 0:
		c.Kind = JSON
	default:
		c.Kind = kinds[typ.Kind()]
	}
	switch {
	case c.Kind == 0:
		return fmt.Errorf("a %s cannot be kept: say bun:\"-\"", typ)
	case c.Kind == JSON:
		if _, err := json.Marshal(reflect.New(typ).Interface()); err != nil {
			return fmt.Errorf("a %s cannot be kept: it has no JSON", typ)
		}
	case c.Kind == Own && c.Type == "" && sqlNull(typ) == 0:
		return fmt.Errorf("a %s says itself how it is stored, so the tag must say the column's type, as in bun:\"type:text\"", typ)
	case c.Kind != Own && strings.HasPrefix(strings.ToLower(c.Type), "json"):
		return fmt.Errorf("a %s is not kept as JSON: take json.RawMessage", typ)
	}
	if c.Bits = 64; c.Kind == Int || c.Kind == Uint || c.Kind == Float {
		c.Bits = typ.Bits()
	}
	return nil
}

// isText reports whether a type is stored as the text that it marshals to.
func isText(typ reflect.Type) bool {
	for _, t := range textTypes {
		if t == typ {
			return true
		}
	}
	return false
}

// sqlNull is the kind inside sql.NullString and its like, or 0.
func sqlNull(typ reflect.Type) Kind {
	if typ.PkgPath() != "database/sql" || typ.Kind() != reflect.Struct || !strings.HasPrefix(typ.Name(), "Null") {
		return 0
	}
	inner := Column{}
	if inner.fit(typ.Field(0).Type) != nil || inner.Kind == Own {
		return 0
	}
	return inner.Kind
}

// Holds is the kind of the values: of Own, that inside of sql.NullString and its
// like, else Own.
func (c *Column) Holds() Kind {
	if c.Kind == Own {
		if kind := sqlNull(c.typ); kind != 0 {
			return kind
		}
	}
	return c.Kind
}

// Default is what the tag says, as it stands, if it does.
func (c *Column) Default() string { return c.deflt }

// HasDefault reports whether the tag says one.
func (c *Column) HasDefault() bool { return c.deflt != "" }

// MayBeNull reports whether a value of the field may be NULL, though the column
// might not.
func (c *Column) MayBeNull() bool {
	if c.NotNull {
		return false
	}
	nilable := c.typ.Kind() == reflect.Slice || c.typ.Kind() == reflect.Map || c.typ.Kind() == reflect.Interface
	return c.ptr || c.NullZero || c.Kind == Own || nilable
}

// isNull reports whether the field says NULL.
func (c *Column) isNull(v reflect.Value) bool {
	switch {
	case c.ptr || c.NullZero:
		return v.IsZero()
	case c.Kind == Own:
		value, err := own(v)
		return err == nil && value == nil
	}
	switch v.Kind() {
	case reflect.Slice, reflect.Map, reflect.Interface:
		return !c.NotNull && v.IsNil()
	}
	return false
}

// own asks the field's type for its value.
func own(v reflect.Value) (any, error) {
	return v.Addr().Interface().(driver.Valuer).Value()
}

var errNumber = errors.New("a number that it cannot hold")

// text is a field that marshals to text.
type text interface {
	encoding.TextMarshaler
	encoding.TextUnmarshaler
}
