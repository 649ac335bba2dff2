package bunstore

import "github.com/uptrace/bun"

// NewValues implements [bun.IDB].
func (d DB) NewValues(model any) *bun.ValuesQuery { return bun.NewValuesQuery(d.bun(), model).Conn(d) }

// NewRaw implements [bun.IDB].
func (d DB) NewRaw(query string, args ...any) *bun.RawQuery {
	return bun.NewRawQuery(d.bun(), query, args...).Conn(d)
}

// NewSelect implements [bun.IDB].
func (d DB) NewSelect() *bun.SelectQuery { return bun.NewSelectQuery(d.bun()).Conn(d) }

// NewInsert implements [bun.IDB].
func (d DB) NewInsert() *bun.InsertQuery { return bun.NewInsertQuery(d.bun()).Conn(d) }

// NewUpdate implements [bun.IDB].
func (d DB) NewUpdate() *bun.UpdateQuery { return bun.NewUpdateQuery(d.bun()).Conn(d) }

// NewDelete implements [bun.IDB].
func (d DB) NewDelete() *bun.DeleteQuery { return bun.NewDeleteQuery(d.bun()).Conn(d) }

// NewMerge implements [bun.IDB].
func (d DB) NewMerge() *bun.MergeQuery { return bun.NewMergeQuery(d.bun()).Conn(d) }

// NewCreateTable implements [bun.IDB].
func (d DB) NewCreateTable() *bun.CreateTableQuery { return bun.NewCreateTableQuery(d.bun()).Conn(d) }

// NewDropTable implements [bun.IDB].
func (d DB) NewDropTable() *bun.DropTableQuery { return bun.NewDropTableQuery(d.bun()).Conn(d) }

// NewCreateIndex implements [bun.IDB].
func (d DB) NewCreateIndex() *bun.CreateIndexQuery { return bun.NewCreateIndexQuery(d.bun()).Conn(d) }

// NewDropIndex implements [bun.IDB].
func (d DB) NewDropIndex() *bun.DropIndexQuery { return bun.NewDropIndexQuery(d.bun()).Conn(d) }

// NewTruncateTable implements [bun.IDB].
func (d DB) NewTruncateTable() *bun.TruncateTableQuery {
	return bun.NewTruncateTableQuery(d.bun()).Conn(d)
}

// NewAddColumn implements [bun.IDB].
func (d DB) NewAddColumn() *bun.AddColumnQuery { return bun.NewAddColumnQuery(d.bun()).Conn(d) }

// NewDropColumn implements [bun.IDB].
func (d DB) NewDropColumn() *bun.DropColumnQuery { return bun.NewDropColumnQuery(d.bun()).Conn(d) }
