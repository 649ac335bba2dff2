package bunstore

import (
	"context"
	"database/sql"
)

// statement returns the query as a prepared statement, or nil if it is to be
// run as text.
func (s *Store) statement(ctx context.Context, t *tx, q *Query) *sql.Stmt {
	if !s.dialect.Prepare || t != nil && t.guest {
		return nil
	}
	stmt := q.prepared.Load()
	switch {
	case t == nil && stmt == nil:
		return s.prepare(ctx, q)
	case t == nil:
		return stmt
	case stmt == nil:
		// To prepare it takes a connection of its own, which may be the last.
		s.mu.Lock()
		s.wanted = append(s.wanted, q)
		s.mu.Unlock()
		return nil
	}
	if bound := t.stmts[q]; bound != nil {
		return bound
	}
	if t.stmts == nil {
		t.stmts = map[*Query]*sql.Stmt{}
	}
	bound := t.StmtContext(ctx, stmt)
	t.stmts[q] = bound
	return bound
}

// prepareWanted prepares what the transactions before had to run as text.
func (s *Store) prepareWanted(ctx context.Context) {
	s.mu.Lock()
	wanted := s.wanted
	s.wanted = nil
	s.mu.Unlock()
	for _, q := range wanted {
		s.prepare(ctx, q)
	}
}

// prepare returns nil if the query cannot be prepared: to run it as text tells
// why.
func (s *Store) prepare(ctx context.Context, q *Query) *sql.Stmt {
	q.mu.Lock()
	defer q.mu.Unlock()
	if stmt := q.prepared.Load(); stmt != nil {
		return stmt
	}
	stmt, err := s.db.DB.PrepareContext(ctx, q.text)
	if err != nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		_ = stmt.Close()
		return nil
	}
	s.prepared = append(s.prepared, stmt)
	q.prepared.Store(stmt)
	return stmt
}
