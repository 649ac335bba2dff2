package mixin

import (
	"encoding/json"
	"errors"
	"reflect"
	"strconv"
	"strings"
)

// now is the default that is the time of the write.
var now = &struct{ int }{}

var errDefault = errors.New("must be a literal that fits: a number, 'text', true or false, or current_timestamp for a time")

// setDefault reads a default. Every store writes the same one, so it must be
// one that means the same everywhere.
func (c *Column) setDefault(s string) error {
	s = strings.TrimSpace(s)
	c.deflt = s
	kind := c.Holds()
	switch upper := strings.ToUpper(s); {
	case upper == "CURRENT_TIMESTAMP" && kind == Time:
		c.literal = now
		return nil
	case upper == "TRUE", upper == "FALSE":
		if kind != Bool && kind != Own {
			return errDefault
		}
		c.literal = upper == "TRUE"
	case len(s) > 1 && s[0] == '\'' && s[len(s)-1] == '\'':
		text := s[1 : len(s)-1]
		if strings.Contains(strings.ReplaceAll(text, "''", ""), "'") {
			return errDefault
		}
		c.literal = strings.ReplaceAll(text, "''", "'")
	default:
		if n, err := strconv.ParseInt(s, 10, 64); err == nil {
			c.literal = n
		} else if f, err := strconv.ParseFloat(s, 64); err == nil && kind == Float {
			c.literal = f
		} else {
			return errDefault
		}
	}
	if n, ok := c.literal.(int64); ok && kind == Float {
		c.literal = float64(n)
	}
	return c.tryDefault(kind)
}

// tryDefault sees whether a field takes the default, and makes it the value that
// is kept.
func (c *Column) tryDefault(kind Kind) error {
	text, isText := c.literal.(string)
	_, isNumber := c.literal.(int64)
	switch {
	case isText && (kind == Int || kind == Uint || kind == Float || kind == Bool), isNumber && kind == Bool:
		return errDefault
	case isText && kind == JSON && !json.Valid([]byte(text)):
		return errDefault
	case isText && kind == Time:
		t, err := when(text)
		if err != nil {
			return errDefault
		}
		c.literal = moment(t)
	case isText && kind == Bytes:
		if strings.Contains(text, `\`) {
			return errDefault
		}
		c.literal = []byte(text)
	}
	v := reflect.New(c.typ).Elem()
	one := *c
	one.ptr = false
	if err := one.set(v, c.literal); err != nil {
		return errDefault
	}
	return nil
}
