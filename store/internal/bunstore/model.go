package bunstore

import (
	"database/sql"
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

// model is what there is to know about the type that a user or a group is read
// into: how to make one, what its columns are, and how they get in and out. M is
// [roster.Model] or [roster.GroupModel].
type model[M any] struct {
	dialect *Dialect
	fields  []*schema.Field // of a user or group
	own     *mixin.Type[M]  // has those that the host adds
	columns string          // of all fields, as they are read, of the alias
}

func newModel[M any](db *bun.DB, d *Dialect, own *mixin.Type[M], alias string) *model[M] {
	part := reflect.TypeOf(own.Part(own.New())).Elem()
	m := &model[M]{dialect: d, fields: db.Table(part).Fields, own: own}
	names := make([]string, 0, len(m.fields)+len(own.Columns))
	for _, f := range m.fields {
		names = append(names, alias+"."+f.Name)
	}
	for _, name := range m.added() {
		names = append(names, alias+"."+name)
	}
	m.columns = strings.Join(names, ", ")
	return m
}

// foreign is the conflict if a foreign key refuses a row: the host's, since the
// table has none of its own.
func (m *model[M]) foreign() string {
	if len(m.own.Columns) == 0 {
		return ""
	}
	return roster.FieldModel
}

// added are the names of the host's columns, quoted.
func (m *model[M]) added() []string {
	names := make([]string, len(m.own.Columns))
	for i, c := range m.own.Columns {
		names[i] = quote(c.Name)
	}
	return names
}

// quote is for names that may be words of SQL.
func quote(name string) string { return `"` + name + `"` }

// scan reads one from a row that begins with the columns, and what stands
// behind them into more.
func (m *model[M]) scan(rows *sql.Rows, more ...any) (M, error) {
	row := m.own.New()
	v := reflect.ValueOf(m.own.Part(row)).Elem()
	own := m.own.Fields(row)
	dests := make([]any, 0, len(m.fields)+len(own)+len(more))
	for _, f := range m.fields {
		dests = append(dests, dest(v.FieldByIndex(f.Index).Addr().Interface()))
	}
	for i := range own {
		dests = append(dests, &own[i])
	}
	if err := rows.Scan(append(dests, more...)...); err != nil {
		var none M
		return none, err
	}
	return row, nil
}

// one returns a scan that sets to, and many one that appends to it.
func (m *model[M]) one(to *M) func(*sql.Rows) error {
	return func(rows *sql.Rows) (err error) {
		*to, err = m.scan(rows)
		return err
	}
}

func (m *model[M]) many(to *[]M) func(*sql.Rows) error {
	return func(rows *sql.Rows) error {
		u, err := m.scan(rows)
		*to = append(*to, u)
		return err
	}
}

// written are the names of the columns that are written, all but some.
func (m *model[M]) written(but ...string) []string {
	var names []string
	for _, f := range m.fields {
		if !slices.Contains(but, f.Name) {
			names = append(names, f.Name)
		}
	}
	return names
}

// args are the values of the columns of row that written names, as arguments.
func (m *model[M]) args(row M, but ...string) ([]any, error) {
	v := reflect.ValueOf(m.own.Part(row)).Elem()
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
func (m *model[M]) addedArgs(values []any) []any {
	args := make([]any, len(values))
	for i, v := range values {
		if t, ok := v.(time.Time); ok {
			v = m.dialect.Time(t)
		}
		args[i] = v
	}
	return args
}

func (m *model[M]) arg(field any, nullZero bool) (any, error) {
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

// inserts are the values of what is written of a new row, and of the host's columns
// of it, which those of a plain one have the defaults of.
func (m *model[M]) inserts(row M, but ...string) (args, added []any, err error) {
	added, own, err := m.own.Values(row)
	if err == nil && !own {
		added, err = m.own.Defaults(row)
	}
	if err == nil {
		args, err = m.args(row, but...)
	}
	return args, added, err
}

// updates is inserts for a row that is there. A plain one leaves the host's columns
// alone, and own is false.
func (m *model[M]) updates(row M, but ...string) (args, added []any, own bool, err error) {
	if added, own, err = m.own.Values(row); err == nil {
		args, err = m.args(row, but...)
	}
	return args, added, own, err
}

// assigned are the columns as an UPDATE sets them to the arguments from the third
// on.
func assigned(columns []string) string {
	set := make([]string, len(columns))
	for i, name := range columns {
		set[i] = name + " = $" + strconv.Itoa(i+3)
	}
	return strings.Join(set, ", ")
}
