package sqlite

import "database/sql"

// Handle is the handle that Open has opened.
func Handle(s *Store) *sql.DB { return s.db }
