-- The grants that end, for those who prune them.

CREATE INDEX {grants_until} ON {grants} (valid_until, id) WHERE valid_until IS NOT NULL;
