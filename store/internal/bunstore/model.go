package bunstore

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/schema"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/store/internal/mixin"
)

// model is what there is to know about the type that a user is read into: how
// to make one, what its columns are, and how they get in and out.
type model struct {
	dialect *Dialect
	fields  []*schema.Field // of a user
	own     *mixin.Type     // has those that the host adds
	columns string          // of all fields, as they are read, of the alias u
}

func newModel(db *bun.DB, d *Dialect, own *mixin.Type) *model {
	m := &model{dialect: d, fields: db.Table(reflect.TypeFor[roster.User]()).Fields, own: own}
	names := make([]string, 0, len(m.fields)+len(own.Columns))
	for _, f := range m.fields {
		names = append(names, "u."+f.Name)
	}
	for _, name := range m.added() {
		names = append(names, "u."+name)
	}
	m.columns = strings.Join(names, ", ")
	return m
}

// added are the names of the host's columns, quoted.
func (m *model) added() []string {
	names := make([]string, len(m.own.Columns))
	for i, c := range m.own.Columns {
		names[i] = quote(c.Name)
	}
	return names
}

// quote is for names that may be words of SQL.
func quote(name string) string { return `"` + name + `"` }

// scan reads a user from a row that begins with the columns, and what stands
// behind them into more.
func (m *model) scan(rows *sql.Rows, more ...any) (roster.Model, error) {
	row := m.own.New()
	v := reflect.ValueOf(row.RosterUser()).Elem()
	own := m.own.Fields(row)
	dests := make([]any, 0, len(m.fields)+len(own)+len(more))
	for _, f := range m.fields {
		dests = append(dests, dest(v.FieldByIndex(f.Index).Addr().Interface()))
	}
	for i := range own {
		dests = append(dests, &own[i])
	}
	if err := rows.Scan(append(dests, more...)...); err != nil {
		return nil, err
	}
	return row, nil
}

// one returns a scan that sets to, and many one that appends to it.
func (m *model) one(to *roster.Model) func(*sql.Rows) error {
	return func(rows *sql.Rows) (err error) {
		*to, err = m.scan(rows)
		return err
	}
}

func (m *model) many(to *[]roster.Model) func(*sql.Rows) error {
	return func(rows *sql.Rows) error {
		u, err := m.scan(rows)
		*to = append(*to, u)
		return err
	}
}

// written are the names of the columns that are written, all but some.
func (m *model) written(but ...string) []string {
	var names []string
	for _, f := range m.fields {
		if !slices.Contains(but, f.Name) {
			names = append(names, f.Name)
		}
	}
	return names
}

// args are the values of the columns of u that written names, as arguments.
func (m *model) args(u *roster.User, but ...string) ([]any, error) {
	v := reflect.ValueOf(u).Elem()
	args := make([]any, 0, len(m.fields)+len(m.own.Columns)+4)
	for _, f := range m.fields {
		if slices.Contains(but, f.Name) {
			continue
		}
		a, err := m.arg(v.FieldByIndex(f.Index).Addr().Interface(), f.NullZero)
		if err != nil {
			return nil, err
		}
		args = append(args, a)
	}
	return args, nil
}

// addedArgs are the values of the host's columns, as arguments.
func (m *model) addedArgs(values []any) []any {
	args := make([]any, len(values))
	for i, v := range values {
		if t, ok := v.(time.Time); ok {
			v = m.dialect.Time(t)
		}
		args[i] = v
	}
	return args
}

func (m *model) arg(field any, nullZero bool) (any, error) {
	switch p := field.(type) {
	case *time.Time:
		if nullZero {
			return m.dialect.nullTime(*p), nil
		}
		return m.dialect.Time(*p), nil
	case *roster.Data:
		return encodeData(*p)
	case *uuid.UUID:
		return p.String(), nil
	case *roster.UserID:
		return int64(*p), nil
	case *roster.Flags:
		return int64(*p), nil
	case *string:
		return *p, nil
	case *bool:
		return *p, nil
	default:
		return reflect.ValueOf(field).Elem().Interface(), nil
	}
}

// nullTime is a time as an argument, NULL if it is zero.
func (d *Dialect) nullTime(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return d.Time(t)
}

// dest is where to scan a field to.
func dest(field any) any {
	switch p := field.(type) {
	case *time.Time:
		return (*moment)(p)
	case *roster.Data:
		return (*data)(p)
	default:
		return p
	}
}

// data scans a JSON object. NULL is nil.
type data roster.Data

// Scan implements [sql.Scanner].
func (d *data) Scan(src any) error {
	var raw []byte
	switch src := src.(type) {
	case nil:
		*d = nil
		return nil
	case string:
		raw = []byte(src)
	case []byte:
		raw = src
	}
	*d = nil
	return json.Unmarshal(raw, (*map[string]json.RawMessage)(d))
}

// encodeData returns the JSON object with every value as it stands, which
// [json.Marshal] does not; NULL if it is empty.
func encodeData(d roster.Data) (any, error) {
	if len(d) == 0 {
		return nil, nil
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(d); err != nil {
		return nil, &roster.InvalidError{Field: roster.FieldData, Reason: roster.ReasonSyntax}
	}
	return strings.TrimSuffix(b.String(), "\n"), nil
}

// placeholders are $1 to $n.
func placeholders(n int) string {
	var b strings.Builder
	for i := range n {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteByte('$')
		b.WriteString(strconv.Itoa(i + 1))
	}
	return b.String()
}
