package postgres

import "database/sql"

// Handle is the handle of the store.
func Handle(s *Store) *sql.DB { return s.server.db }

// Local reports whether each transaction bounds its waiting itself.
func Local(s *Store) bool { return s.server.local }
