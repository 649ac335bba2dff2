package mixin

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/go-roster/roster"
)

func (c *Column) invalid(reason roster.Reason) error {
	return &roster.InvalidError{Field: c.Name, Reason: reason}
}

// null is what stands for NULL in a row that was written at that time: the default
// in its place, if there may be no NULL or always.
func (c *Column) null(at time.Time, always bool) (any, error) {
	switch {
	case c.literal == now && (c.NotNull || always):
		return moment(at), nil
	case c.HasDefault() && (c.NotNull || always):
		return c.literal, nil
	case c.NotNull:
		return nil, c.invalid(roster.ReasonEmpty)
	}
	return nil, nil
}

// moment is a time as it is kept.
func moment(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }

// value is what is kept of a field of a row that was written at that time.
func (c *Column) value(v reflect.Value, at time.Time) (any, error) {
	if c.isNull(v) {
		return c.null(at, false)
	}
	if c.ptr {
		v = v.Elem()
	}
	switch c.Kind {
	case Bool:
		return v.Bool(), nil
	case Int:
		return v.Int(), nil
	case Uint:
		if v.Uint() > math.MaxInt64 {
			return nil, c.invalid(roster.ReasonRange)
		}
		return int64(v.Uint()), nil
	case Float:
		return c.check(v.Float())
	case Bytes:
		return append([]byte{}, v.Bytes()...), nil
	case Time:
		return c.check(v.Interface())
	case UUID:
		return v.Interface().(uuid.UUID).String(), nil
	case Text:
		if v.Kind() == reflect.String {
			return c.check(v.String())
		}
		b, err := v.Addr().Interface().(text).MarshalText()
		if err != nil {
			return nil, c.invalid(roster.ReasonSyntax)
		}
		return string(b), nil
	case JSON:
		return c.encode(v)
	}
	value, err := own(v)
	if err != nil {
		return nil, c.invalid(roster.ReasonSyntax)
	}
	return c.check(value)
}

// check refuses what not every store keeps as it is.
func (c *Column) check(value any) (any, error) {
	switch v := value.(type) {
	case string:
		switch {
		case !utf8.ValidString(v):
			return nil, c.invalid(roster.ReasonEncoding)
		case strings.IndexByte(v, 0) >= 0:
			return nil, c.invalid(roster.ReasonCharacter)
		}
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return nil, c.invalid(roster.ReasonRange)
		}
	case time.Time:
		if year := v.UTC().Year(); year < 1 || year > 9999 {
			return nil, c.invalid(roster.ReasonRange)
		}
		return moment(v), nil
	case []byte:
		return slices.Clone(v), nil
	}
	return value, nil
}

// encode is JSON as it stands, which json.Marshal escapes.
func (c *Column) encode(v reflect.Value) (any, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v.Interface()); err != nil {
		return nil, c.invalid(roster.ReasonSyntax)
	}
	return strings.TrimSuffix(b.String(), "\n"), nil
}

// set puts a value of the database into the field. NULL is zero.
func (c *Column) set(v reflect.Value, src any) error {
	if src == nil && (c.Kind != Own || c.ptr) {
		v.SetZero()
		return nil
	}
	if c.ptr {
		v.Set(reflect.New(c.typ))
		v = v.Elem()
	}
	switch c.Kind {
	case Bool:
		return setBool(v, src)
	case Int:
		n, err := number(src)
		if err != nil || v.OverflowInt(n) {
			return errNumber
		}
		v.SetInt(n)
	case Uint:
		n, err := number(src)
		if err != nil || n < 0 || v.OverflowUint(uint64(n)) {
			return errNumber
		}
		v.SetUint(uint64(n))
	case Float:
		f, err := float(src)
		if err != nil {
			return errNumber
		}
		v.SetFloat(f)
	case Bytes:
		b, err := raw(src)
		v.SetBytes(append([]byte{}, b...))
		return err
	case Time:
		t, err := when(src)
		v.Set(reflect.ValueOf(t))
		return err
	case UUID:
		return v.Addr().Interface().(*uuid.UUID).Scan(src)
	case Text:
		b, err := raw(src)
		if err != nil {
			return err
		}
		if v.Kind() == reflect.String {
			v.SetString(string(b))
			return nil
		}
		return v.Addr().Interface().(text).UnmarshalText(b)
	case JSON:
		b, err := raw(src)
		if err != nil {
			return err
		}
		v.SetZero()
		return json.Unmarshal(slices.Clone(b), v.Addr().Interface())
	default:
		if c.Holds() == Time && src != nil {
			t, err := when(src)
			if err != nil {
				return err
			}
			src = t
		}
		if b, ok := src.([]byte); ok {
			src = slices.Clone(b)
		}
		return v.Addr().Interface().(scanner).Scan(src)
	}
	return nil
}

func setBool(v reflect.Value, src any) error {
	switch src := src.(type) {
	case bool:
		v.SetBool(src)
	case int64:
		v.SetBool(src != 0)
	default:
		return wrongType(src)
	}
	return nil
}

func wrongType(src any) error { return fmt.Errorf("it holds a %T", src) }

func number(src any) (int64, error) {
	switch src := src.(type) {
	case int64:
		return src, nil
	case float64:
		if src == math.Trunc(src) && math.Abs(src) < 1<<53 {
			return int64(src), nil
		}
	case string:
		return strconv.ParseInt(src, 10, 64)
	case []byte:
		return strconv.ParseInt(string(src), 10, 64)
	}
	return 0, wrongType(src)
}

func float(src any) (float64, error) {
	switch src := src.(type) {
	case float64:
		return src, nil
	case int64:
		return float64(src), nil
	case string:
		return strconv.ParseFloat(src, 64)
	case []byte:
		return strconv.ParseFloat(string(src), 64)
	}
	return 0, wrongType(src)
}

func raw(src any) ([]byte, error) {
	switch src := src.(type) {
	case string:
		return []byte(src), nil
	case []byte:
		return src, nil
	}
	return nil, wrongType(src)
}

// layouts are how times are written as text: here, by SQL, and by others.
var layouts = []string{
	"2006-01-02 15:04:05.999999999-07:00", "2006-01-02 15:04:05.999999999-07", "2006-01-02 15:04:05.999999999",
	time.RFC3339Nano, "2006-01-02T15:04:05.999999999", time.DateOnly,
}

func when(src any) (time.Time, error) {
	if t, ok := src.(time.Time); ok {
		return t.UTC(), nil
	}
	b, err := raw(src)
	if err != nil {
		return time.Time{}, err
	}
	for _, layout := range layouts {
		if t, err := time.Parse(layout, string(b)); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, fmt.Errorf("a time of %d bytes is malformed", len(b))
}
